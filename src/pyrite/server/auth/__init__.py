"""A password checked in several ways: what is offered, who may try, and who it is."""

from __future__ import annotations

from ...core.sasl import Challenge
from .authenticator import Authenticator, Exchange
from .backend import Backend, BackendDown
from .channel import Caller, Channel, Success
from .clients import LOGIN, Clients, Issued, Login
from .hashing import Hasher
from .identities import identities_in
from .internal import Internal
from .limits import Limits
from .passwords import PasswordError
from .secret import secret_in
from .settings import AuthSettings

__all__ = [
    "LOGIN",
    "AuthSettings",
    "Authenticator",
    "Backend",
    "BackendDown",
    "Caller",
    "Challenge",
    "Channel",
    "Clients",
    "Exchange",
    "Hasher",
    "Internal",
    "Issued",
    "Limits",
    "Login",
    "PasswordError",
    "Success",
    "identities_in",
    "secret_in",
]
