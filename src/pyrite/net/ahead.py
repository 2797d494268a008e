"""What a peer says while a handler waits for it to say something."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

E = TypeVar("E")

EVENTS = 1000  # that are kept for later; then nothing more is read
OCTETS = 256 * 1024  # that these were, but for the last of them


class Ahead(Generic[E]):
    """Events read ahead of a handler that has not ended: taken out of turn, or kept for later."""

    __slots__ = ("_later", "_octets", "_silence", "_take", "_uncounted")

    def __init__(self) -> None:
        self._later: deque[tuple[E, int]] = deque()  # each with the octets that brought it
        self._octets = 0
        self._uncounted = 0  # octets of which no event has come yet
        self._take: Callable[[E], bool] | None = None
        self._silence: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """How many are kept for later."""
        return len(self._later)

    @property
    def is_heard(self) -> bool:
        """Whether somebody listens."""
        return self._take is not None

    @property
    def is_far(self) -> bool:
        """Whether no more may be read."""
        return len(self._later) > EVENTS or self._octets > OCTETS

    def begin(self, take: Callable[[E], bool]) -> asyncio.Future[None]:
        """Listen; what is returned is done when nothing more is to be heard."""
        self._take, self._uncounted = take, 0
        self._silence = asyncio.get_running_loop().create_future()
        return self._silence

    def stop(self) -> None:
        """Listen no more."""
        self._take = self._silence = None

    def add(self, events: Iterable[E], octets: int) -> None:
        """Let whoever listens take what it wants of `events`, which came in so many octets."""
        take, later = self._take, self._later
        self._uncounted += octets
        for event in events:
            if take is None or not take(event):
                later.append((event, self._uncounted))  # to nobody, if `take` ended all
                self._octets += self._uncounted
                self._uncounted = 0
        if self.is_far:
            self.silence()

    def next(self) -> E | None:
        """The next that was kept for later, if there is any."""
        if not self._later:
            return None
        event, octets = self._later.popleft()
        self._octets -= octets
        return event

    def silence(self) -> None:
        """Nothing more is to be heard."""
        if self._silence is not None and not self._silence.done():
            self._silence.set_result(None)

    def drop(self) -> None:
        """Forget all, for it will not be handled."""
        self._later, self._octets = deque(), 0
        self.silence()
