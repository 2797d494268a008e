"""Finds connections that are dead though nobody has said so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..kit.clock import Clock, Timer
from .link import Link

PATIENCE: Final = 30.0  # seconds


class Watch:
    """Knows for how long nothing has come while the server owes an answer (XEP-0198 §4).

    Whatever comes says that it lives; and while we take so long with what has come that nothing
    more is read, silence says nothing.
    """

    def __init__(
        self, clock: Clock, patience: float | None, dead: Callable[[Link, str], None]
    ) -> None:
        """`dead` is called with the connection, and why; never if there is endless patience."""
        self.is_busy = False  # what has come is still being taken
        self._clock, self._patience, self._dead = clock, patience, dead
        self._link: Link | None = None
        self._came = 0
        self._timer: Timer | None = None

    def begin(self, link: Link) -> None:
        """Look at `link` from now on."""
        self.end()
        self._link = link

    def asked(self) -> None:
        """The server is to answer."""
        self.answered()
        if self._patience is not None and self._link is not None:
            self._came = self._link.came
            self._timer = self._clock.call_later(self._patience, self._late)

    def answered(self) -> None:
        """And has done so."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """The connection is over."""
        self.answered()
        self._link = None

    def _late(self) -> None:
        self._timer = None
        link = self._link
        if link is None:
            return
        if self.is_busy or link.came != self._came:
            self.asked()
        else:
            self._dead(link, f"the server has said nothing for {self._patience:g} seconds")
