"""What has come, from when it is read until the program is done with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from ..core.ack import Acks
from ..core.stanza import Stanza
from ..core.xml import Element

#: Octets that an element has in memory, beside its texts: a little message has some thousand.
ELEMENT: Final = 500

#: Stanzas that a server waits for the program to be done with; it is told that more are handled
#: when they have only come. Servers keep few: who answers for too little cannot resume (with more
#: than 500, at Prosody), or is thrown out (with more than 1,000 here, and 5,000 at ejabberd).
BEHIND: Final = 100


class Pool:
    """How much waits for the program, in octets."""

    __slots__ = ("octets",)

    def __init__(self) -> None:
        self.octets = 0

    def less(self, octets: int) -> None:
        """So much is done."""
        self.octets -= octets


class Taken:
    """One thing that came. Who takes it holds it until he is done: the reader, each handler, and
    each listener that has it."""

    __slots__ = ("_ledger", "_octets", "_thing", "parts", "pool")

    def __init__(self, pool: Pool, thing: Any, ledger: Ledger | None = None) -> None:
        """It is held by who makes it."""
        self.pool, self.parts = pool, 1
        self._thing, self._ledger, self._octets = thing, ledger, 0

    def hold(self) -> None:
        """One more has it. What nobody keeps longer than it is read is not measured."""
        self.parts += 1
        if not self._octets:
            self._octets = octets = measured(self._thing)
            self.pool.octets += octets

    def release(self) -> None:
        """One who had it is done with it."""
        self.parts -= 1
        if not self.parts:
            if self._octets:
                self.pool.less(self._octets)
            if self._ledger is not None:
                self._ledger.settle()

    def leave(self) -> None:
        """Who had it is gone, and has crashed perhaps: it is not answered for before it is far
        behind."""
        if self._octets:
            self.pool.less(self._octets)
            self._octets = 0


class Ledger:
    """What came in one session, in its order: we answer for what the program is done with, and
    for all before it (XEP-0198 §4), but are never far behind."""

    def __init__(self, acks: Acks[Any], tell: Callable[[], None]) -> None:
        """`tell` tells the server how far we are."""
        self._acks, self._tell = acks, tell
        self._is_owing = False  # the server has asked, and does not know the whole answer
        self._open: deque[Taken] = deque()  # not answered for; the first is not done

    def __len__(self) -> int:
        return len(self._open)

    def add(self, taken: Taken) -> None:
        """The next that came."""
        self._open.append(taken)
        if len(self._open) > BEHIND:
            self._open.popleft()
            self._acks.handle()
            self.settle()

    def settle(self) -> None:
        """Something is done."""
        waiting = self._open
        while waiting and not waiting[0].parts:
            waiting.popleft()
            self._acks.handle()
        if self._is_owing and not waiting:
            self._is_owing = False
            self._tell()

    def asked(self) -> None:
        """The server wants to know: now, and again when all is done."""
        self._is_owing = bool(self._open)
        self._tell()

    def claim(self) -> None:
        """Answer for all: what is not done will be, or is not wanted any more."""
        self._acks.handle(len(self._open))
        self._open.clear()


#: Of what we are just told, or what we are just told of follows from.
current: ContextVar[Taken | None] = ContextVar("current", default=None)


def measured(thing: Any) -> int:
    """Octets that it has in memory, roughly: of a stanza, or of what tells of one."""
    if not isinstance(thing, Stanza):
        thing = getattr(thing, "message", None) or getattr(thing, "presence", None)
        if not isinstance(thing, Stanza):
            return ELEMENT
    octets, waiting = 2 * ELEMENT, [*thing.payloads]
    while waiting:
        element = waiting.pop()
        octets += ELEMENT
        for value in element.attrs.values():
            octets += len(value)
        for child in element.children:
            if child.__class__ is Element:
                waiting.append(child)
            else:
                octets += len(child)  # type: ignore[arg-type]
    return octets
