"""Lets people block others, and each of their clients see whom (XEP-0191)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from ...core.jid import JID
from ...core.stanza import Iq
from ...kit.config import Table
from ...wire import blocking
from ..module import At, Module, Request, on, request
from ..privacy import BlocksChanged
from ..session import Key

#: Whether a session has asked for the block list, and so hears of changes (§3.3).
INTERESTED = Key("blocklist", default=False)


class BlockingSettings(Table):
    """How many addresses one account may block."""

    count: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    """Blocked addresses of one account."""


class Blocking(Module):
    """The block list; `server/privacy` keeps it, and keeps stanzas away."""

    spec = blocking.SPEC
    features = (blocking.NS,)
    Settings = BlockingSettings

    async def start(self) -> None:
        self._unguard = self.host.server.privacy.guard(self.host)

    async def stop(self) -> None:
        self._unguard()

    @request("get", blocking.Blocklist, at=At.OWN)
    async def show(self, _: blocking.Blocklist, request: Request) -> blocking.Blocklist:
        """Whom the account blocks (§3.2)."""
        if request.session is not None:
            request.session[INTERESTED] = True
        return blocking.Blocklist(_items(await self.host.server.privacy.blocked(request.to)))

    @request("set", blocking.Block, at=At.OWN)
    async def block(self, query: blocking.Block, request: Request) -> None:
        """Hear no more of some addresses (§3.3)."""
        wanted = blocking.wanted(query)
        await self.host.server.privacy.block(request.to, wanted, self.settings.count)

    @request("set", blocking.Unblock, at=At.OWN)
    async def unblock(self, query: blocking.Unblock, request: Request) -> None:
        """Hear of them again, or of everybody (§3.4, §3.5)."""
        wanted = blocking.wanted(query) or None
        await self.host.server.privacy.unblock(request.to, wanted)

    @on(BlocksChanged)
    def push(self, event: BlocksChanged) -> None:
        """Tell each client that has asked for the list, whoever changed it (§3.3, §6)."""
        if event.blocked:
            self._push(event.owner, blocking.Block(_items(event.blocked)))
        if event.unblocked is None or event.unblocked:
            self._push(event.owner, blocking.Unblock(_items(event.unblocked or ())))

    def _push(self, owner: JID, value: blocking.Block | blocking.Unblock) -> None:
        for session in self.host.sessions.of(owner).values():
            if session[INTERESTED]:
                iq = Iq("set", session.jid, None, self.host.server.ids()).add(value)
                session.send(iq)  # its answer says nothing


def _items(jids: Sequence[JID]) -> tuple[blocking.Item, ...]:
    return tuple(map(blocking.Item, jids))
