"""A password checked in several ways: what is offered, who may try, and who it is."""

from __future__ import annotations

from ...core.sasl import Challenge
from .authenticator import Authenticator, Exchange
from .backend import Backend, BackendDown
from .channel import Channel, Success
from .hashing import Hasher
from .identities import identities_in
from .internal import Internal
from .limits import Limits
from .passwords import PasswordError
from .secret import secret_in
from .settings import AuthSettings

__all__ = [
    "AuthSettings",
    "Authenticator",
    "Backend",
    "BackendDown",
    "Challenge",
    "Channel",
    "Exchange",
    "Hasher",
    "Internal",
    "Limits",
    "PasswordError",
    "Success",
    "identities_in",
    "secret_in",
]
