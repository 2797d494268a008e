"""Runs handlers: in order within a conversation, beside each other across them."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

log = logging.getLogger(__name__)

MOST = 1000  # things that wait for handlers; then nothing more is read
SLOW = 10.0  # seconds of that, until it is said

Handler = Callable[[Any], Any]  # an ordinary function, or one that gives a coroutine


class Inbox:
    """Hands things to handlers. A handler that raises ends the task group, and so reaches who
    opened it."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._lines: dict[Hashable, deque[tuple[Handler, Any]]] = {}
        self._waiting = 0
        self.has_crashed = False
        self._room = asyncio.Event()
        self._room.set()

    async def hand(self, key: Hashable, handler: Handler, thing: Any) -> None:
        """Run `handler` on `thing` once all that came before under `key` is done.

        Waits for nothing but room.
        """
        line = self._lines.get(key)
        if line is None and not inspect.iscoroutinefunction(handler):
            try:
                result = handler(thing)
            except Exception as error:
                self.has_crashed = True
                self._tasks.create_task(_crash(error))
                return
            if not inspect.isawaitable(result):
                return
            handler, thing = _given, result  # a coroutine that somebody else has made
        self.keep(key, handler, thing)
        if self._waiting >= MOST:
            self._room.clear()
            await self._until_room(handler)

    def keep(self, key: Hashable, handler: Handler, thing: Any) -> None:
        """As `hand`, but never at once, and without waiting for room."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = deque()
            self._tasks.create_task(self._work(key, line))
        line.append((handler, thing))
        self._waiting += 1

    async def _until_room(self, handler: Handler) -> None:
        """Nothing more is read meanwhile: whoever wrote what is slow would like to know."""
        name = getattr(handler, "__qualname__", repr(handler))
        text = "nothing is read: %d things wait for handlers, the last for %s"
        late = asyncio.get_running_loop().call_later(SLOW, log.warning, text, self._waiting, name)
        try:
            await self._room.wait()
        finally:
            late.cancel()

    async def _work(self, key: Hashable, line: deque[tuple[Handler, Any]]) -> None:
        """One conversation, until nothing waits in it."""
        try:
            while line:
                handler, thing = line.popleft()
                self._waiting -= 1
                if self._waiting < MOST // 2:
                    self._room.set()
                result = handler(thing)
                if inspect.isawaitable(result):
                    await result
        except Exception:
            self.has_crashed = True
            raise
        finally:
            self._waiting -= len(line)
            self._room.set()
            if self._lines.get(key) is line:
                del self._lines[key]


async def _crash(error: Exception) -> None:
    raise error


async def _given(coroutine: Any) -> None:
    await coroutine
