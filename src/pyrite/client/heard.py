"""What has happened, for whoever goes through it with ``async for``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

BUFFERED = 100  # things that wait for the loop's next turn; then their senders do


class Heard(Generic[T]):
    """All that comes from the moment it was made, in order, until the client is closed.

    In ``async with``, or when the loop over it is left with `close`, nothing more is kept for it.
    """

    def __init__(self, close: Callable[[Heard[Any]], None]) -> None:
        self._queue: asyncio.Queue[T | None] = asyncio.Queue(BUFFERED)
        self._close = close
        self._is_over = False

    async def put(self, thing: T) -> None:
        """Give it `thing`, when there is room."""
        if not self._is_over:
            await self._queue.put(thing)

    def give(self, thing: T) -> None:
        """As `put`, of what came before anybody listened; what does not fit is gone."""
        if not self._is_over and not self._queue.full():
            self._queue.put_nowait(thing)

    @property
    def waiting(self) -> int:
        """How many are here already."""
        return self._queue.qsize()

    def end(self) -> None:
        """Nothing comes any more; what is here is still given out."""
        if not self._is_over:
            self._is_over = True
            if self._queue.empty():
                self._queue.put_nowait(None)

    def close(self) -> None:
        """Listen no more."""
        self._close(self)
        self._is_over = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self) -> T:
        """The next one. Raises `StopAsyncIteration` at the end."""
        if self._is_over and self._queue.empty():
            raise StopAsyncIteration
        thing = await self._queue.get()
        if thing is None:
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
