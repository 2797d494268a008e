"""Password hashing beside the event loop, which it would hold up for milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from .backend import BackendDown

T = TypeVar("T")

WORKERS = 2  # hashes at a time; more would take the processor from the event loop
MAX_WAITING = 256  # hashes that may wait for a worker: a second's work or two


class Hasher:
    """Runs what hashes passwords, in threads, at most `WORKERS` at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(WORKERS)
        self._waiting = 0
        self.iterations = 0  # of all hashing so far

    async def run(self, work: Callable[[], T], iterations: int) -> T:
        """The result of `work`, which costs so many `iterations`.

        Raises `BackendDown` if too many are waiting already.
        """
        if self._waiting >= MAX_WAITING:
            raise BackendDown("too many passwords to check")
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        self.iterations += iterations
        hashing = asyncio.get_running_loop().run_in_executor(None, work)
        # a thread cannot be stopped: who gives up waiting does not give its turn to another
        hashing.add_done_callback(lambda _: self._turns.release())
        return await asyncio.shield(hashing)
