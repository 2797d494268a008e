"""Says in our presence since when the user is idle, and hears so of others (XEP-0319)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...core.stanza import Presence
from ...kit.cache import Cache
from ...kit.hooks import Stage
from ...wire import idle
from ..feature import Feature, PresenceReceived, on, sending

if TYPE_CHECKING:
    from ..entity import Entity

MOST = 1000  # others that are remembered as idle


@frozen
class IdleChanged:
    """A client of somebody's (full) is idle since then; None: somebody is at it again."""

    jid: JID
    since: datetime | None


class Idle(Feature):
    """`since` goes along with every presence to all who see us."""

    spec = idle.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.since: datetime | None = None
        self._others: Cache[JID, datetime] = Cache(MOST)

    async def begin(self) -> None:
        """In a new session, all presence comes again."""
        self._others.clear()

    async def away(self, since: datetime | None = None) -> None:
        """The user is idle since then, or since now; said at once if we are there."""
        await self._say(since or self.client.clock.now())

    async def back(self) -> None:
        """The user is here again."""
        await self._say(None)

    async def _say(self, since: datetime | None) -> None:
        if since == self.since:
            return
        self.since = since
        presence = self.client.presence
        if presence is not None and presence.type is None:
            await self.client.send_presence(presence.strip(idle.Idle))

    @sending(Stage.REWRITE, Presence)
    def add(self, presence: Presence) -> Presence | None:
        """Since when, in what says that we are here (§3)."""
        if self.since is None or presence.type is not None or presence.has(idle.Idle):
            return None
        return presence.add(idle.Idle(self.since))

    def of(self, jid: JID | str) -> datetime | None:
        """Since when a client of somebody's is idle, as it says."""
        return self._others.get(JID.parse(jid) if isinstance(jid, str) else jid)

    @on(PresenceReceived)
    async def heard(self, event: PresenceReceived) -> None:
        """Tell of changes; a time to come is now, for clocks differ."""
        presence, sender = event.presence, event.presence.sender
        if sender is None or presence.type not in (None, "unavailable"):
            return
        since = self._told(presence) if presence.type is None else None
        if since == self._others.get(sender):
            return
        if since is None:
            self._others.pop(sender)
        else:
            self._others.put(sender, since)
        await self.client.tell(IdleChanged(sender, since), sender.bare)

    def _told(self, presence: Presence) -> datetime | None:
        try:
            found = presence.get(idle.Idle)
        except StanzaError:
            return None
        return min(found.since, self.client.clock.now()) if found is not None else None
