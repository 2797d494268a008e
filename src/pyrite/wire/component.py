"""Jabber Component Protocol: a part of a server that runs elsewhere."""

from __future__ import annotations

from hashlib import sha1

from ..core.payload import payload, text
from . import Spec

SPEC = Spec("XEP-0114", "1.6", "Jabber Component Protocol")
NS = "jabber:component:accept"


@payload(NS, "handshake")
class Handshake:
    """The proof of the secret, or, empty, its acceptance (§3)."""

    digest: str = text(default="")


def handshake(stream: str, secret: str) -> Handshake:
    """The proof for the stream with this id (§3, step 3)."""
    # What the protocol wants; whoever listens in can try secrets, so it runs on loopback or in TLS.
    digest = sha1(f"{stream}{secret}".encode(), usedforsecurity=False)
    return Handshake(digest.hexdigest())
