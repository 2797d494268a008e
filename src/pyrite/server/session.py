"""A bound resource of a local account, and the queue of what it has yet to be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..core.errors import StreamError
from ..core.jid import JID
from ..core.stanza import NS, Iq, Presence, Stanza
from ..core.xml import Element, write

if TYPE_CHECKING:
    from .acks import SessionAcks
    from .debts import Debts
    from .hosts import Host

T = TypeVar("T")

MAX_AWAITED = 64  # our own requests to one client that may be unanswered


class Key(Generic[T]):
    """Names one module's state in a session, and its type.

    `default` stands until the module sets something; never change it in place.
    """

    def __init__(self, name: str, default: T) -> None:
        self.name, self.default = name, default


class Nonza:
    """Stands among what a client has yet to be sent, and is no stanza: of this stream only."""

    __slots__ = ("element",)

    def __init__(self, element: Element) -> None:
        self.element = element

    def write(self) -> str:
        return write(self.element, NS)

    def to_element(self) -> Element:
        return self.element


def _nobody() -> None:
    """No connection writes this queue out: the session is played in memory."""


async def _no_wait() -> None:
    """Nor is there one to wait for."""


async def _wait(heard: asyncio.Future[None]) -> None:
    """Nor one that reads what the client says."""
    await asyncio.wait((heard,))


class Session:
    """One client, from resource binding to the end of its stream (RFC 6120 §7).

    Or of its last stream, where it resumes one that has broken (XEP-0198 §5).
    """

    __slots__ = (
        "_kept",
        "_state",
        "acks",
        "address",
        "awaiting",
        "began",
        "debts",
        "delivered",
        "drain",
        "ended",
        "gone",
        "hand_over",
        "handled",
        "handling",
        "hear",
        "host",
        "jid",
        "lang",
        "limits",
        "on_end",
        "presence",
        "presence_at",
        "priority",
        "queue",
        "queue_since",
        "queued_octets",
        "secure",
        "wake",
        "willing_since",
        "writable",
    )

    def __init__(self, jid: JID, host: Host, *, lang: str | None = None) -> None:
        self.jid = jid
        self.host = host
        self.lang = lang
        self.limits = host.server.settings.limits
        self.delivered = host.server.router.delivered  # counters by class, shared by all
        self.began: datetime = host.clock.now()
        self.address = ""  # of the peer, for people to read
        self.secure = False
        self.presence: Presence | None = None  # the last it sent to everybody, while available
        self.presence_at: datetime | None = None
        self.priority = -1  # of that presence; below 0 it gets no messages by its bare address
        self.willing_since = float("inf")  # it has not been below 0 since then, as the clock counts
        self.queue: list[Stanza | Nonza] = []
        self.queue_since = 0.0  # what is in it came then or later, as the clock counts
        self.queued_octets = 0
        self.acks: SessionAcks | None = None  # where the client has enabled them
        self.handled = 0  # stanzas of the client's
        self.handling: Stanza | None = None  # the one that is handled now, or was last
        self.debts: Debts | None = None  # what is yet to be committed for these
        self.ended: StreamError | None = None
        #: Takes what is sent from now on: the session is nobody's to write to any more.
        self.gone: Callable[[Session, Stanza], None] | None = None
        self.wake: Callable[[], None] = _nobody  # set by whoever writes the queue out
        self.drain: Callable[[], None] = _nobody  # writes now what the client's socket takes
        self.writable: Callable[[], Awaitable[None]] = _no_wait  # until it takes some again
        #: Reads on, in a handler, until what the client is to say has come, or will not come.
        self.hear: Callable[[asyncio.Future[None]], Awaitable[None]] = _wait
        self.on_end: Callable[[], None] = _nobody
        #: Ends the connection that it has, if any, and waits until that has done what it does.
        self.hand_over: Callable[[], Awaitable[None]] | None = None
        self.awaiting: dict[str, Callable[[Iq], None]] | None = None  # id -> who asked
        self._kept: dict[int, tuple[Stanza, Callable[[], None]]] | None = None  # by identity
        self._state: dict[Key[Any], Any] | None = None

    def __getitem__(self, key: Key[T]) -> T:
        return key.default if self._state is None else self._state.get(key, key.default)

    def __setitem__(self, key: Key[T], value: T) -> None:
        if self._state is None:
            self._state = {}
        self._state[key] = value

    @property
    def is_available(self) -> bool:
        return self.presence is not None

    def send(self, stanza: Stanza) -> None:
        """Queue `stanza`. Never waits: a slow receiver must not hold up its senders.

        A session whose queue is full, and whose client takes nothing, is ended instead; what
        waits in it, this stanza included, is handed to offline storage when it goes.
        """
        if self.gone is not None:
            return None if self.keeps(stanza) else self.gone(self, stanza)
        self.delivered[stanza.__class__].value += 1
        if not self.queue:
            self.queue_since = self.host.clock.monotonic()
        self.queue.append(stanza)
        self.queued_octets += len(stanza.write())
        if self._is_full():
            self._overflow()
        return self.wake()

    def send_kept(self, stanza: Stanza, taken: Callable[[], None]) -> None:
        """As `send`, for what stays where it is kept until the client has it.

        Then `taken` is called: when the client has acknowledged it, or, where it acknowledges
        nothing, when it is written. What it does not get is not handed back.
        """
        if self.gone is None:
            self.keep(stanza, taken)
            self.send(stanza)

    def keep(self, stanza: Stanza, taken: Callable[[], None]) -> None:
        """From now on `send_kept` holds for a `stanza` that it was given, or is about to be."""
        if self._kept is None:
            self._kept = {}
        self._kept[id(stanza)] = stanza, taken

    def unkeep(self, stanza: Stanza) -> None:
        """It could not be kept."""
        if self._kept is not None:
            self._kept.pop(id(stanza), None)

    def keeps(self, stanza: Stanza) -> bool:
        return self._kept is not None and id(stanza) in self._kept

    def has(self, stanzas: Iterable[Stanza | Nonza]) -> None:
        """The client has these, as far as anybody can know."""
        if not self._kept:
            return
        for stanza in stanzas:
            _, taken = self._kept.pop(id(stanza), (stanza, None))
            if taken is not None:
                taken()

    def say(self, element: Element) -> None:
        """Queue what is no stanza, for this stream: it is lost with it."""
        if self.gone is None:
            nonza = Nonza(element)
            if not self.queue:
                self.queue_since = self.host.clock.monotonic()
            self.queue.append(nonza)
            self.queued_octets += len(nonza.write())
            if self.acks is not None:
                self.acks.said()
            if self._is_full():
                self._overflow()
            self.wake()

    def _overflow(self) -> None:
        self.drain()
        if self._is_full():
            self.end(StreamError("resource-constraint", "the client reads too slowly"))

    async def room(self) -> bool:
        """Wait until what waits for the client is half of what may at most; whether it is now.

        If not, the client is gone, or acknowledges nothing, or cannot be heard for all that it
        sends. For who gives it much that it has asked for itself, in the handler of that: what
        the client acknowledges is read meanwhile. Nobody else waits for a client.
        """
        if self._is_full(2):
            self.drain()
            if self.queue:
                await self.writable()
                self.drain()
            while self._is_full(2) and self.acks is not None and await self.acks.more():
                continue
        return self._is_taken() and not self._is_full(2)

    def _is_taken(self) -> bool:
        """Whether there is somebody to write to, as far as is known."""
        is_paused = self.acks is not None and self.acks.is_paused
        return self.ended is None and self.gone is None and not is_paused

    def _is_full(self, times: int = 1) -> bool:
        """Whether so many times what waits for the client is more than may."""
        count, octets, limits = len(self.queue), self.queued_octets, self.limits
        if (acks := self.acks) is not None:
            count += len(acks.unacknowledged)
            octets += acks.octets
        return count * times > limits.send_queue or octets * times > limits.send_queue_size

    def unsend(self, stanza: Stanza) -> None:
        """Take this very stanza out of the queue again, if it is still there."""
        for index, queued in enumerate(self.queue):
            if queued is stanza:
                del self.queue[index]
                self.queued_octets -= len(stanza.write())
                return

    def take(self) -> list[Stanza | Nonza]:
        """What is to be written now, each stanza once."""
        taken, octets = self.queue, self.queued_octets
        self.queue, self.queued_octets = [], 0
        if self.acks is not None:
            return self.acks.written(taken, octets)
        if self._kept:
            self.has(taken)
        return taken

    def under_way(self) -> list[tuple[Stanza, float]]:
        """What the client is not known to have, in order; each with the moment at which it came.

        Or an earlier one, if it waits in the queue together with what came then.
        """
        if self.acks is not None:
            return self.acks.under_way(self.queue)
        since = self.queue_since
        return [(each, since) for each in self.queue if not isinstance(each, Nonza)]

    def leavings(self) -> list[tuple[Stanza, float]]:
        """What is under way and not kept elsewhere; from now on it is nobody's."""
        left = self.acks.leavings(self.queue) if self.acks is not None else self.under_way()
        self.queue, self.queued_octets = [], 0
        kept = self._kept or ()
        return [each for each in left if id(each[0]) not in kept]

    def detach(
        self, wake: Callable[[], None] = _nobody, on_end: Callable[[], None] = _nobody
    ) -> None:
        """No connection writes it out any more; `wake` hears of what comes."""
        self.wake, self.on_end = wake, on_end
        self.drain, self.writable, self.hear, self.hand_over = _nobody, _no_wait, _wait, None

    def ask(self, iq: Iq, answered: Callable[[Iq], None]) -> None:
        """Send a request of ours; `answered` gets its result or error, if one comes.

        The oldest unanswered one is forgotten when there are too many.
        """
        if self.awaiting is None:
            self.awaiting = {}
        while len(self.awaiting) >= MAX_AWAITED:
            del self.awaiting[next(iter(self.awaiting))]
        self.awaiting[iq.id or ""] = answered
        self.send(iq)

    def settle(self, iq: Iq) -> None:
        """Take the answer to a request of ours; one to no request is ignored."""
        answered = self.awaiting.pop(iq.id or "", None) if self.awaiting else None
        if answered:
            answered(iq)

    def end(self, error: StreamError | None = None) -> None:
        """End the stream, with `error` as the last word. The first reason counts."""
        if self.ended is None:
            self.ended = error or StreamError("reset", "the session was ended")
            self.on_end()
        self.wake()

    def __repr__(self) -> str:
        return f"<session {self.jid}>"


@dataclass(frozen=True, slots=True)
class SessionBound:
    """A client has a full address and may send."""

    session: Session


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session is gone, and everybody who was told of it has been told so."""

    session: Session
