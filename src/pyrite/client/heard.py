"""What has happened, for whoever goes through it with ``async for``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

BUFFERED = 100  # things that wait for the loop's next turn; then their senders do


class Line(Generic[T]):
    """What waits for one listener. Who tells holds this, and so does not keep the listener."""

    __slots__ = ("_wanted", "is_over", "queue")

    def __init__(self, wanted: Callable[[T], bool] | None) -> None:
        self.queue: asyncio.Queue[T | None] = asyncio.Queue(BUFFERED)  # None is the end
        self.is_over = False
        self._wanted = wanted

    def put(self, thing: T) -> Coroutine[Any, Any, None] | None:
        """Give it `thing`; when there is room, if this gives something to await."""
        if self.is_over or (self._wanted is not None and not self._wanted(thing)):
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

    def clear(self) -> None:
        """Nobody listens any more: who waits for room goes on."""
        self.is_over = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Heard(Generic[T]):
    """All that comes from the moment it was made, in order, until the client is closed.

    When the loop over it is left, and nobody else has it, nothing more is kept for it; `close`,
    or ``async with``, says so where a name still holds it.
    """

    def __init__(
        self, close: Callable[[Heard[T]], None], wanted: Callable[[T], bool] | None = None
    ) -> None:
        """`wanted`: what it is not true of is passed over."""
        self.line: Line[T] = Line(wanted)
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
        self._close(self)
        self.line.clear()

    def __del__(self) -> None:
        if not self.line.is_over:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits for room
                self.close()

    async def next(self) -> T:
        """The next one. Raises `StopAsyncIteration` at the end."""
        line = self.line
        if line.is_over and line.queue.empty():
            raise StopAsyncIteration
        thing = await line.queue.get()
        if thing is None:
            if line.queue.empty():
                line.queue.put_nowait(None)  # for whoever else waits
            raise StopAsyncIteration
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
        self.close()
