"""What the connections of one event loop share."""

from __future__ import annotations

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary

READ_SIZE = 16 * 1024  # octets read at once


class Flushed(Protocol):
    """Something that has something to write."""

    def flush(self) -> None: ...


class Shared:
    """A read buffer, whose content is used up before the loop reads again; and who has to write.

    However many connections have something to write, the loop gets one callback for a turn.
    """

    __slots__ = ("_dirty", "buffer", "view")

    def __init__(self) -> None:
        self.buffer = bytearray(READ_SIZE)
        self.view = memoryview(self.buffer)
        self._dirty: list[Flushed] = []

    def add(self, connection: Flushed, loop: asyncio.AbstractEventLoop) -> None:
        """Flush `connection` in the next turn of `loop`, which this belongs to."""
        dirty = self._dirty
        if not dirty:
            loop.call_soon(self._flush)
        dirty.append(connection)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()


_BY_LOOP: WeakKeyDictionary[asyncio.AbstractEventLoop, Shared] = WeakKeyDictionary()


def shared(loop: asyncio.AbstractEventLoop) -> Shared:
    """What the connections of `loop` share."""
    found = _BY_LOOP.get(loop)
    if found is None:
        found = _BY_LOOP[loop] = Shared()
    return found
