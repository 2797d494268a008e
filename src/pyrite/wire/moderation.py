"""Moderated Message Retraction: a moderator takes back what somebody said in a room."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, child, child_text, flag, payload
from . import Spec
from .occupants import OccupantId

SPEC = Spec("XEP-0425", "0.3.0", "Moderated Message Retraction")
NS = "urn:xmpp:message-moderate:1"
NS_RETRACT = "urn:xmpp:message-retract:1"


@payload(NS, "moderate")
class Moderate:
    """To the room: take back the message that it calls `id` (§3)."""

    id: str = attr()
    retract: bool = flag(ns=NS_RETRACT, default=False)
    reason: str | None = child_text(default=None)


@payload(NS, "moderated")
class Moderated:
    """In a retraction, from the room alone: who took it back (§4)."""

    by: JID | None = attr(default=None)
    occupant: OccupantId | None = child(default=None)
