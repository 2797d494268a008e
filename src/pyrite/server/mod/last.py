"""Tells how long somebody has been away, and how long the server runs (XEP-0012)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...core.errors import StanzaError
from ...core.jid import JID
from ...core.stanza import Iq, Presence
from ...kit.hooks import Stage
from ...wire import last
from ...wire.presence import Status
from ..module import At, Module, Request, delivering, on, request
from ..presence import SessionUnavailable
from ..session import Key, Session, SessionEnded
from ..store.activity import LastActivity

MAX_STATUS = 1024  # characters of a farewell that are kept

#: The status of a session's last unavailable presence.
FAREWELL: Key[str | None] = Key("farewell", default=None)


class Last(Module):
    """Last activity, for those alone who may see the account's presence (§9)."""

    spec = last.SPEC
    features = (last.NS,)
    account_features = (last.NS,)

    async def start(self) -> None:
        self._began = self.clock.now()

    @request("get", last.Last, at=At.HOST)
    def uptime(self, _: last.Last, __: Request) -> last.Last:
        """Seconds since the server came up (§6)."""
        return last.Last(self._since(self._began))

    @request("get", last.Last, at=At.OWN | At.OTHERS)
    async def away(self, _: last.Last, request: Request) -> last.Last:
        """Seconds since the account's last resource left; 0 while one is here (§4)."""
        if not await self._may_see(request.to, request.sender):
            raise StanzaError("forbidden")
        if self.host.sessions.of(request.to):
            return last.Last(0)
        found = await self.host.stores.activity.find(request.to)
        if found is None:
            raise StanzaError("item-not-found", "never here yet")
        return last.Last(self._since(found.stamp), found.status or "")

    @delivering(Stage.GUARD, Iq)
    async def ask_a_resource(self, iq: Iq, owner: JID, targets: Sequence[Session]) -> None:
        """A client tells its idle time, but not to who may not know that it is there (§5).

        The refusal is the one for a resource that is not there.
        """
        if iq.type != "get" or not targets or iq.sender is None or not iq.has(last.Last):
            return
        if not await self._may_see(owner, iq.sender):
            raise StanzaError("service-unavailable")

    @on(SessionUnavailable)
    def said(self, event: SessionUnavailable) -> None:
        event.session[FAREWELL] = _status(event.presence)

    @on(SessionEnded)
    async def left(self, event: SessionEnded) -> None:
        """Keep when an account's last resource went, and what it said (§4)."""
        owner = event.session.jid.bare
        if self.host.sessions.of(owner):
            return
        now = self.clock.now()
        await self.host.stores.activity.put(owner, LastActivity(now, event.session[FAREWELL]))

    async def _may_see(self, owner: JID, asker: JID) -> bool:
        if asker.bare == owner:
            return True
        roster = await self.host.rosters.of(owner)
        return roster.is_watched_by(asker.bare)

    def _since(self, moment: datetime) -> int:
        return max(0, int((self.clock.now() - moment).total_seconds()))


def _status(presence: Presence) -> str | None:
    status = presence.get(Status)
    return status.text[:MAX_STATUS] if status else None
