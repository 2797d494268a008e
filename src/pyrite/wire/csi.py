"""Client State Indication: a client says whether anybody looks at it."""

from __future__ import annotations

from collections.abc import Hashable

from ..core.errors import StanzaError
from ..core.payload import name_of, payload
from ..core.stanza import Message, Presence, Stanza
from ..core.xml import Element
from . import Spec, bind2, carbons, chatstates, markers, receipts, sasl2
from .forward import stanza_in
from .message import has_body

SPEC = Spec("XEP-0352", "1.0.0", "Client State Indication")
SPEC_MOBILE = Spec("XEP-0286", "1.0.0", "Mobile Considerations on LTE Networks")
NS = "urn:xmpp:csi:0"

NS_ROOM_USER = carbons.NS_ROOM_USER
NS_EVENT = "http://jabber.org/protocol/pubsub#event"
NODE_DISPLAYED = "urn:xmpp:mds:displayed:0"  # what the account's clients have displayed (XEP-0490)

#: What says that something has arrived or was seen.
_ANSWERS = frozenset(map(name_of, (receipts.Received, markers.Received, markers.Displayed)))
_OWN = "110"  # the status code of one's own presence in a room


@payload(NS, "csi")
class Csi:
    """The stream feature, after authentication (§4.1)."""


@payload(NS, "active")
class Active:
    """Somebody looks: so it is from the stream's beginning (§4.2)."""


@payload(NS, "inactive")
class Inactive:
    """Nobody looks, until `Active` (§4.2)."""


#: What leads from the stream's features to what can be bound along with an authentication.
_INLINE = name_of(bind2.Feature)
_WAY = frozenset(
    (
        *map(name_of, (Csi, sasl2.Authentication, sasl2.Inline)),
        *map(name_of, (bind2.Bind, bind2.Inline, bind2.Feature)),
    )
)


def is_offered(features: Element) -> bool:
    """Whether the server takes these elements, as its stream features say (§4.1).

    Before an authentication they say so of a resource that is bound with it (XEP-0386 §3.1).
    """
    if features.name == _INLINE:
        return bool(features.attrs.get("var") == NS)
    if features.name == name_of(Csi):
        return True
    return any(is_offered(inner) for inner in features.elements if inner.name in _WAY)


def topic(stanza: Stanza) -> Hashable | None:
    """What a stanza that can wait is about; a later one about the same stands for it too.

    ``None`` for what an inactive client is to have at once (§3.2): all but contacts' presence,
    chat states, receipts and markers that say nothing else, copies of these, and what has changed
    at a node that somebody follows.
    """
    if isinstance(stanza, Presence):
        is_state = stanza.type in (None, "unavailable") and not _is_own(stanza)
        return ("presence", stanza.sender, stanza.to) if is_state else None
    if not isinstance(stanza, Message) or stanza.type == "error":
        return None
    return _topic_of_words(stanza) or _topic_of_copy(stanza) or _topic_of_event(stanza)


def _is_own(presence: Presence) -> bool:
    """Whether a room says that one has come, gone or changed (XEP-0045 §7.2.2)."""
    room = presence.child(NS_ROOM_USER, "x")
    return room is not None and any(
        e.name.tag == "status" and e.attrs.get("code") == _OWN for e in room.elements
    )


def _topic_of_words(message: Message) -> Hashable | None:
    """Of chat states, receipts and markers; no receipt stands for another."""
    if chatstates.is_standalone(message):
        return ("state", message.sender, message.to)
    told = [e for e in message.payloads if not chatstates.says_nothing(e)]
    if not told or any(element.name not in _ANSWERS for element in told):
        return None
    answers = tuple((element.name, element.attrs.get("id")) for element in told)
    return ("answer", message.sender, message.to, answers)


def _topic_of_copy(message: Message) -> Hashable | None:
    """As `topic`, of the message inside a copy of our own server's.

    What another client of the account has displayed cannot wait: this one still shows it as new.
    """
    try:
        copy = message.get(carbons.Received) or message.get(carbons.Sent)
        inner = stanza_in(copy.forwarded) if copy else None
    except StanzaError:
        return None
    if not isinstance(inner, Message) or (isinstance(copy, carbons.Sent) and _displays(inner)):
        return None
    about = _topic_of_words(inner)
    return ("copy", type(copy), about) if about is not None else None


def _displays(message: Message) -> bool:
    return message.has(markers.Displayed)


def _topic_of_event(message: Message) -> Hashable | None:
    """Of what has happened to an item of a node (XEP-0060 §7.1.2.1, XEP-0163 §4.3)."""
    event = message.child(NS_EVENT, "event")
    if event is None or message.type != "headline" or has_body(message):
        return None
    happened = next(event.elements, None)
    if happened is None or happened.attrs.get("node") == NODE_DISPLAYED:
        return None
    ids = tuple(item.attrs.get("id") for item in happened.elements)
    return ("event", message.sender, message.to, happened.name, happened.attrs.get("node"), ids)
