"""Message Replies: which message another one answers."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, payload
from ..core.stanza import Message
from . import Spec, stanzaid

SPEC = Spec("XEP-0461", "0.2.1", "Message Replies")
NS = "urn:xmpp:reply:0"

MOST_QUOTED = 500  # characters of what is answered, for clients that do not show it beside


@payload(NS, "reply")
class Reply:
    """It answers the message with this id, which `to` has written (§3)."""

    id: str = attr()
    to: JID | None = attr(default=None)


def id_of(message: Message, room: JID | None = None) -> str | None:
    """What others call `message` by: in a room only as the room says; else as its sender (§4.1)."""
    if message.type == "groupchat":
        return None if room is None else stanzaid.id_by(message, room)
    origin = message.child(stanzaid.NS, "origin-id")
    return (origin.attrs.get("id") if origin is not None else None) or message.id


def quotation(author: str, text: str) -> str:
    """What is answered, as it stands before the answer for clients that know no replies (§3.1)."""
    text = text if len(text) <= MOST_QUOTED else text[: MOST_QUOTED - 1] + "…"
    lines = [f"{author} wrote:", *text.splitlines()]
    return "".join(f"> {line}\n" for line in lines)
