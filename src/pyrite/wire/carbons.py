"""Message Carbons: every resource of an account sees the account's conversations."""

from __future__ import annotations

from typing import NamedTuple

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import child, encode, name_of, payload
from ..core.stanza import NS as NS_CLIENT
from ..core.stanza import Message
from ..core.xml import Element
from . import Spec, chatstates, hints, markers, receipts
from .forward import Forwarded, forward, stanza_in
from .message import kind

SPEC = Spec("XEP-0280", "1.0.1", "Message Carbons")
NS = "urn:xmpp:carbons:2"
NS_RULES = "urn:xmpp:carbons:rules:0"

NS_ROOM_USER = "http://jabber.org/protocol/muc#user"
NS_INVITATION = "jabber:x:conference"

#: Payloads of instant messaging that are copied without a body too (§6.1).
_INSTANT = frozenset({chatstates.NS, receipts.NS, markers.NS, NS_INVITATION})


@payload(NS, "enable")
class Enable:
    """Start copying to the resource that asks (§4)."""


@payload(NS, "disable")
class Disable:
    """Stop copying to the resource that asks (§5)."""


@payload(NS, "private")
class Private:
    """On a message: do not copy it (§9)."""


@payload(NS, "sent")
class Sent:
    """A message that another resource of the account sent (§8)."""

    forwarded: Forwarded = child()


@payload(NS, "received")
class Received:
    """A message that another resource of the account received (§7)."""

    forwarded: Forwarded = child()


_COPIES = (name_of(Sent), name_of(Received))
_NO_COPY = name_of(hints.NoCopy)


class Carbon(NamedTuple):
    """A genuine copy."""

    message: Message
    is_sent: bool  # by another resource of ours; else received by one


def is_eligible(message: Message, *, is_received: bool) -> bool:
    """Whether a server copies `message` to the account's other resources (§6.1).

    An error is copied by what it answers, of which only its payloads are left to judge by.
    """
    type = kind(message)
    if type in ("groupchat", "headline"):
        return False
    is_instant = type == "chat"
    room: Element | None = None
    for element in message.payloads:
        ns, tag = element.name
        if ns == NS or element.name == _NO_COPY:
            return False  # private, or a copy itself
        if ns == NS_ROOM_USER:
            room = element
        elif ns in _INSTANT or (tag == "body" and ns == NS_CLIENT):
            is_instant = True
    if room is None:
        return is_instant
    is_invitation = any(e.name.tag == "invite" for e in room.elements)
    return is_invitation or (is_instant and not is_received)  # the room tells every resource


def wrap(message: Message, kind: type[Sent] | type[Received], resource: JID) -> Message:
    """The copy of `message` to send to `resource`, in the name of its account (§7, §8)."""
    copy = kind(forward(message))
    return Message(message.type, to=resource, sender=resource.bare, payloads=(encode(copy),))


def unwrap(carbon: Message, account: JID) -> Carbon | None:
    """The message inside `carbon`; ``None`` if it is no carbon, or malformed.

    Also ``None`` for a carbon that does not come from our own bare address: anyone can send us
    one, and believing it would let them speak as our contacts (§11).
    """
    try:
        copy = carbon.get(Received) or carbon.get(Sent)
        inner = stanza_in(copy.forwarded) if copy else None
    except StanzaError:
        return None
    if carbon.sender not in (None, account.bare) or not isinstance(inner, Message):
        return None
    return Carbon(inner, isinstance(copy, Sent))


def without_forged(message: Message) -> Message:
    """Without copies: no one but a user's own server may send any, so none come in (§11)."""
    for element in message.payloads:
        if element.name.ns == NS and element.name in _COPIES:
            return message.strip(Sent).strip(Received)
    return message
