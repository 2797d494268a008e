"""What was read a moment ago, and is known to be so still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from ...kit.cache import Cache

V = TypeVar("V")
T = TypeVar("T")

SIZE: Final = 256  # owners; for what one client does in a row, and not for all who are online


class Recent(Generic[V]):
    """Remembers the last values that were read, by owner, and forgets each when it changes.

    While anything is being written nothing is remembered: what is read meanwhile may be what
    was before, and be given back after. That ends with the write itself, and not with a
    caller who waits for it no longer.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._values: Cache[str, V] = Cache(size)
        self._writing = self._changes = 0

    def find(self, owner: str) -> V | None:
        """The value, if it is known; None says nothing."""
        return self._values.get(owner)

    async def read(self, owner: str, load: Callable[[], Coroutine[Any, Any, V | None]]) -> V | None:
        """What `load` gives, which is remembered if nothing has changed on the way."""
        changes = self._changes
        value = await load()
        if value is not None and changes == self._changes and not self._writing:
            self._values.put(owner, value)
        return value

    async def change(self, owner: str, write: Coroutine[Any, Any, T]) -> T:
        """What `write` gives, which may change the value of `owner`."""
        self._values.pop(owner)
        self._writing += 1
        self._changes += 1
        writing = asyncio.ensure_future(write)
        writing.add_done_callback(self._written)
        return await asyncio.shield(writing)

    def _written(self, _: object) -> None:
        self._writing -= 1
