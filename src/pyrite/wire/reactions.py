"""Message Reactions: emoji that somebody hangs on a message."""

from __future__ import annotations

from ..core.errors import StanzaError
from ..core.payload import attr, child_texts, payload
from ..core.stanza import Message
from . import Spec

SPEC = Spec("XEP-0444", "0.2.1", "Message Reactions")
NS = "urn:xmpp:reactions:0"

MOST = 100  # of one person, to one message
LONGEST = 40  # code points: a family of five with skin tones has some twenty


@payload(NS, "reactions")
class Reactions:
    """All that its sender thinks of the message with this id; nothing takes it back (§3)."""

    id: str = attr()
    reactions: tuple[str, ...] = child_texts("reaction", default=())


def chosen(message: Message) -> Reactions | None:
    """What `message` says, each emoji once (§4); ``None`` if it says nothing of this.

    What is no emoji, as its length or its letters show, is left out.
    """
    if message.type == "error":
        return None
    try:
        found = message.get(Reactions)
    except StanzaError:
        return None
    if found is None:
        return None
    kept = dict.fromkeys(text.strip() for text in found.reactions if is_emoji(text.strip()))
    return Reactions(found.id, tuple(kept)[:MOST])


def is_emoji(text: str) -> bool:
    """Whether it can be one, as far as that can be said without Unicode's tables.

    Letters are none, nor space; digits only with what makes a key of them (UTS #51 §1.4.5).
    """
    if not 0 < len(text) <= LONGEST or any(map(_is_word, text)):
        return False
    return any(ord(one) > 0x7F for one in text)


def _is_word(one: str) -> bool:
    return one.isspace() or (one.isalpha() and one != "\N{INFORMATION SOURCE}")
