"""What has happened, for whoever goes through it with ``async for``.

What waits for a listener counts among what waits for the program (`inbox`): one that is slow, or
listens no more and does not say so, is in nobody's way until that is too much for all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from .handling import Handling
from .taken import Taken, current

T = TypeVar("T")

BUFFERED = 100  # things that wait for the loop's next turn, if they follow from nothing that came


class Line(Generic[T]):
    """What waits for one listener. Who tells holds this, and so does not keep the listener."""

    __slots__ = (
        *("_given", "_news", "_things", "_turn", "_wanted"),
        *("given", "handled", "is_idle", "is_over"),
    )

    def __init__(self, wanted: Callable[[T], bool] | None) -> None:
        self._things: deque[tuple[T, Taken | None]] = deque()
        self._given: Taken | None = None  # what the listener has had last
        self._news = asyncio.Event()  # there is more, or less
        self._turn = BUFFERED  # things that it may have before the loop has its turn
        self.given = 0  # things, to the listener
        self.is_idle = False  # it has asked for the next: it has done with those
        self.handled: deque[tuple[int, Handling]] = deque()  # when so many are done with
        self._wanted = wanted
        self.is_over = False

    def __len__(self) -> int:
        return len(self._things)

    def wants(self, thing: T) -> bool:
        """Whether it is for this listener."""
        return not self.is_over and (self._wanted is None or self._wanted(thing))

    def follow(self, thing: T, handling: Handling) -> None:
        """`thing`, which was put just now, is handled when the listener asks for the next."""
        handling.add()
        number = self.given + len(self._things)
        if not self.wants(thing) or (self.is_idle and number <= self.given):
            handling.drop()
        else:
            self.handled.append((number, handling))

    def done(self) -> None:
        """The listener has done with all that it was given."""
        self.is_idle = True
        given, self._given = self._given, None
        if given is not None:
            given.release()
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
        taken = current.get()
        if taken is not None and taken.parts:
            taken.hold()
            self._add(thing, taken)
        elif len(self._things) >= BUFFERED:
            return self._put_later(thing)
        else:
            self._add(thing, None)
        return None

    def keep(self, thing: T) -> None:
        """As `put`, of what came before anybody listened."""
        if self.wants(thing):
            self._add(thing, None)

    async def _put_later(self, thing: T) -> None:
        while len(self._things) >= BUFFERED and not self.is_over:
            self._news.clear()
            await self._news.wait()
        if not self.is_over:
            self._add(thing, None)

    def _add(self, thing: T, taken: Taken | None) -> None:
        self._things.append((thing, taken))
        self._news.set()

    def give(self, thing: T) -> None:
        """As `put`, of what came before anybody listened; what does not fit is gone."""
        if not self.is_over and len(self._things) < BUFFERED:
            self._add(thing, None)

    async def next(self) -> T:
        """The next one; who asks is done with the one before. Raises `StopAsyncIteration`."""
        self.done()
        while not self._things:
            if self.is_over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if not self._turn:  # others first, also where a listener waits for nothing else
            self._turn = BUFFERED
            await asyncio.sleep(0)
            return await self.next()
        self._turn -= 1
        thing, self._given = self._things.popleft()
        self.given, self.is_idle = self.given + 1, False
        self._news.set()
        return thing

    def end(self) -> None:
        """Nothing comes any more; what is here is still given out."""
        self.is_over = True
        self._news.set()

    def clear(self, *, is_sure: bool) -> None:
        """Nobody listens any more: who waits for room goes on. `is_sure`: and that is fine."""
        self.end()
        if not is_sure and self._given is not None:
            self._given.leave()
            self._given = None
        self.leave(is_sure=is_sure)
        self.done()
        while self._things:
            if (taken := self._things.popleft()[1]) is not None:
                taken.release()


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
        return len(self.line)

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
        return await self.line.next()

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
