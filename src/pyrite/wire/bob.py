"""Bits of Binary: a small thing such as a picture, which is asked for by its hash."""

from __future__ import annotations

import re
from hashlib import new

from ..core.payload import attr, payload, text
from ..core.values import NonNegative
from . import Spec

SPEC = Spec("XEP-0231", "1.1", "Bits of Binary")
NS = "urn:xmpp:bob"

MOST = 8192  # octets that one of them has at most (§2.1)
#: Names of hash functions, ``sha1`` as the first examples have it -> as Python does (§2.6).
_PYTHON = {
    "sha1": "sha1", "sha-1": "sha1", "sha-224": "sha224", "sha-256": "sha256",
    "sha-384": "sha384", "sha-512": "sha512", "sha3-256": "sha3_256", "sha3-512": "sha3_512",
}  # fmt: skip
_DOMAIN = "bob.xmpp.org"
_CID = re.compile(rf"([a-z0-9-]{{1,20}})\+([0-9a-f]{{32,128}})@{re.escape(_DOMAIN)}").fullmatch


@payload(NS, "data")
class Data:
    """The thing, or, empty, the question for it (§2.5)."""

    cid: str | None = attr(default=None)
    type: str | None = attr(default=None)
    max_age: NonNegative | None = attr("max-age", default=None)  # seconds that it may be kept
    data: bytes = text(default=b"")


def cid(data: bytes, algorithm: str = "sha1") -> str:
    """By what `data` is asked for (§2.1); raises `KeyError` for an algorithm not known here."""
    digest = new(_PYTHON[algorithm], data, usedforsecurity=False)
    return f"{algorithm}+{digest.hexdigest()}@{_DOMAIN}"


def is_hash(cid: str) -> bool:
    """Whether it says by its hash what it is; else only its sender knows (§2.4)."""
    found = _CID(cid)
    return found is not None and found[1] in _PYTHON


def is_of(cid: str, data: bytes) -> bool:
    """Whether `data` is what `cid` asks for: what has no hash that is known here is nothing."""
    found = _CID(cid)
    if found is None or found[1] not in _PYTHON:
        return False
    digest = new(_PYTHON[found[1]], data, usedforsecurity=False)
    return digest.hexdigest() == found[2]
