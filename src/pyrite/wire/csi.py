"""Client State Indication: a client says whether anybody looks at it."""

from __future__ import annotations

from collections.abc import Hashable

from ..core.errors import StanzaError
from ..core.payload import payload
from ..core.stanza import Message, Presence, Stanza
from . import Spec, carbons, chatstates
from .forward import stanza_in

SPEC = Spec("XEP-0352", "1.0.0", "Client State Indication")
NS = "urn:xmpp:csi:0"

NS_ROOM_USER = carbons.NS_ROOM_USER
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


def topic(stanza: Stanza) -> Hashable | None:
    """What a stanza that can wait is about; a later one about the same stands for it too.

    ``None`` for what an inactive client is to have at once (§3.2): all but contacts' presence,
    chat states that say nothing else, and copies of these.
    """
    if isinstance(stanza, Presence):
        is_state = stanza.type in (None, "unavailable") and not _is_own(stanza)
        return ("presence", stanza.sender, stanza.to) if is_state else None
    if not isinstance(stanza, Message) or stanza.type == "error":
        return None
    if chatstates.is_standalone(stanza):
        return ("state", stanza.sender, stanza.to)
    return _topic_of_copy(stanza)


def _is_own(presence: Presence) -> bool:
    """Whether a room says that one has come, gone or changed (XEP-0045 §7.2.2)."""
    room = presence.child(NS_ROOM_USER, "x")
    return room is not None and any(
        e.name.tag == "status" and e.attrs.get("code") == _OWN for e in room.elements
    )


def _topic_of_copy(message: Message) -> Hashable | None:
    """As `topic`, of the message inside a copy of our own server's."""
    try:
        copy = message.get(carbons.Received) or message.get(carbons.Sent)
        inner = stanza_in(copy.forwarded) if copy else None
    except StanzaError:
        return None
    if not isinstance(inner, Message) or not chatstates.is_standalone(inner):
        return None
    return ("copy", type(copy), inner.sender, inner.to)
