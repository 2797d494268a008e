"""Hash functions by name, and the values that they gave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial
from hmac import compare_digest
from typing import Any, Protocol

from ..core.payload import attr, payload, text
from . import Spec

SPEC = Spec("XEP-0300", "1.0.0", "Use of Cryptographic Hash Functions in XMPP")
NS = "urn:xmpp:hashes:2"
NS_FUNCTION = "urn:xmpp:hash-function-text-names:"

USED = "sha-256"  # what we hash with ourselves


@payload(NS, "hash")
class Hash:
    """What `algo` gave (§3)."""

    algo: str = attr()
    value: bytes = text()


@payload(NS, "hash-used")
class HashUsed:
    """The value comes later (§4)."""

    algo: str = attr()


class Hasher(Protocol):
    """A hash function that is being fed."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


#: What is verified, the strongest first (§6). MD5 and its like prove nothing and are not here.
_KNOWN: dict[str, Any] = {
    "sha3-512": hashlib.sha3_512,
    "blake2b-512": partial(hashlib.blake2b, digest_size=64),
    "sha-512": hashlib.sha512,
    "sha3-256": hashlib.sha3_256,
    "blake2b-256": partial(hashlib.blake2b, digest_size=32),
    "sha-256": hashlib.sha256,
    "sha-1": partial(hashlib.sha1, usedforsecurity=False),  # COMPAT: finds accidents alone
}

FEATURES = (NS, *(f"{NS_FUNCTION}{name}" for name in _KNOWN if name != "sha-1"))


def hasher(algo: str) -> Hasher | None:
    """A fresh hash function, or None for one that is not known."""
    made = _KNOWN.get(algo)
    return None if made is None else made()


def strongest(hashes: Iterable[Hash]) -> Hash | None:
    """The one to verify: the strongest that is known (§5)."""
    given = {one.algo: one for one in hashes}
    return next((given[name] for name in _KNOWN if name in given), None)


def is_equal(one: Hash, hashed: Hasher) -> bool:
    """Whether what was hashed gives the value of `one`."""
    return compare_digest(one.value, hashed.digest())
