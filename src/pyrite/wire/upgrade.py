"""SASL Upgrade Tasks: a client brings an account the keys of a hash that it lacks."""

from __future__ import annotations

import hashlib

from ..core.errors import SaslError
from ..core.payload import attr, payload, text
from ..core.sasl import HASHES
from ..core.values import PositiveInt
from . import Spec

SPEC = Spec("XEP-0480", "0.2.0", "SASL Upgrade Tasks")
NS = "urn:xmpp:sasl:upgrade:0"
NS_SCRAM = "urn:xmpp:scram-upgrade:0"

_PREFIX = "UPGR-"


@payload(NS, "upgrade")
class Upgrade:
    """A task, by its name: the server knows it, or the client asks for it (§2.1, §2.2)."""

    task: str = text(default="")


@payload(NS_SCRAM, "salt")
class Salt:
    """What the client is to hash the password with (§3)."""

    salt: bytes = text()
    iterations: PositiveInt = attr()


@payload(NS_SCRAM, "hash")
class Hash:
    """The SaltedPassword of RFC 5802 §3 (§3). It proves the password: never keep or log it."""

    salted: bytes = text()


def task_for(mechanism: str) -> str:
    """The task that brings the keys of a SCRAM mechanism, which is named without -PLUS (§2.1)."""
    return _PREFIX + mechanism


def mechanism_of(task: str) -> str | None:
    """The SCRAM mechanism whose keys a task brings; ``None`` for a task that we do not know."""
    name = task.removeprefix(_PREFIX)
    return name if task != name and name in HASHES else None


def salted(mechanism: str, answer: Hash) -> bytes:
    """The client's SaltedPassword.

    Raises `SaslError` ``malformed-request`` if it is not of the length of the hash.
    """
    if len(answer.salted) != hashlib.new(HASHES[mechanism]).digest_size:
        raise SaslError("malformed-request", "a salted password of a wrong length")
    return answer.salted
