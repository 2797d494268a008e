"""User gaming: what somebody plays."""

from __future__ import annotations

from ..core.payload import child_text, payload
from . import Spec

SPEC = Spec("XEP-0196", "0.3", "User Gaming")
NS = "urn:xmpp:gaming:0"


@payload(NS, "game")
class Game:
    """A game; empty: none (§2.1)."""

    character_name: str | None = child_text(default=None)
    character_profile: str | None = child_text(default=None)
    name: str | None = child_text(default=None)
    level: str | None = child_text(default=None)
    server_address: str | None = child_text(default=None)
    server_name: str | None = child_text(default=None)
    uri: str | None = child_text(default=None)
