"""Message Delivery Receipts: a client has received a message."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, encode, payload
from ..core.stanza import Message
from . import Spec

SPEC = Spec("XEP-0184", "1.4.0", "Message Delivery Receipts")
NS = "urn:xmpp:receipts"


@payload(NS, "request")
class Request:
    """On a message: say when you have it (§5)."""


@payload(NS, "received")
class Received:
    """The message with this id has arrived (§5)."""

    id: str = attr()


def answer(message: Message) -> Message | None:
    """The receipt for `message`; ``None`` if none is due.

    None is due without an id (§5.3), for an error, for a room's message (§5.3), and for a
    receipt, which would be answered without end (§5.4).
    """
    is_due = message.has(Request) and message.id and message.sender is not None
    if not is_due or message.type in ("error", "groupchat") or message.has(Received):
        return None
    receipt = Received(message.id or "")
    return Message(message.type, to=message.sender, payloads=(encode(receipt),))


def confirms(message: Message, by: JID) -> str | None:
    """The id of the message that `message` confirms; ``None`` if it confirms none.

    `by` is whom that message went to: nobody else can have received it (§8).
    """
    if message.type == "error" or message.sender is None or message.sender.bare != by.bare:
        return None
    found = message.get(Received)
    return found.id if found else None
