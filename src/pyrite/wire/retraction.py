"""Message Retraction: a message that its author takes back, and what stays in its place."""

from __future__ import annotations

from datetime import datetime

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import attr, child, child_text, encode, payload, text
from ..core.stanza import Message
from . import Spec
from .moderation import Moderated

SPEC = Spec("XEP-0424", "0.4.2", "Message Retraction")
NS = "urn:xmpp:message-retract:1"
NS_TOMBSTONE = f"{NS}#tombstone"

NS_ROOM_USER = "http://jabber.org/protocol/muc#user"


@payload(NS, "retract")
class Retract:
    """On a message: the one with this id is taken back (§3), or a room's moderator did so."""

    id: str = attr()
    moderated: Moderated | None = child(default=None)
    reason: str | None = child_text(default=None)


@payload(NS, "retracted")
class Retracted:
    """In the place of what was taken back: by which message, and when (§4)."""

    id: str = attr()
    stamp: datetime | None = attr(default=None)
    by: JID | None = attr(default=None)
    reason: str = text(default="")


def target(message: Message) -> str | None:
    """The id of the message that `message` takes back; ``None`` if it takes none back.

    One without an id of its own takes nothing back, for a tombstone could not name it (§4).
    """
    if message.type in ("error", "groupchat") or not message.id:
        return None  # a room decides about its messages itself
    try:
        found = message.get(Retract)
    except StanzaError:
        return None
    return found.id if found is not None and found.id else None


def may_retract(retraction: Message, original: Message) -> bool:
    """Whether both are of the same author, and in the same conversation (§5).

    An author is a bare address, but in a room an occupant: all occupants have the room's.
    """
    if retraction.id == original.id or target(original) is not None:
        return False  # a retraction stays, so that all who come later hear of it
    if is_of_room(retraction) or is_of_room(original):
        return (retraction.sender, retraction.to) == (original.sender, original.to)
    return _ends(retraction) == _ends(original) is not None


def tombstone(original: Message, retraction: Message, when: datetime) -> Message:
    """What an archive has in the place of `original` (§4): who wrote it to whom, and no more."""
    return original.with_payloads((encode(Retracted(retraction.id or "", when)),))


def is_of_room(message: Message) -> bool:
    """Whether an occupant of a room wrote it to another, or to one who is not there."""
    return message.child(NS_ROOM_USER, "x") is not None


def _ends(message: Message) -> tuple[JID, JID] | None:
    """Whose it is and for whom, bare; without an address it is for its author."""
    sender = message.sender
    return None if sender is None else (sender.bare, (message.to or sender).bare)
