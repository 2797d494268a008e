"""What has happened, for whoever goes through it with ``async for``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from .handling import Handling

T = TypeVar("T")

BUFFERED = 100  # things that wait for the loop's next turn; then their senders do


class Line(Generic[T]):
    """What waits for one listener. Who tells holds this, and so does not keep the listener."""

    __slots__ = ("_wanted", "given", "handled", "is_idle", "is_over", "queue")

    def __init__(self, wanted: Callable[[T], bool] | None, room: int = BUFFERED) -> None:
        self.queue: asyncio.Queue[T | None] = asyncio.Queue(room)  # None is the end
        self.is_over = False
        self.given = 0  # things, to the listener
        self.is_idle = False  # it has asked for the next: it has done with those
        self.handled: deque[tuple[int, Handling]] = deque()  # when so many are done with
        self._wanted = wanted

    def wants(self, thing: T) -> bool:
        """Whether it is for this listener."""
        return not self.is_over and (self._wanted is None or self._wanted(thing))

    def follow(self, thing: T, handling: Handling) -> None:
        """`thing`, which was put just now, is handled when the listener asks for the next."""
        handling.add()
        number = self.given + self.queue.qsize()
        if not self.wants(thing) or (self.is_idle and number <= self.given):
            handling.drop()
        else:
            self.handled.append((number, handling))

    def done(self) -> None:
        """The listener has done with all that it was given."""
        self.is_idle = True
        while self.handled and self.handled[0][0] <= self.given:
            self.handled.popleft()[1].drop()

    def leave(self, *, is_sure: bool) -> None:
        """The listener goes, and has done with all. `is_sure`: it has not crashed."""
        while self.handled:
            _, handling = self.handled.popleft()
            handling.drop() if is_sure else handling.leave()

    def put(self, thing: T) -> Coroutine[Any, Any, None] | None:
        """Give it `thing`; when there is room, if this gives something to await."""
        if not self.wants(thing):
            return None
        if self.queue.full():
            return self.queue.put(thing)
        self.queue.put_nowait(thing)
        return None

    def give(self, thing: T) -> None:
        """As `put`, of what came before anybody listened; what does not fit is gone."""
        if not self.is_over and not self.queue.full():
            self.queue.put_nowait(thing)

    def end(self) -> None:
        """Nothing comes any more; what is here is still given out."""
        if not self.is_over:
            self.is_over = True
            if not self.queue.full():  # else nobody waits, and who comes sees that it is over
                self.queue.put_nowait(None)

    def clear(self, *, is_sure: bool) -> None:
        """Nobody listens any more: who waits for room goes on. `is_sure`: and that is fine."""
        self.is_over = True
        self.leave(is_sure=is_sure)
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Heard(Generic[T]):
    """All that comes from the moment it was made, in order, until the client is closed.

    The first that tells messages begins with those that came before it.

    When the loop over it is left, and nobody else has it, nothing more is kept for it; `close`,
    or ``async with``, says so where a name still holds it.
    """

    def __init__(
        self,
        close: Callable[[Heard[T]], None],
        wanted: Callable[[T], bool] | None = None,
        room: int = BUFFERED,
    ) -> None:
        """`wanted`: what it is not true of is passed over."""
        self.line: Line[T] = Line(wanted, room)
        self._close = close

    async def put(self, thing: T) -> None:
        """Give it `thing`, when there is room."""
        if (waiting := self.line.put(thing)) is not None:
            await waiting

    def give(self, thing: T) -> None:
        """As `put`, of what came before anybody listened; what does not fit is gone."""
        self.line.give(thing)

    @property
    def waiting(self) -> int:
        """How many are here already."""
        return self.line.queue.qsize() if not self.line.is_over else self._left()

    def _left(self) -> int:
        """How many are here before the end."""
        queue = self.line.queue
        return queue.qsize() if queue.full() else max(0, queue.qsize() - 1)

    def end(self) -> None:
        """Nothing comes any more; what is here is still given out."""
        self.line.end()

    def close(self) -> None:
        """Listen no more."""
        self._leave(is_sure=True)

    def _leave(self, *, is_sure: bool) -> None:
        self._close(self)
        self.line.clear(is_sure=is_sure)

    def __del__(self) -> None:
        if not self.line.is_over:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits for room
                self._leave(is_sure=False)  # the loop was left, or has crashed

    async def next(self) -> T:
        """The next one. Raises `StopAsyncIteration` at the end."""
        line = self.line
        line.done()
        if line.is_over and line.queue.empty():
            raise StopAsyncIteration
        thing = await line.queue.get()
        if thing is None:
            if line.queue.empty():
                line.queue.put_nowait(None)  # for whoever else waits
            raise StopAsyncIteration
        line.given, line.is_idle = line.given + 1, False
        return thing

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        return await self.next()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._leave(is_sure=error is None)
