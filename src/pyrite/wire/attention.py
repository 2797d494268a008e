"""Attention: more than words to wake somebody at the other end."""

from __future__ import annotations

from ..core.payload import payload
from ..core.stanza import Message
from . import Spec, delay

SPEC = Spec("XEP-0224", "1.0", "Attention")
NS = "urn:xmpp:attention:0"


@payload(NS, "attention")
class Attention:
    """On a message: alert the user (§3)."""


def is_asked(message: Message) -> bool:
    """Whether to alert: never for what comes late (§4)."""
    if message.type in ("error", "groupchat") or not message.has(Attention):
        return False
    return message.child(delay.NS, "delay") is None
