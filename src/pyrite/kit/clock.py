"""The time, given rather than taken, so that a test can move it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Never make the call; nothing happens if it was made."""


class Clock(Protocol):
    """What may be asked about time."""

    def now(self) -> datetime:
        """The date and time, aware and in UTC: for people and for storage."""

    def micros(self) -> int:
        """The same as whole microseconds since 1970, where that is all that is wanted of it."""

    def monotonic(self) -> float:
        """Seconds since some moment; never steps back: for deadlines and rates."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the running loop once `delay` seconds have passed."""

    async def sleep(self, delay: float) -> None:
        """Return once `delay` seconds have passed."""


class SystemClock:
    """The machine's own time."""

    __slots__ = ()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def micros(self) -> int:
        return time.time_ns() // 1000

    monotonic = staticmethod(time.monotonic)  # every stanza asks

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay, callback)

    async def sleep(self, delay: float) -> None:
        await asyncio.sleep(delay)


class ManualClock:
    """A clock for tests: it stands still until it is told to move."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._order = count()  # timers due at the same moment run in the order they were set
        self._timers: list[tuple[float, int, _ManualTimer]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def micros(self) -> int:
        return (self.now() - EPOCH) // MICROSECOND

    def monotonic(self) -> float:
        return self._elapsed

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = _ManualTimer(callback)
        heappush(self._timers, (self._elapsed + max(delay, 0.0), next(self._order), timer))
        return timer

    async def sleep(self, delay: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self.call_later(delay, wake)
        try:
            await woken
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Move on, and make every call that falls due on the way, each at its own moment.

        Calls that are set by these calls are made too if they fall due. An exception of a
        call ends the move at that moment. Coroutines that sleep run when the loop does.
        """
        if seconds < 0:
            raise ValueError("time does not go back")
        target = self._elapsed + seconds
        while self._timers and self._timers[0][0] <= target:
            due, _, timer = heappop(self._timers)
            self._elapsed = max(self._elapsed, due)
            timer.run()
        self._elapsed = target

    def set(self, now: datetime) -> None:
        """As when somebody sets the machine's clock: another date, and no time has passed."""
        self._start = now - timedelta(seconds=self._elapsed)

    @property
    def pending(self) -> int:
        """How many calls are still to be made."""
        return sum(timer.is_pending for _, _, timer in self._timers)

    @property
    def ahead(self) -> float | None:
        """Seconds until the next call is to be made; None when there is none."""
        due = [due for due, _, timer in self._timers if timer.is_pending]
        return min(due) - self._elapsed if due else None


class _ManualTimer:
    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    @property
    def is_pending(self) -> bool:
        return self._callback is not None

    def cancel(self) -> None:
        self._callback = None

    def run(self) -> None:
        callback, self._callback = self._callback, None
        if callback:
            callback()
