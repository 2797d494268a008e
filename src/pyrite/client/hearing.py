"""Who wants to know what happens: functions that are called, and loops that go through it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from ..wire.message import kind
from .feature import MessageReceived
from .heard import Heard, Line
from .state import Closed, Online, Reset, State, Suspended

E = TypeVar("E")
R = TypeVar("R")

Handler = Callable[[E], R]  # an ordinary function, or one that gives a coroutine


class Hearing:
    """Event -> those who are told of it, in the order in which they came."""

    def __init__(self) -> None:
        self._hearers: dict[type, list[Callable[[Any], Any]]] = defaultdict(list)
        self._lines: set[Line[Any]] = set()  # of those who go through it
        self._is_over = False  # the last has been told
        self.knows_end = False  # the program hears why it is over, or has brought it about

    def on(self, event: type[E]) -> Callable[[Handler[E, R]], Handler[E, R]]:
        """Let the decorated function be told of `event`, until the client is closed."""

        def remember(handler: Handler[E, R]) -> Handler[E, R]:
            self._listen(event)
            self._hearers[event].append(handler)
            return handler

        return remember

    def hear(self, event: type[E]) -> Heard[E]:
        """Each `event` from now on, to go through with ``async for``."""
        return self._hear(event)

    def lifecycle(self) -> Heard[State]:
        """What becomes of the session, from now on; the last is `Closed`.

        Who listens learns here why it is over, and not at the end of the block.
        """
        return self._hear(Online, Suspended, Reset, Closed)

    def messages(self, type: str | None = None) -> Heard[MessageReceived]:
        """The messages of all conversations, from now on; or those of one type, as ``chat``.

        One of no type, or of an unknown one, is ``normal`` (RFC 6121 §5.2.2).
        """
        if type is None:
            return self.hear(MessageReceived)
        return self._hear(MessageReceived, wanted=lambda event: kind(event.message) == type)

    def _hear(self, *events: type[Any], wanted: Callable[[Any], bool] | None = None) -> Heard[Any]:
        heard: Heard[Any] = Heard(self._forget, wanted)
        self._lines.add(heard.line)
        for event in events:
            self._listen(event)
            self._hearers[event].append(heard.line.put)
        if self._is_over:
            heard.end()
        return heard

    def _listen(self, event: type[Any]) -> None:
        """The program wants to know."""
        self.knows_end = self.knows_end or event is Closed

    def _forget(self, heard: Heard[Any]) -> None:
        line = heard.line
        self._lines.discard(line)
        for hearers in self._hearers.values():
            hearers[:] = [one for one in hearers if one != line.put]
