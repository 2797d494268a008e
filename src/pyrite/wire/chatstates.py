"""Chat State Notifications: somebody is typing, or has stopped."""

from __future__ import annotations

from ..core.payload import payload
from ..core.stanza import Message
from . import Spec

SPEC = Spec("XEP-0085", "2.1", "Chat State Notifications")
NS = "http://jabber.org/protocol/chatstates"


@payload(NS, "active")
class Active:
    """Attends to the conversation (§2)."""


@payload(NS, "composing")
class Composing:
    """Is typing (§2)."""


@payload(NS, "paused")
class Paused:
    """Was typing, and is not any more (§2)."""


@payload(NS, "inactive")
class Inactive:
    """Does not attend to it for a while (§2)."""


@payload(NS, "gone")
class Gone:
    """Has left it (§2)."""


ChatState = Active | Composing | Paused | Inactive | Gone

_STATES: dict[str, ChatState] = {
    "active": Active(),
    "composing": Composing(),
    "paused": Paused(),
    "inactive": Inactive(),
    "gone": Gone(),
}


def state(message: Message) -> ChatState | None:
    """The chat state on `message`, if it has one that is defined (§5.2)."""
    for element in message.payloads:
        if element.name.ns == NS:
            return _STATES.get(element.name.tag)
    return None


def is_standalone(message: Message) -> bool:
    """Whether it says nothing else, so that nobody needs to keep it (§5.5)."""
    return state(message) is not None and all(
        e.name.ns == NS or e.name.tag == "thread" for e in message.payloads
    )
