"""How far a message has come."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, Final
from weakref import WeakSet

from ..core.stanza import Message
from .errors import NotAcknowledged

LEVELS: Final = ("written", "acked", "delivered", "displayed")


class End:
    """What ends the waiting for all receipts of a client: then nobody will answer any more."""

    __slots__ = ("_waited", "error")

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._waited: WeakSet[asyncio.Future[None]] = WeakSet()

    def add(self, waited: asyncio.Future[None]) -> None:
        """Somebody waits."""
        if self.error is None:
            self._waited.add(waited)
        else:
            _fail(waited, self.error)

    def come(self, error: Exception) -> None:
        """It is here: who waits, and who will, is told why."""
        self.error = error
        for waited in tuple(self._waited):
            if not waited.done():
                _fail(waited, error)
        self._waited.clear()


class Step:
    """One level of a receipt. Await it, under a time-out of your own where it may never come."""

    __slots__ = ("_end", "_future", "_outcome")

    def __init__(self, end: End) -> None:
        self._end = end
        self._future: asyncio.Future[None] | None = None  # none where nobody has waited
        self._outcome: Exception | bool = False

    @property
    def is_reached(self) -> bool:
        return self._outcome is True

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.shield(self._get()).__await__()

    def reach(self) -> None:
        """It has come so far."""
        if self._outcome is False:
            self._outcome = True
            if self._future is not None and not self._future.done():
                self._future.set_result(None)

    def fail(self, error: Exception) -> None:
        """It will not come so far."""
        if self._outcome is False:
            self._outcome = error
            if self._future is not None and not self._future.done():
                _fail(self._future, error)

    def _get(self) -> asyncio.Future[None]:
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
            if self._outcome is True:
                self._future.set_result(None)
            elif self._outcome is False:
                self._end.add(self._future)
            else:
                _fail(self._future, self._outcome)
        return self._future


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    future.set_exception(error)
    future.exception()  # who does not ask need not be told


class Receipt:
    """What becomes of one message.

    `written`: given to the operating system. `acked`: the server has it, and answers for it
    (XEP-0198). `delivered`: a client of the receiver has it (XEP-0184). `displayed`: the
    receiver has seen it (XEP-0333).

    Steps that can no longer be reached raise why: `StanzaError` as it was refused,
    `SessionReset` when the session or the client is at its end, and `acked` `NotAcknowledged`
    where the server acknowledges nothing.
    """

    __slots__ = ("acked", "delivered", "displayed", "message", "written")

    def __init__(self, message: Message, end: End | None = None) -> None:
        self.message = message
        end = end or End()
        self.written, self.acked = Step(end), Step(end)
        self.delivered, self.displayed = Step(end), Step(end)

    def fail(self, error: Exception) -> None:
        """It was lost on its way, or refused."""
        for level in LEVELS:
            step: Step = getattr(self, level)
            step.fail(error)

    def unacknowledged(self) -> None:
        """It is on its way, and the server will not say that it has it.

        A room may: it tells what it was sent to all (XEP-0045 §7.4).
        """
        if self.message.type != "groupchat":
            self.acked.fail(NotAcknowledged("the server acknowledges nothing in this session"))

    def __repr__(self) -> str:
        reached = [level for level in LEVELS if getattr(self, level).is_reached]
        return f"<receipt of {self.message.id}: {', '.join(reached) or 'waiting'}>"
