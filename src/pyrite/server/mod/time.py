"""Tells what time it is here (XEP-0202)."""

from __future__ import annotations

from ...wire import time
from ..module import Module, Request, request


class Time(Module):
    """The server's time, in UTC: the zone it stands in is nobody's business (§6)."""

    spec = time.SPEC
    features = (time.NS,)
    account_features = (time.NS,)

    @request("get", time.Time)
    def answer(self, _: time.Time, __: Request) -> time.Time:
        return time.answer(self.clock.now())
