"""Who wants to know what happens: functions that are called, and loops that go through it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ..core.errors import StanzaError
from ..core.stanza import Message
from ..wire.message import kind
from .errors import SessionReset
from .feature import Feature, MessageReceived
from .handling import Handling
from .heard import Heard, Line
from .inbox import Inbox
from .receipt import End
from .state import Closed, Online, Reset, State, Suspended

log = logging.getLogger(__name__)

EARLY = 1000  # messages that are kept until the program listens: the last of them
STATES = (Online, Suspended, Reset, Closed)

E = TypeVar("E")
R = TypeVar("R")

Handler = Callable[[E], R]  # an ordinary function, or one that gives a coroutine


class _Early(NamedTuple):
    """A message that came before the program listened."""

    event: MessageReceived
    about: Hashable
    handling: Handling | None


class Hearing:
    """Event -> those who are told of it, in the order in which they came."""

    def __init__(self) -> None:
        self._hearers: dict[type, list[Callable[[Any], Any]]] = defaultdict(list)
        self._holds: dict[type, list[Callable[[Any], bool]]] = {}
        self._lines: set[Line[Any]] = set()  # of those who go through it
        self._early: deque[_Early] | None = deque()  # None: the program listens
        self._attends = False  # it listens to what is told of them, if not to messages
        self._tasks = asyncio.TaskGroup()
        self._inbox = Inbox(self._tasks, self._forgives)
        self.malformed: Counter[str] = Counter()  # not understood: by which feature
        self._end = End()  # of what is waited for of receipts
        self._is_over = False  # the last has been told
        self.knows_end = False  # the program hears why it is over, or has brought it about
        self.ends_well = False  # nobody has crashed
        #: Whether it is to be known when a message has been handled, and who wants to know that.
        self.following: Callable[[Message], Handling | None] | None = None

    def on(self, event: type[E]) -> Callable[[Handler[E, R]], Handler[E, R]]:
        """Let the decorated function be told of `event`, until the client is closed.

        The first that is told of `MessageReceived` is told, too, of what came before it: the
        last `EARLY` messages.
        """

        def remember(handler: Handler[E, R]) -> Handler[E, R]:
            early = self._listen(event)
            self._hearers[event].append(handler)
            for told, about, handling in early:
                self._inbox.keep((about, handler), handler, told)
                if handling is not None:
                    self._inbox.keep((about, handler), self._done, handling)
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

        The first that listens begins with what came before it: the last `EARLY` messages.
        One of no type, or of an unknown one, is ``normal`` (RFC 6121 §5.2.2).
        """
        if type is None:
            return self.hear(MessageReceived)
        return self._hear(MessageReceived, wanted=lambda event: kind(event.message) == type)

    def _hear(self, *events: type[Any], wanted: Callable[[Any], bool] | None = None) -> Heard[Any]:
        early = [one for event in events for one in self._listen(event)]
        heard: Heard[Any] = Heard(self._forget, wanted)
        self._lines.add(heard.line)
        for told, _, handling in early:
            heard.line.keep(told)
            if handling is not None:
                heard.line.follow(told, handling)
                handling.drop()
        for event in events:
            self._hearers[event].append(heard.line.put)
        if self._is_over:
            heard.end()
        return heard

    def _listen(self, event: type[Any]) -> Iterable[_Early]:
        """The program wants to know; what it has not heard of yet."""
        self.knows_end = self.knows_end or event is Closed
        if event is MessageReceived:
            early, self._early = self._early, None
            return early or ()
        if event not in STATES:
            self.attend()
        return ()

    def attend(self) -> None:
        """The program hears of messages in some other way: what is kept for it is handled."""
        self._attends = True
        early = self._early or deque()
        for _ in range(len(early)):
            one = early.popleft()
            early.append(one._replace(handling=None))
            if one.handling is not None:
                self._done(one.handling)

    # --- telling ---------------------------------------------------------------------

    async def tell(self, event: object, about: Hashable = None) -> None:
        """Tell who wants to know, in order with all else that is `about` the same."""
        for holds in self._holds.get(event.__class__, ()):
            if holds(event):
                return
        handlers = tuple(self._hearers.get(event.__class__, ()))
        handling = self._handling(event) if self.following is not None else None
        if handling is not None:
            handling.add()
            seen_to = partial(self._see_to, handling)
            await self._inbox.tell(about, handlers, event, seen_to)
        elif handlers:
            await self._inbox.tell(about, handlers, event)
        if self._early is not None and isinstance(event, MessageReceived):
            self._keep(self._early, _Early(event, about, None if self._attends else handling))
        if handling is not None:
            self._done(handling)
        if isinstance(event, Closed):
            self._is_over = True
            self._end.come(SessionReset("the client is closed"))
            for line in tuple(self._lines):
                line.end()

    def _keep(self, early: deque[_Early], one: _Early) -> None:
        """Until the program listens."""
        if one.handling is not None:
            one.handling.add()
        early.append(one)
        if len(early) > EARLY:
            oldest = early.popleft()
            if oldest.handling is not None:
                self._done(oldest.handling)

    # --- what is handled -------------------------------------------------------------

    def _handling(self, event: object) -> Handling | None:
        message = getattr(event, "message", None)
        if self.following is None or not isinstance(message, Message):
            return None
        return self.following(message)

    def _see_to(
        self, handling: Handling, handler: Callable[[Any], Any]
    ) -> Callable[[object], None]:
        """What lets it be known when `handler`, which is just told, has done with an event."""
        handling.add()
        line = getattr(handler, "__self__", None)

        def done(event: object) -> None:
            if isinstance(line, Line):
                line.follow(event, handling)
            self._done(handling)

        return done

    def _done(self, handling: Handling) -> None:
        if not self._inbox.has_crashed:
            handling.drop()

    def follow(self, event: E, line: Line[E]) -> None:
        """`event` was put into `line` by who was told: it is not handled before that is."""
        if (handling := self._handling(event)) is not None:
            line.follow(event, handling)

    def _forgives(self, handler: Callable[..., Any], error: StanzaError) -> bool:
        """Whether it is a feature's that somebody has sent something wrong; a program says so
        itself."""
        feature = getattr(handler, "__self__", None)
        if not isinstance(feature, Feature):
            return False
        self.malformed[type(feature).__name__] += 1
        log.debug("%s: not understood: %s", type(feature).__name__, error)
        return True

    def _forget(self, heard: Heard[Any]) -> None:
        line = heard.line
        self._lines.discard(line)
        for hearers in self._hearers.values():
            hearers[:] = [one for one in hearers if one != line.put]
