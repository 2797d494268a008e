"""User Nickname: what somebody wishes to be called."""

from __future__ import annotations

from ..core.payload import payload, text
from . import Spec

SPEC = Spec("XEP-0172", "1.1", "User Nickname")
NS = "http://jabber.org/protocol/nick"


@payload(NS, "nick")
class Nick:
    """On a subscription request, or published (§4). It is a wish, and identifies nobody (§6)."""

    name: str = text(default="")
