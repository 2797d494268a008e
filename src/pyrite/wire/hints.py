"""Message Processing Hints: what the sender wishes to happen to a message on its way."""

from __future__ import annotations

from ..core.payload import payload
from ..core.stanza import Message
from . import Spec

SPEC = Spec("XEP-0334", "1.0.0", "Message Processing Hints")
NS = "urn:xmpp:hints"


@payload(NS, "no-permanent-store")
class NoPermanentStore:
    """Not into an archive; waiting for its receiver is fine (§4.1)."""


@payload(NS, "no-store")
class NoStore:
    """Nowhere at all (§4.2)."""


@payload(NS, "no-copy")
class NoCopy:
    """Only to the resource in its address (§4.3)."""


@payload(NS, "store")
class Store:
    """Keep it although it does not look like it (§4.4)."""


def may_archive(message: Message) -> bool | None:
    """What the sender says about archives; ``None``: nothing."""
    tags = _hints(message)
    if "no-store" in tags or "no-permanent-store" in tags:
        return False
    return True if "store" in tags else None


def may_wait(message: Message) -> bool | None:
    """What the sender says about offline storage; ``None``: nothing."""
    tags = _hints(message)
    if "no-store" in tags:
        return False
    return True if "store" in tags else None


def _hints(message: Message) -> list[str]:
    return [element.name.tag for element in message.payloads if element.name.ns == NS]
