"""How far a message has come."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, Final

from ..core.stanza import Message

LEVELS: Final = ("written", "acked", "delivered", "displayed")


class Step:
    """One level of a receipt. Await it, under a time-out of your own where it may never come."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None

    @property
    def is_reached(self) -> bool:
        future = self._future
        return future is not None and future.done() and future.exception() is None

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.shield(self._get()).__await__()

    def reach(self) -> None:
        """It has come so far."""
        if not self._get().done():
            self._get().set_result(None)

    def fail(self, error: Exception) -> None:
        """It will not come so far."""
        future = self._get()
        if not future.done():
            future.set_exception(error)
            future.exception()  # who does not ask need not be told

    def _get(self) -> asyncio.Future[None]:
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
        return self._future


class Receipt:
    """What becomes of one message.

    `written`: given to the operating system. `acked`: the server has it, and answers for it
    (XEP-0198). `delivered`: a client of the receiver has it (XEP-0184). `displayed`: the
    receiver has seen it (XEP-0333). Steps that can no longer be reached raise `SessionReset`.
    """

    __slots__ = ("acked", "delivered", "displayed", "message", "written")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.written, self.acked = Step(), Step()
        self.delivered, self.displayed = Step(), Step()

    def fail(self, error: Exception) -> None:
        """It was lost on its way, or refused."""
        for level in LEVELS:
            step: Step = getattr(self, level)
            if not step.is_reached:
                step.fail(error)

    def __repr__(self) -> str:
        reached = [level for level in LEVELS if getattr(self, level).is_reached]
        return f"<receipt of {self.message.id}: {', '.join(reached) or 'waiting'}>"
