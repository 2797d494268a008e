"""Answers whether we are there, asks others, and finds dead connections (XEP-0199)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.jid import JID
from ...wire import ping
from ..errors import SessionReset
from ..feature import Feature, Request, on, serves
from ..state import Closed, Online, Suspended

if TYPE_CHECKING:
    from ..entity import Entity

#: Refusals of somebody on the way: who was asked has not answered (§4.5).
UNREACHED = frozenset(
    {"remote-server-not-found", "remote-server-timeout", "recipient-unavailable", "gone"}
)


class Ping(Feature):
    """Is the other side there at all?"""

    spec = ping.SPEC
    features = (ping.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._every: float | None = None
        self._within = 0.0
        self._beating: asyncio.Task[None] | None = None

    async def ask(self, jid: JID | str | None = None, within: float | None = None) -> float:
        """Seconds that `jid`, or our server, took to answer; a refusal is an answer too.

        Raises `StanzaError` if it cannot be reached, `TimeoutError`, `SessionReset`.
        """
        clock = self.client.clock
        asked = clock.monotonic()
        to = jid if jid is not None else JID(None, self.client.jid.domain)
        try:
            await self.client.request(ping.Ping(), to, within=within)
        except StanzaError as error:
            if error.condition in UNREACHED:
                raise
        return clock.monotonic() - asked

    @serves("get", ping.Ping)
    def answer(self, _: Request[ping.Ping]) -> None:
        """Nothing to say, which is the answer (§4.4)."""

    # --- keeping alive ---------------------------------------------------------------

    def keep_alive(self, every: float = 60.0, within: float = 20.0) -> None:
        """Ask the server every so many seconds. A connection on which it has not answered
        `within` so many is broken off, and another one is made."""
        self._every, self._within = every, within
        self._begin()

    def let_be(self) -> None:
        """Ask no more."""
        self._every = None
        self._end()

    @on(Online)
    def _begin(self, _: Online | None = None) -> None:
        """Ask on this connection."""
        self._end()
        if self._every is not None and self.client.is_online:
            self._beating = self.client.start(self._beat(self._every))

    @on(Suspended)
    @on(Closed)
    def _end(self, _: Suspended | Closed | None = None) -> None:
        """Nobody is there to be asked."""
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None

    def stop(self) -> None:
        self._end()

    async def _beat(self, every: float) -> None:
        clock = self.client.clock
        while True:
            await clock.sleep(every)
            asking = asyncio.ensure_future(self.ask())
            limit = clock.call_later(self._within, partial(_cancel, asking))
            try:
                await asyncio.wait([asking])
            finally:
                limit.cancel()
                asking.cancel()
            if asking.cancelled() or isinstance(asking.exception(), TimeoutError):
                self.client.break_off()
                return
            if isinstance(asking.exception(), SessionReset):
                return


def _cancel(asking: asyncio.Future[float]) -> None:
    asking.cancel()
