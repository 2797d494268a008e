"""Runs handlers: in order within a conversation, beside each other across them.

Reading does not wait for them: who asks for something in a handler finds the answer behind all
that came before it, and one slow conversation is not in the way of the others, or of a ping. So
what came waits here, as long as it has no more than `MOST` octets. Then nothing is read until some
of that is done; meanwhile answers do not come either, and a server or a net that asks whether we
are there may find that we are not.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from types import CoroutineType
from typing import Any

from ..core.errors import StanzaError
from .taken import Ledger, Pool, Taken, current

log = logging.getLogger(__name__)

MOST = 64 << 20  # octets of memory that wait for handlers and listeners; then nothing more is read
TURN = 100  # things that one conversation may have in one turn of the loop
SLOW = 10.0  # seconds of that, until it is said

Handler = Callable[[Any], Any]  # an ordinary function, or one that gives a coroutine
Line = deque[tuple[Handler, Any, Taken, Any]]  # the last: what gives the result already


class Inbox(Pool):
    """Hands things to handlers. A handler that raises ends the task group, and so reaches who
    opened it; but for a `StanzaError` that is `forgiven`."""

    def __init__(
        self, tasks: asyncio.TaskGroup, forgiven: Callable[[Handler, StanzaError], bool]
    ) -> None:
        super().__init__()
        self._tasks, self._forgiven = tasks, forgiven
        self._lines: dict[Hashable, Line] = {}
        self._room: asyncio.Future[None] | None = None  # what `room` waits on
        self._is_ending = False
        self.has_crashed = False

    # --- how much there is -----------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether too much waits."""
        return self.octets >= MOST and not self._is_ending

    def less(self, octets: int) -> None:
        """See `Pool.less`."""
        self.octets -= octets
        if self._room is not None and not self.is_full:
            self._let_in()

    def end(self) -> None:
        """Nobody waits for room any more: little comes, or nothing."""
        self._is_ending = True
        self._let_in()

    def _let_in(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    async def room(self) -> None:
        """Wait while too much waits. Whoever wrote what is slow would like to know."""
        late = asyncio.get_running_loop().call_later(SLOW, self._complain)
        try:
            while self.is_full:
                self._room = self._room or asyncio.get_running_loop().create_future()
                await asyncio.shield(self._room)
        finally:
            late.cancel()

    def _complain(self) -> None:
        longest = max(self._lines.values(), key=len, default=None)
        if longest:
            name = getattr(longest[0][0], "__qualname__", repr(longest[0][0]))
            text = "nothing is read: %d octets wait for handlers, %d things for %s alone"
            log.warning(text, self.octets, len(longest), name)
        else:
            log.warning("nothing is read: %d octets wait for who listens", self.octets)

    # --- handing over ----------------------------------------------------------------

    def taken(self, thing: Any, ledger: Ledger | None = None) -> Taken:
        """What has come now, held by who asks."""
        taken = Taken(self, thing, ledger)
        if ledger is not None:
            ledger.add(taken)
        return taken

    def followed(self) -> Taken | None:
        """What we are being told, if what is told now follows from it."""
        taken = current.get()
        return taken if taken is not None and taken.parts and taken.pool is self else None

    async def tell(
        self,
        about: Hashable,
        handlers: Iterable[Handler],
        thing: Any,
        after: Callable[[Handler], Handler] | None = None,
    ) -> None:
        """Hand `thing` to each, after all that was `about` the same; and then to what comes
        `after` it.

        Waits for nothing but room, and not in what follows from something that came: who reads
        waits for that.
        """
        taken = self.followed()
        if taken is not None:
            self._hand_to(about, handlers, thing, after, taken)
            return
        taken, before = self.taken(thing), current.get()
        current.set(taken)
        try:
            self._hand_to(about, handlers, thing, after, taken)
        finally:
            current.set(before)
            taken.release()
        if taken.parts and self.is_full:
            await self.room()

    def _hand_to(
        self,
        about: Hashable,
        handlers: Iterable[Handler],
        thing: Any,
        after: Callable[[Handler], Handler] | None,
        taken: Taken,
    ) -> None:
        for handler in handlers:
            self.hand((about, handler), handler, thing, taken)
            if after is not None:
                self.hand((about, handler), after(handler), thing, taken)

    def keep(self, key: Hashable, handler: Handler, thing: Any) -> None:
        """As `hand`, of what came before, and never at once."""
        taken = self.taken(thing)
        self._line(key).append((handler, thing, taken, None))

    def _line(self, key: Hashable) -> Line:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = deque()
            self._tasks.create_task(self._work(key, line))
        return line

    def hand(self, key: Hashable, handler: Handler, thing: Any, taken: Taken) -> None:
        """Run `handler` on `thing` once all that came before under `key` is done."""
        begun = None
        if key not in self._lines:
            try:
                begun = handler(thing)
            except Exception as error:
                self.fail(handler, error)
                return
            if begun.__class__ is not CoroutineType and not _is_awaitable(begun):
                return
        taken.hold()
        self._line(key).append((handler, thing, taken, begun))

    async def _work(self, key: Hashable, line: Line) -> None:
        """One conversation, until nothing waits in it. What fails is never done."""
        done = 0
        try:
            while line:
                handler, thing, taken, begun = line.popleft()
                current.set(taken)
                try:
                    begun = handler(thing) if begun is None else begun
                    if begun.__class__ is CoroutineType or _is_awaitable(begun):
                        await begun
                except StanzaError as error:
                    if not self._forgiven(handler, error):
                        raise
                taken.release()
                done += 1
                if not done % TURN:  # others first, also where a handler waits for nothing
                    await asyncio.sleep(0)
        except Exception:
            self.has_crashed = True
            raise
        finally:
            if self._lines.get(key) is line:
                del self._lines[key]

    def clear(self) -> None:
        """What was not begun never will be."""
        for line in self._lines.values():
            for _, _, _, begun in line:
                if inspect.iscoroutine(begun):
                    begun.close()
        self._lines.clear()

    def fail(self, handler: Handler, error: Exception) -> None:
        """Let it reach who opened the client, if it is not forgiven."""
        if not isinstance(error, StanzaError) or not self._forgiven(handler, error):
            self.has_crashed = True
            self._tasks.create_task(_crash(error))


def _is_awaitable(thing: object) -> bool:
    return thing is not None and inspect.isawaitable(thing)


async def _crash(error: Exception) -> None:
    raise error
