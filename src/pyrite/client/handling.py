"""Knows when everybody who was told of a message has done with it."""

from __future__ import annotations

from collections.abc import Callable


class Handling:
    """One message that is being told. `done` is called when nobody is at it any more."""

    __slots__ = ("_done", "_left", "_unsure")

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._left = self._unsure = 0

    def add(self) -> None:
        """One more is told."""
        self._left += 1

    def drop(self) -> None:
        """One of them has done with it."""
        self._left -= 1
        self.settle()

    def leave(self) -> None:
        """One of them will not go on; whether it has done, or has crashed, will show."""
        self._unsure += 1

    def settle_left(self) -> None:
        """Who has left had done with it."""
        if self._unsure:
            self._left, self._unsure = self._left - self._unsure, 0
            self.settle()

    def settle(self) -> None:
        """It is done, if nobody is at it."""
        if self._left == 0:
            self._done()
