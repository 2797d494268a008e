"""What time it is elsewhere, and here (XEP-0202)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.jid import JID
from ...wire import time
from ..feature import Feature, Request, serves

if TYPE_CHECKING:
    from ..entity import Entity


class Time(Feature):
    """`zone` is the time zone that others are told; None is this machine's."""

    spec = time.SPEC
    features = (time.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.zone: timezone | None = None

    async def ask(self, jid: JID | str | None = None) -> datetime:
        """The time at `jid`, or our server, in the zone there. Raises `StanzaError`."""
        to = jid if jid is not None else JID(None, self.client.jid.domain)
        told = await self.client.request(time.Time(), to, expect=time.Time)
        if told.utc is None or told.tzo is None:
            raise StanzaError("undefined-condition", "neither time nor zone")
        try:
            return told.utc.astimezone(told.tzo)
        except OverflowError:
            raise StanzaError("undefined-condition", "beyond the calendar") from None

    @serves("get", time.Time)
    def answer(self, _: Request[time.Time]) -> time.Time:
        return time.answer(self.client.clock.now().astimezone(self.zone))
