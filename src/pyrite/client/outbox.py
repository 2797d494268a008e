"""What is to be sent, in order, and what the server has not answered for yet (XEP-0198)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from ..core.ack import Acks, WrongCountError
from ..core.errors import StreamError
from ..core.payload import encode
from ..core.stanza import NS, Iq, Message, Stanza
from ..core.xml import write
from ..wire import acks as wire
from .errors import SessionReset
from .receipt import Receipt

BATCH = 16 * 1024  # octets that are written at a time
MOST = 1000  # stanzas that may wait, for the net or for the server's answer; then senders do

_ASK = write(encode(wire.Ask()), NS)


def _nothing() -> None:
    """Nobody wants to know."""


class Outgoing(NamedTuple):
    """A stanza, and who wants to know what becomes of it."""

    stanza: Stanza
    receipt: Receipt | None


class Outbox:
    """Outlives connections. `wake` says that there is something for `fill`; `asked` and
    `answered`, that the server is to acknowledge, and has done so."""

    def __init__(
        self,
        wake: Callable[[], None],
        asked: Callable[[], None] = _nothing,
        answered: Callable[[], None] = _nothing,
    ) -> None:
        self._wake, self._is_asked, self._is_answered = wake, asked, answered
        self._queue: deque[Outgoing] = deque()
        self._control: list[str] = []  # beside the stanzas: not counted, and not kept
        self.acks: Acks[Outgoing] | None = None  # None: the server does not answer
        self._asked = False
        self._room: asyncio.Event = asyncio.Event()
        self._room.set()

    def __len__(self) -> int:
        return len(self._queue) + (len(self.acks.unacknowledged) if self.acks else 0)

    @property
    def is_full(self) -> bool:
        """Whether too much waits."""
        return len(self) >= MOST

    async def room(self) -> None:
        """Wait while too much waits."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()

    async def emptied(self) -> None:
        """Wait until all is sent, and answered for where the server does so."""
        while len(self):
            self._room.clear()
            await self._room.wait()

    def put(self, stanza: Stanza, receipt: Receipt | None = None) -> None:
        """Send it after all that was put before."""
        self._queue.append(Outgoing(stanza, receipt))
        self._wake()

    def withdraw(self, id: str) -> None:
        """Do not send the request `id`, for whose answer nobody waits, if it is not sent yet."""
        kept = [one for one in self._queue if one.stanza.id != id or one.stanza.__class__ is not Iq]
        if len(kept) < len(self._queue):
            self._queue = deque(kept)
            self._room.set()

    def fill(self) -> list[str]:
        """What to write now, one text for each stanza or element."""
        texts, self._control = self._control, []
        size, taken = 0, []
        while self._queue and size < BATCH:
            outgoing = self._queue.popleft()
            text = outgoing.stanza.write()
            size += len(text)
            texts.append(text)
            taken.append(outgoing)
        if self.acks is not None:
            self.acks.send(taken)
            if self.acks.unacknowledged and not self._asked:
                self._asked = True
                self._is_asked()
                texts.append(_ASK)
        for outgoing in taken:
            if outgoing.receipt is not None:
                outgoing.receipt.written.reach()
                if self.acks is None:
                    outgoing.receipt.unacknowledged()
        if self._queue:
            self._wake()
        if taken and self.acks is None:
            self._room.set()
        return texts

    def say(self, nonza: Any) -> None:
        """Send what is no stanza, before those that wait. It goes with this connection or never."""
        self._control.append(write(encode(nonza), NS))
        self._wake()

    # --- acknowledgements ------------------------------------------------------------

    def answer(self) -> None:
        """Tell the server how much we have handled."""
        if self.acks is not None:
            self._control.append(write(encode(wire.Ack(self.acks.handled)), NS))
            self._wake()

    def acknowledged(self, h: int) -> None:
        """The server answers for so many. Raises `StreamError` where that cannot be (§6)."""
        if self.acks is None:
            raise StreamError("policy-violation", "an answer to nothing")
        try:
            done = self.acks.acknowledge(h)
        except WrongCountError as error:
            raise wire.stream_error(error) from None
        for outgoing in done:
            if outgoing.receipt is not None:
                outgoing.receipt.acked.reach()
        self._asked = False
        self._is_answered()
        self._room.set()
        if self.acks.unacknowledged:
            self._wake()

    # --- between connections ---------------------------------------------------------

    def resume(self, h: int) -> None:
        """The session goes on: `h` arrived, what came after it is sent again first (§5)."""
        self.acknowledged(h)
        if self.acks is not None:
            self._queue.extendleft(reversed(self.acks.rewind()))
        self._control.clear()
        self._asked = False

    def reset(self, h: int | None, *, with_acks: bool) -> list[Message]:
        """A new session. The messages of the old one of which it is not known that they arrived.

        `h` of what had arrived, if the server still knows. What was not a message is forgotten:
        it was about the old session.
        """
        if self.acks is not None and h is not None:
            with suppress(StreamError):  # another count than ours: then nothing is known
                self.acknowledged(h)
        lost = [*(self.acks.rewind() if self.acks is not None else ()), *self._queue]
        self._queue.clear()
        self._control.clear()
        self.acks = Acks() if with_acks else None
        self._asked = False
        self._room.set()
        for outgoing in lost:
            if outgoing.receipt is not None:
                outgoing.receipt.fail(SessionReset("the session was lost"))
        return [o.stanza for o in lost if isinstance(o.stanza, Message)]
