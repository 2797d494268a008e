"""What a stanza leaves behind and is not on the disk yet: until then it is not acknowledged.

A stanza is handled, and delivered to those who are online, without waiting for the disk. It
counts as handled (XEP-0198 §4) once all that modules owe for it is paid, and all before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ..core.errors import StanzaError
from ..core.stanza import Stanza
from ..kit.outage import Outage

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger(__name__)

MOST = 1000  # stanzas of one session that may be owed for; then its next one has to wait

#: The session whose stanza is handled.
HANDLING: ContextVar[Session | None] = ContextVar("handling", default=None)


def owe(done: asyncio.Future[None]) -> None:
    """The stanza that is handled now counts as handled only when `done` is.

    If `done` fails, its sender is told that the stanza could not be kept. For what no session
    sent, a failure is logged only.
    """
    session = HANDLING.get()
    if session is None:
        done.add_done_callback(_log)
        return
    if session.debts is None:
        session.debts = Debts(session)
    session.debts.add(done)


class _Debt:
    """Stanzas that wait for the same thing."""

    __slots__ = ("done", "first", "last", "stanzas")

    def __init__(self, done: asyncio.Future[None], number: int) -> None:
        self.done, self.first, self.last = done, number, number
        self.stanzas: list[Stanza] = []


class Debts:
    """What is owed for the stanzas of one session, in the order in which they came."""

    __slots__ = ("_open", "_refused", "_session", "on_paid")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: deque[_Debt] = deque()
        self._refused: Stanza | None = None  # the last that its sender was told of
        self.on_paid: Callable[[], None] | None = None  # more stanzas count as handled now

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def settled(self) -> int:
        """How many stanzas of the session are handled, with all that they leave behind."""
        handled = self._session.handled
        return min(handled, self._open[0].first - 1) if self._open else handled

    @property
    def is_full(self) -> bool:
        """Whether `room` would wait."""
        return bool(self._open) and self._session.handled - self._open[0].first >= MOST

    def add(self, done: asyncio.Future[None]) -> None:
        """The stanza that is handled now waits for `done`, which many may share."""
        number, stanza = self._session.handled + 1, self._session.handling
        debt = self._open[-1] if self._open else None
        if debt is None or debt.done is not done:
            debt = _Debt(done, number)
            self._open.append(debt)
            done.add_done_callback(self._paid)
        debt.last = number
        if stanza is not None and not (debt.stanzas and debt.stanzas[-1] is stanza):
            debt.stanzas.append(stanza)

    def told(self) -> bool:
        """Whether the sender of the stanza that is handled now knows already that it was not kept.

        From now on it knows, and what is owed for the stanza tells it nothing more.
        """
        stanza = self._session.handling
        knew, self._refused = stanza is self._refused, stanza
        for debt in reversed(self._open):  # it is the last, wherever it is
            if not debt.stanzas or debt.stanzas[-1] is not stanza:
                break
            debt.stanzas.pop()
        return knew

    async def room(self) -> None:
        """Wait while too much is owed: a sender may not be far ahead of the disk."""
        while self.is_full:
            await asyncio.wait([self._open[0].done])

    async def paid(self) -> None:
        """Wait until nothing is owed any more, for better or worse."""
        while self._open:
            await asyncio.wait([self._open[0].done])

    def _paid(self, _: asyncio.Future[None]) -> None:
        """Something was committed, or failed: go on with all that is done, in order."""
        before = len(self._open)
        while self._open and self._open[0].done.done():
            debt = self._open.popleft()
            if debt.done.cancelled() or debt.done.exception() is not None:
                self._fail(debt)
        if len(self._open) < before and self.on_paid is not None:
            self.on_paid()

    def _fail(self, debt: _Debt) -> None:
        """Tell the sender: what is lost must not look as if it were kept."""
        error = None if debt.done.cancelled() else debt.done.exception()
        if error is not None and not isinstance(error, Outage):
            log.error("not kept: stanzas of %s", self._session.jid, exc_info=error)
        for stanza in debt.stanzas:
            if stanza is not self._refused:
                self._refused = stanza
                refused = StanzaError("resource-constraint", "the server could not keep it")
                self._session.host.server.router.refuse(stanza, refused, self._session)


def _log(done: asyncio.Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("not kept: what the server itself sent: %s", error)
