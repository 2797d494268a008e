"""Chat State Notifications: somebody is typing, or has stopped."""

from __future__ import annotations

from ..core.payload import payload
from ..core.stanza import NS as NS_CLIENT
from ..core.stanza import Message
from ..core.xml import Element
from . import Spec, delay, hints, stanzaid

SPEC = Spec("XEP-0085", "2.1", "Chat State Notifications")
#: To which of somebody's clients one writes, until it is `Gone`.
SPEC_LOCKING = Spec("XEP-0296", "0.2", "Best Practices for Resource Locking")
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

_HANDLING = frozenset({NS, delay.NS, hints.NS, stanzaid.NS})

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
    return state(message) is not None and all(map(says_nothing, message.payloads))


def says_nothing(element: Element) -> bool:
    """Whether `element` is a chat state, or tells only how to handle a message.

    Clients say that a chat state is not to be stored, and give it an id; the server says when it
    came.
    """
    ns, tag = element.name
    return ns in _HANDLING or (tag == "thread" and ns == NS_CLIENT)
