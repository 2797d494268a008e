"""Where a program waits for what others offer; while nobody waits, it is refused."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from .heard import Heard, Line

T = TypeVar("T")


class Door(Generic[T]):
    """Who listens is given each offer, the first of several alone."""

    def __init__(self) -> None:
        self._listening: list[Line[T]] = []

    def listen(self) -> Heard[T]:
        """Offers from now on. Closing it refuses them again."""
        heard: Heard[T] = Heard(self._forget)
        self._listening.append(heard.line)
        return heard

    @property
    def is_open(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listening)

    def give(self, offer: T) -> None:
        """Hand it over; its maker sees to it that few are unanswered."""
        if self._listening:
            self._listening[0].give(offer)

    def end(self) -> None:
        """Nothing is offered any more."""
        for line in self._listening:
            line.end()
        self._listening.clear()

    def _forget(self, heard: Heard[Any]) -> None:
        self._listening = [one for one in self._listening if one is not heard.line]
