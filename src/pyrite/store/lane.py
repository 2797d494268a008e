"""Work on its way from the event loop to threads, and its results on their way back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

from .errors import StoreBusy, StoreClosed

T = TypeVar("T")

HELD: Final = 16_384  # callers that may wait for a place; each is one suspended coroutine


class Job(Generic[T]):
    """One function and, once a thread has called it, its result or error."""

    __slots__ = ("done", "error", "function", "is_alone", "result")

    def __init__(
        self,
        function: Callable[[sqlite3.Connection], T],
        done: asyncio.Future[T],
        is_alone: bool = False,
    ) -> None:
        self.function, self.done = function, done
        self.is_alone = is_alone  # in no transaction
        self.result: T | None = None
        self.error: BaseException | None = None


class Lane:
    """Holds `limit` jobs at most; who comes then is held back for `patience` seconds.

    `queue` is the threads' end: they take jobs from it, `None` tells one of them to end.
    """

    def __init__(self, limit: int, patience: float) -> None:
        self.queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._limit, self._patience = limit, patience
        self._inside = 0  # jobs given to threads and not yet settled
        self._held: deque[asyncio.Future[None]] = deque()
        self._finished: deque[Job[Any]] = deque()
        self._is_woken = False
        self._drained: asyncio.Future[None] | None = None  # there once the lane is closed

    @property
    def waiting(self) -> int:
        """Jobs that are under way, and callers that are held back."""
        return self._inside + len(self._held)

    async def do(self, function: Callable[[sqlite3.Connection], T], *, is_alone: bool = False) -> T:
        """What `function` returns, or raises, in a thread.

        Cancelling the caller does not stop it. Raises `StoreBusy`, `StoreClosed`.
        """
        if self._drained is not None:
            raise StoreClosed("the store is closed")
        if self._inside >= self._limit or self._held:
            await self._place()
        else:
            self._inside += 1
        job: Job[T] = Job(function, self._loop.create_future(), is_alone)
        self.queue.put(job)
        return await job.done

    def finish(self, jobs: list[Job[Any]]) -> None:
        """Called by a thread: give `jobs` back, waking the loop once for all that is waiting."""
        self._finished.extend(jobs)
        if not self._is_woken:
            self._is_woken = True
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(self._settle)

    async def drain(self) -> None:
        """Let no more in, and return when all that was accepted or held back is done."""
        if self._drained is None:
            self._drained = self._loop.create_future()
            self._end_if_drained()
        await asyncio.shield(self._drained)

    def _settle(self) -> None:
        self._is_woken = False  # before the jobs are taken: what comes later wakes us again
        while self._finished:
            job = self._finished.popleft()
            self._inside -= 1
            if job.done.done():
                continue  # its caller was cancelled
            if job.error is not None:
                job.done.set_exception(job.error)
            else:
                job.done.set_result(job.result)
        self._let_in()

    async def _place(self) -> None:
        """Wait for a place inside, which is then taken."""
        if len(self._held) >= HELD:
            raise StoreBusy("too many wait for the store")
        place = self._loop.create_future()
        self._held.append(place)
        timer = self._loop.call_later(self._patience, self._refuse, place)
        try:
            await place
        except asyncio.CancelledError:
            if place in self._held:
                self._held.remove(place)
            elif not place.cancelled() and place.exception() is None:
                self._inside -= 1  # it was let in at the same moment
            self._let_in()
            raise
        finally:
            timer.cancel()

    def _let_in(self) -> None:
        while self._held and self._inside < self._limit:
            place = self._held.popleft()
            if not place.cancelled():
                self._inside += 1
                place.set_result(None)
        self._end_if_drained()

    def _refuse(self, place: asyncio.Future[None]) -> None:
        if not place.done():
            self._held.remove(place)
            place.set_exception(StoreBusy(f"no place in the store for {self._patience:g} s"))
            self._end_if_drained()

    def _end_if_drained(self) -> None:
        drained = self._drained
        if drained is not None and not drained.done() and not self._inside and not self._held:
            drained.set_result(None)
