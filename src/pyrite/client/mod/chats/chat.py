"""One conversation with one person, as the program holds it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Message
from ....core.xml import Element, Name
from ....wire import (
    carbons,
    chatstates,
    correction,
    fallback,
    hints,
    nick,
    reactions,
    references,
    reply,
    retraction,
    styling,
)
from ....wire.message import Body, Thread, has_body
from ...heard import Heard
from ...receipt import Receipt
from .events import ChatEvent, Corrected, Said

if TYPE_CHECKING:
    from . import Chats

EARLY = 100  # things that are kept until somebody listens; then the oldest go

Target = Said | Receipt | str
"""A message: as it was told, as it was sent, or by its id."""

_OCCUPANT = Element(Name(retraction.NS_ROOM_USER, "x"))
_TOLD = "/me retracted a previous message, but it's unsupported by your client."


class Chat:
    """Says things to `peer`, and hears what it says: its words by ``async for``.

    What is said goes to the bare address, until a client of the peer's has answered; then to
    that one, until another one speaks or its presence changes (RFC 6121 §5.1).
    """

    def __init__(self, owner: Chats, peer: JID, thread: str | None) -> None:
        self._owner, self.peer = owner, peer
        self.thread: Thread | None = Thread(thread) if thread else None
        self.resource: str | None = None
        self.peer_state: chatstates.ChatState | None = None
        self._own_state: chatstates.ChatState = chatstates.Active()
        self._hears_states: bool | None = None  # of the peer; None: we do not know
        self._has_spoken = False
        self._early: deque[ChatEvent] = deque(maxlen=EARLY)
        self._heards: list[Heard[ChatEvent]] = []
        self._reader: Heard[ChatEvent] | None = None
        self._is_over = False

    @property
    def in_room(self) -> bool:
        """Whether the peer is an occupant of a room (XEP-0045 §7.5)."""
        return self.peer.resource is not None

    @property
    def to(self) -> JID:
        """Where what is said goes to now."""
        if self.in_room or self.resource is None:
            return self.peer
        return JID(self.peer.local, self.peer.domain, self.resource)

    # --- saying ----------------------------------------------------------------------

    async def say(
        self,
        text: str,
        *payloads: object,
        reply_to: Said | None = None,
        quote: bool = True,
        mentions: Mapping[str, JID] | None = None,
        styled: bool = True,
        keep: bool | None = None,
        copies: bool = True,
    ) -> Receipt:
        """Say `text`. Raises `StanzaError` where a feature refuses it, `SessionClosed`.

        `reply_to` is what it answers; with `quote` the words of that stand before it, for
        clients that do not know replies. `mentions`: name in the text -> who is meant.
        `styled=False` says that its characters are only characters. `keep`: whether archives
        are to have it; by default they decide. `copies=False` keeps it from other clients.
        """
        more: list[object] = []
        if reply_to is not None:
            text = self._answer(reply_to, text, quote, more)
        for name, who in (mentions or {}).items():
            more.append(references.mention(who, text, name))
        if not styled:
            more.append(styling.Unstyled())
        if keep is not None:
            more.append(hints.Store() if keep else hints.NoStore())
        if not copies:
            more += [hints.NoCopy(), carbons.Private()]
        return await self._send(Body(text), *more, *payloads)

    def _answer(self, said: Said, text: str, quote: bool, more: list[object]) -> str:
        """The text of an answer, and in `more` what makes it one (XEP-0461 §3)."""
        own = self._owner.client.jid.bare
        author = said.message.sender or (own if said.outgoing else self.peer)
        if (id := said.id) is None:
            raise StanzaError("item-not-found", "a message without an id cannot be answered")
        id = self._owner.known.original(self.peer, id)
        more.append(reply.Reply(id, author))
        if not quote:
            return text
        name = author.resource if self.in_room else author.local
        quotation = reply.quotation(name or author.domain, said.text)
        more.append(fallback.first(reply.NS, len(quotation)))
        return quotation + text

    async def correct(self, which: Target, text: str, *payloads: object) -> Receipt:
        """Put `text` in the place of what we have said (XEP-0308).

        Raises `StanzaError`: ``item-not-found`` without an id, ``not-allowed`` if it is not ours.
        """
        id = self._owner.known.original(self.peer, self._own(which))
        return await self._send(Body(text), correction.Replace(id), *payloads)

    async def retract(self, which: Target) -> Receipt:
        """Take back what we have said; those who have it already may keep it (XEP-0424 §6).

        Raises `StanzaError` as `correct` does.
        """
        id = self._owner.known.original(self.peer, self._own(which))
        return await self._send(
            Body(_TOLD),
            retraction.Retract(id),
            fallback.Fallback(retraction.NS),
            hints.Store(),
        )

    async def react(self, which: Target, *emoji: str) -> Receipt:
        """Let `emoji` be all that we think of a message; none takes them back (XEP-0444).

        Raises `StanzaError`: ``item-not-found`` without an id, ``not-acceptable`` for words.
        """
        if not all(map(reactions.is_emoji, emoji)):
            raise StanzaError("not-acceptable", "a reaction is an emoji")
        id = self._owner.known.original(self.peer, _named(which, which_id=False))
        thought: list[object] = [reactions.Reactions(id, tuple(dict.fromkeys(emoji)))]
        if not (isinstance(which, Said) and which.message.has(hints.NoStore)):
            thought.append(hints.Store())
        return await self._send(*thought)

    def _own(self, which: Target) -> str:
        id = _named(which, which_id=True)
        if not self._owner.known.is_ours(self.peer, id) and not _is_ours(which):
            raise StanzaError("not-allowed", "only its author can change a message")
        return id

    async def show(self, state: chatstates.ChatState) -> None:
        """Let the other side know that we are typing, or have stopped (XEP-0085).

        Nothing is sent twice, nor to who has not shown that it wants to know, by its words or by
        what it says that it can do (§5.1, §5.3); nor where the user does not wish it (§5.2).
        """
        if state == self._own_state or not self._wants_states:
            return
        self._own_state = state
        await self._send(state, hints.NoStore())

    @property
    def _wants_states(self) -> bool | None:
        """Whether the peer does; None: it has not said (§5.1). Its words count for more than
        what it can do: it may have switched them off."""
        if not self._owner.shows_states:
            return False
        if self._hears_states is not None or self.in_room:
            return self._hears_states
        return self._owner.hears_states(self.to)

    async def _send(self, *content: object) -> Receipt:
        message = Message("chat", self.to).add(*content)
        if has_body(message):
            message = message.add(*self._spoken(message))
        elif self.thread is not None:
            message = message.add(self.thread)
        if self.in_room:
            message = message.add(_OCCUPANT)
        return await self._owner.client.send(message)

    def _spoken(self, message: Message) -> list[object]:
        """What goes along with words: the thread, our state, and at first our name."""
        along: list[object] = []
        if self.thread is None:
            self.thread = Thread(self._owner.client.ids())
        if not message.has(Thread):
            along.append(self.thread)
        if self._wants_states is not False:
            self._own_state = chatstates.Active()
            along.append(self._own_state)
        if self._owner.nick and not self._has_spoken:
            along.append(nick.Nick(self._owner.nick))
        self._has_spoken = True
        return along

    def branch(self) -> Thread:
        """Begin a thread that comes from the one that we are in (XEP-0201 §3.1.2)."""
        parent = self.thread.id if self.thread is not None else None
        self.thread = Thread(self._owner.client.ids(), parent)
        return self.thread

    # --- hearing ---------------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[Said]:
        """The other side's words, and the user's from other clients; also those corrected.

        A second loop goes on where the first was left. Of what came before the first, the last
        `EARLY` things are there. Who has begun to listen goes on, or leaves the conversation.
        """
        return self

    async def __anext__(self) -> Said:
        if self._reader is None:
            self._reader = self.events()
        while True:
            event = await self._reader.next()
            if isinstance(event, Said):
                return event

    async def next(self) -> Said:
        """The next words. Raises `StopAsyncIteration` at the end of the conversation."""
        return await self.__anext__()

    def events(self) -> Heard[ChatEvent]:
        """All that happens here, from now on; the first time, from the beginning."""
        heard: Heard[ChatEvent] = Heard(self._forget)
        early, self._early = self._early, deque(maxlen=EARLY)
        for event in early:
            heard.give(event)
        self._heards.append(heard)
        if self._is_over:
            heard.end()
        return heard

    def _forget(self, heard: Heard[Any]) -> None:
        if heard in self._heards:
            self._heards.remove(heard)

    # --- for the feature -------------------------------------------------------------

    def note(self, message: Message, *, is_direct: bool, is_late: bool) -> None:
        """Something came from the peer: which of its clients is it, and what can it do?

        `is_direct`: to this client of ours. `is_late`: it has waited for us.
        """
        sender = message.sender
        if is_direct and not is_late and sender is not None:
            self.resource = None if message.type == "error" else sender.resource
        if message.type == "error":
            return
        state = chatstates.state(message)
        if state is not None:
            self._hears_states = True
            self.peer_state = self.peer_state if is_late else state
        elif has_body(message):
            self._hears_states = self._hears_states or False
        if (thread := message.child(*_THREAD)) is not None and thread.text:
            self.thread = Thread(thread.text, thread.attrs.get("parent"))
        if state == chatstates.Gone():  # what is said next begins anew (XEP-0085 §5.7)
            self.thread, self.resource = None, None

    def unlock(self) -> None:
        """Speak to all of the peer's clients again."""
        self.resource = None

    async def put(self, event: ChatEvent) -> None:
        """It has happened: who listens waits for room, who does not yet may miss it."""
        if not self._heards:
            self._early.append(event)
        for heard in tuple(self._heards):
            await heard.put(event)
            self._owner.client.follow(event, heard.line)

    def end(self) -> None:
        """Nothing comes any more."""
        self._is_over = True
        for heard in tuple(self._heards):
            heard.end()

    async def leave(self) -> None:
        """Say so, to who wants to know, and hear nothing more (XEP-0085 §5.4)."""
        if self._has_spoken and self._owner.client.is_online:
            await self.show(chatstates.Gone())
        self.end()
        for heard in self._heards:
            heard.line.leave(is_sure=True)


_THREAD = ("jabber:client", "thread")


def _named(which: Target, *, which_id: bool) -> str:
    """The id of a message: with `which_id` its own alone, else what others call it by."""
    if isinstance(which, str):
        return which
    if isinstance(which, Corrected):
        return which.replaces
    id = which.message.id if which_id else reply.id_of(which.message)
    if not id:
        raise StanzaError("item-not-found", "a message without an id cannot be named")
    return id


def _is_ours(which: Target) -> bool:
    return isinstance(which, Receipt) or (isinstance(which, Said) and which.outgoing)
