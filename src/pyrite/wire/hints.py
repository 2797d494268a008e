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
    if message.has(NoStore) or message.has(NoPermanentStore):
        return False
    return True if message.has(Store) else None


def may_wait(message: Message) -> bool | None:
    """What the sender says about offline storage; ``None``: nothing."""
    if message.has(NoStore):
        return False
    return True if message.has(Store) else None
