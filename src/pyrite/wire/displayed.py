"""Message Displayed Synchronization: how far the user has read, for the user's other clients."""

from __future__ import annotations

from ..core.payload import child, payload
from . import Spec
from .dataforms import Value
from .stanzaid import StanzaId

SPEC = Spec("XEP-0490", "1.0.0", "Message Displayed Synchronization")
NS = "urn:xmpp:mds:displayed:0"

#: How the node has to be (§3.1).
OPTIONS: dict[str, Value] = {
    "persist_items": True,
    "max_items": "max",
    "send_last_published_item": "never",
    "access_model": "whitelist",
}


@payload(NS, "displayed")
class Displayed:
    """The last message that was seen in the conversation which is the item's id (§3)."""

    stanza: StanzaId = child()
