"""Conversations with one person each: what is said, corrected, taken back and thought of it.

RFC 6121 §5.1, with XEP-0085, 0172, 0201, 0308, 0372, 0424, 0428, 0444 and 0461.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from ....core.jid import JID
from ....core.stanza import Message
from ....kit.cache import Cache
from ....wire import (
    chatstates,
    correction,
    delay,
    fallback,
    reactions,
    references,
    reply,
    retraction,
)
from ....wire import message as wire
from ...abilities import Abilities
from ...feature import Feature, MessageReceived, PresenceReceived, Sending, on
from ...receipt import Receipt
from ...state import Closed
from .chat import Chat, Target
from .events import (
    ChatEvent,
    Corrected,
    Reacted,
    Refused,
    Retracted,
    Said,
    StateChanged,
    read,
)
from .known import Memory

if TYPE_CHECKING:
    from ...entity import Entity

__all__ = [
    "Chat",
    "ChatEvent",
    "Chats",
    "Corrected",
    "Reacted",
    "Refused",
    "Retracted",
    "Said",
    "StateChanged",
    "Target",
]

WAITING = 1000  # messages of ours whose refusal is waited for


class Chats(Feature):
    """Reads the messages of conversations, and holds those that the program has opened.

    A correction or a retraction counts only if it is of who wrote the message; others are
    dropped, and counted in `Client.forged`.
    """

    spec = wire.SPEC
    needs = (Abilities,)  # others learn from it that we understand states (XEP-0085 §4)
    features = (
        chatstates.NS,
        correction.NS,
        fallback.NS,
        reactions.NS,
        references.NS,
        reply.NS,
        retraction.NS,
    )

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.nick: str | None = None  # that goes along with the first words (XEP-0172 §4.2)
        self.shows_states = True  # whether others may know that the user is typing (§5.2)
        self.known = Memory()
        self._chats: dict[JID, list[Chat]] = {}
        self._sent: Cache[tuple[JID, str], Receipt] = Cache(WAITING)

    # --- the program's side ----------------------------------------------------------

    @asynccontextmanager
    async def with_(
        self, jid: JID | str, *, thread: str | None = None, in_room: bool = False
    ) -> AsyncIterator[Chat]:
        """A conversation with `jid`; with `in_room` that is an occupant of a room."""
        jid = JID.parse(jid) if isinstance(jid, str) else jid
        chat = Chat(self, jid if in_room else jid.bare, thread)
        self._chats.setdefault(chat.peer, []).append(chat)
        self.client.attend()
        self._learn(chat.peer)
        try:
            yield chat
            await chat.leave()
        finally:
            chat.end()
            self._chats[chat.peer].remove(chat)
            if not self._chats[chat.peer]:
                del self._chats[chat.peer]

    def _learn(self, peer: JID) -> None:
        """Whether it wants to know our states (XEP-0085 §5.1). What an occupant of a room can do
        is the room's to know."""
        abilities = self.client[Abilities]
        is_open = peer.resource is None and abilities.can(peer, chatstates.NS) is None
        if is_open and self.client.is_online and abilities.clients(peer):
            self.client.start(abilities.learn(peer))

    def hears_states(self, peer: JID) -> bool | None:
        """Whether a client of `peer` has said that it understands states; None: it has not."""
        return self.client[Abilities].can(peer, chatstates.NS)

    def _party(self, message: Message, other: JID) -> JID:
        """Whom it is from or for: a person, or an occupant of a room (XEP-0045 §7.5)."""
        if other.resource and (retraction.is_of_room(message) or other in self._chats):
            return other
        return other.bare

    def _open(self) -> Iterator[Chat]:
        for chats in tuple(self._chats.values()):
            yield from tuple(chats)

    def stop(self) -> None:
        for chat in self._open():
            chat.end()

    @on(Closed)
    def over(self, _: Closed) -> None:
        """Whoever goes through a conversation is at its end."""
        self.stop()

    # --- what is sent ----------------------------------------------------------------

    @on(Sending)
    def sent(self, event: Sending) -> None:
        """Remember that it is ours, and who wants to know if it is refused."""
        message = event.receipt.message
        if message.id is None or message.to is None or not _is_of_two(message):
            return
        peer = self._party(message, message.to)
        self._sent.put((message.to.bare, message.id), event.receipt)
        if wire.has_body(message):
            own = self.client.jid.bare
            first = self.known.original(peer, correction.target(message) or message.id)
            self.known.put(peer, message.id, own, ours=True, original=first)

    # --- what is heard ---------------------------------------------------------------

    @on(PresenceReceived)
    def moved(self, event: PresenceReceived) -> None:
        """A client of theirs has come, gone or changed (RFC 6121 §5.1)."""
        sender = event.presence.sender
        if sender is not None:
            chats = self._chats.get(sender.bare, ())
            for chat in chats:
                chat.unlock()
            if chats and event.presence.type is None:
                self._learn(sender.bare)

    @on(MessageReceived)
    async def heard(self, event: MessageReceived) -> None:
        """Tell what a message means for its conversation."""
        message, own = event.message, self.client.jid
        other = message.to if event.outgoing else message.sender
        if other is None or not _is_of_two(message, with_errors=not event.outgoing):
            return
        peer = self._party(message, other)
        if not event.outgoing:
            is_direct = message.to in (None, own, own.bare)
            for chat in self._chats.get(peer, ()):
                chat.note(message, is_direct=is_direct, is_late=_is_late(message))
        told = self._refused(message) if message.type == "error" else None
        for one in (told,) if told is not None else tuple(self._read(peer, event)):
            await self._tell(one)

    async def _tell(self, event: ChatEvent) -> None:
        await self.client.tell(event, event.peer.bare)
        for chat in tuple(self._chats.get(event.peer, ())):
            await chat.put(event)

    def _refused(self, message: Message) -> Refused | None:
        """What came back: only from where it went to."""
        sender, id, error = message.sender, message.id, message.error
        if sender is None or id is None or error is None:
            return None
        receipt = self._sent.get((sender.bare, id))
        to = receipt.message.to if receipt is not None else None
        if receipt is None or to is None or sender not in (to, to.bare):
            return None
        self._sent.pop((sender.bare, id))
        receipt.fail(error)
        return Refused(self._party(receipt.message, to), id, error)

    def _read(self, peer: JID, event: MessageReceived) -> Iterator[ChatEvent]:
        message, outgoing = event.message, event.outgoing
        if message.type == "error":
            return
        author = self.client.jid.bare if outgoing else peer
        if retraction.target(message) is not None:
            yield from self._retracted(peer, author, event)
            return
        yield from self._state(peer, event)
        yield from self._reacted(peer, author, event)
        if not wire.has_body(message) or _is_only_fallback(message):
            return
        if (replaced := correction.target(message)) is not None:
            yield from self._corrected(peer, author, replaced, event)
            return
        if message.id is not None:
            self.known.put(peer, message.id, author, ours=outgoing)
        yield Said(peer, message, outgoing)

    def _retracted(self, peer: JID, author: JID, event: MessageReceived) -> Iterator[ChatEvent]:
        id = retraction.target(event.message) or ""
        known = self.known.get(peer, id)
        if known is not None and known.author != author:
            self.client.forged["retraction"] += 1
            return
        if known is not None:
            first = self.known.get(peer, known.original) or known
            known.is_retracted = first.is_retracted = True
            id = known.original
        yield Retracted(peer, event.message, id, event.outgoing, known is not None)

    def _corrected(
        self, peer: JID, author: JID, replaced: str, event: MessageReceived
    ) -> Iterator[ChatEvent]:
        message, outgoing = event.message, event.outgoing
        first = self.known.original(peer, replaced)
        known = self.known.get(peer, first)
        if known is not None and (known.author != author or known.is_retracted):
            self.client.forged["correction"] += 1
            return
        if message.id is not None:
            self.known.put(peer, message.id, author, ours=outgoing, original=first)
        yield Corrected(peer, message, outgoing, first, known is not None)

    def _reacted(self, peer: JID, author: JID, event: MessageReceived) -> Iterator[ChatEvent]:
        found = reactions.chosen(event.message)
        if found is None:
            return
        id = self.known.original(peer, found.id)
        if self.known.is_newest(peer, id, author, self._when(event.message)):
            yield Reacted(peer, event.message, id, found.reactions, event.outgoing)

    def _state(self, peer: JID, event: MessageReceived) -> Iterator[ChatEvent]:
        """How it is over there now: what comes late says nothing of that."""
        message = event.message
        state = chatstates.state(message)
        if state is not None and not event.outgoing and not _is_late(message):
            yield StateChanged(peer, message.sender or peer, state)

    def _when(self, message: Message) -> datetime:
        told = read(message, delay.Delay)
        now = self.client.clock.now()
        return min(told.stamp, now) if told is not None else now


def _is_of_two(message: Message, *, with_errors: bool = False) -> bool:
    kind = wire.kind(message)
    return kind in ("chat", "normal") or (with_errors and kind == "error")


def _is_late(message: Message) -> bool:
    """Whether it was kept for us: what it says of the moment is over."""
    return message.child(delay.NS, "delay") is not None


def _is_only_fallback(message: Message) -> bool:
    return message.has(reactions.Reactions) and not fallback.without(message, {reactions.NS})
