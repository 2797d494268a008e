"""Since when somebody is away or idle, and since when we are (XEP-0012)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.jid import JID
from ...wire import last
from ..feature import Feature, Request, serves

if TYPE_CHECKING:
    from ..entity import Entity


class LastActivity(Feature):
    """`idle` gives the seconds since the user did something; without it nobody is told.

    Servers let only those ask who may see our presence (§5); `may_ask` can be narrower.
    """

    spec = last.SPEC
    features = (last.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.idle: Callable[[], float] | None = None
        self.may_ask: Callable[[JID], bool] = _anybody

    async def ask(self, jid: JID | str) -> last.Last:
        """Of an account (bare): since when it is away; of a client: idle; of a server: running.

        Raises `StanzaError`, ``forbidden`` for those whose presence we may not see.
        """
        told = await self.client.request(last.Last(), jid, expect=last.Last)
        if told.seconds is None:
            raise StanzaError("undefined-condition", "no time in the answer")
        return told

    @serves("get", last.Last)
    def answer(self, request: Request[last.Last]) -> last.Last:
        """How long the user is idle, to whole seconds."""
        asking = request.sender or self.client.jid.bare
        if not self.may_ask(asking):
            raise StanzaError("forbidden")
        if self.idle is None:
            raise StanzaError("service-unavailable")
        return last.Last(max(0, int(self.idle())))


def _anybody(_: JID) -> bool:
    return True
