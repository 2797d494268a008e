"""What can happen in a conversation with one person."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from ....core.errors import StanzaError
from ....core.frozen import frozen
from ....core.jid import JID
from ....core.payload import decode, name_of
from ....core.stanza import Message
from ....wire import chatstates, delay, fallback, nick, reactions, references, reply, styling
from ....wire.message import Thread

P = TypeVar("P")

#: Whose fallbacks mean nothing to who hears these events.
KNOWN = frozenset({reply.NS, reactions.NS})


def read(told: Message, kind: type[P]) -> P | None:
    """The payload, or None where there is none that makes sense."""
    element = told.child(*name_of(kind))
    try:
        return None if element is None else decode(kind, element)
    except StanzaError:
        return None


@frozen
class Said:
    """Words. `peer` is whom the conversation is with: bare, in a room the occupant.

    `outgoing`: the user has said it, from another client or in an earlier run of this program.
    """

    peer: JID
    message: Message
    outgoing: bool = False

    @property
    def text(self) -> str:
        """The words, without those for clients that do not understand replies."""
        return fallback.without(self.message, KNOWN) or ""

    @property
    def id(self) -> str | None:
        """What others call it by, in replies and reactions (XEP-0461 §4.1)."""
        return reply.id_of(self.message)

    @property
    def delayed(self) -> datetime | None:
        """When it was said, if our server has kept it until we came (XEP-0203)."""
        to = self.message.to
        return None if to is None else delay.stamp_by(self.message, JID(None, to.domain))

    @property
    def reply(self) -> reply.Reply | None:
        """Which message it answers (XEP-0461)."""
        return read(self.message, reply.Reply)

    @property
    def thread(self) -> Thread | None:
        """Which thread of the conversation it belongs to (XEP-0201)."""
        return read(self.message, Thread)

    @property
    def nick(self) -> str | None:
        """What its sender wishes to be called; it identifies nobody (XEP-0172 §6)."""
        found = read(self.message, nick.Nick)
        return found.name.strip() or None if found is not None else None

    @property
    def mentions(self) -> tuple[JID, ...]:
        """Who is mentioned, bare (XEP-0372)."""
        return references.mentioned(self.message)

    @property
    def blocks(self) -> tuple[styling.Block, ...]:
        """The words with their style, as far as their sender wishes one (XEP-0393)."""
        return styling.blocks(self.message, self.text)


@frozen
class Corrected(Said):
    """Words in the place of older ones, those with the id `replaces` (XEP-0308).

    `is_known`: that it is of the same author has been checked. Else it is older than what is
    remembered: compare it with your history, by `wire.correction.may_correct`.
    """

    replaces: str = ""
    is_known: bool = False

    @property
    def id(self) -> str | None:
        """Replies and reactions are to the message, in whichever version (XEP-0444 §4)."""
        return self.replaces


@frozen
class Retracted:
    """The message with this id is taken back (XEP-0424). `is_known` is as in `Corrected`."""

    peer: JID
    message: Message
    id: str
    outgoing: bool = False
    is_known: bool = False


@frozen
class Reacted:
    """All that somebody now thinks of the message with this id; nothing takes it back."""

    peer: JID
    message: Message
    id: str
    reactions: tuple[str, ...]
    outgoing: bool = False


@frozen
class StateChanged:
    """The other side is typing, or has stopped; `sender` is one of its clients (XEP-0085)."""

    peer: JID
    sender: JID
    state: chatstates.ChatState


@frozen
class Refused:
    """The message with this id, one of ours, did not arrive."""

    peer: JID
    id: str
    error: StanzaError


ChatEvent = Said | Corrected | Retracted | Reacted | StateChanged | Refused
