"""Answers pings to the server and to the user's own account (XEP-0199)."""

from __future__ import annotations

from ...wire import ping
from ..module import Module, Request, request


class Ping(Module):
    """Says that the server is there."""

    spec = ping.SPEC
    features = (ping.NS,)
    account_features = (ping.NS,)

    @request("get", ping.Ping)
    def answer(self, _: ping.Ping, __: Request) -> None:
        """Nothing to say, which is the answer (§4.2)."""
