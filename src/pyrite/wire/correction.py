"""Last Message Correction: a message that stands in the place of an older one."""

from __future__ import annotations

from ..core.errors import StanzaError
from ..core.payload import attr, payload
from ..core.stanza import Message
from . import Spec
from .retraction import is_of_room

SPEC = Spec("XEP-0308", "1.2.1", "Last Message Correction")
NS = "urn:xmpp:message-correct:0"


@payload(NS, "replace")
class Replace:
    """On a message: it replaces the one with this id, always that of the first version (§3, §4)."""

    id: str = attr()


def target(message: Message) -> str | None:
    """The id of the message that `message` replaces; ``None`` if it replaces none."""
    if message.type == "error":
        return None
    try:
        found = message.get(Replace)
    except StanzaError:
        return None
    return found.id if found is not None and found.id != message.id else None


def may_correct(correction: Message, original: Message) -> bool:
    """Whether both come from the same sender (§4): a bare address, in a room an occupant's."""
    if original.sender is None or correction.sender is None:
        return original.sender is correction.sender
    if correction.type == "groupchat" or is_of_room(correction) or is_of_room(original):
        return correction.sender == original.sender
    return correction.sender.bare == original.sender.bare
