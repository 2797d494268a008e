"""A server in memory with the plugin, whose clock the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pyrite.core.stanza import NS, read
from pyrite.core.xml import parse
from pyrite.kit.clock import ManualClock
from pyrite.server.api import JID, Session
from pyrite.server.app import Server
from pyrite.server.catalogue import Installed
from pyrite.server.settings import load

SETTINGS = """
data = "data"
[host."example.org"]
modules = ["away", "offline"]
[modules.away]
again = "2h"
size = "20B"
"""


class Play:
    """What a test does with the server."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.server, self.clock = server, clock

    async def comes(self, address: str) -> Session:
        """Somebody logs in and is available; what is received then is gone."""
        jid = JID.parse(address)
        if not await self.server.accounts.exists(jid.bare):
            await self.server.stores.accounts.create(jid.bare, (), self.clock.now())
        session = await self.server.bind(jid.bare, jid.resource)
        await self.says(session, "<presence/>")
        session.take()
        return session

    async def says(self, session: Session, xml: str) -> list[str]:
        """Send a stanza; all that the session has received by then."""
        stanza = read(parse(xml, NS))
        stanza.sender = session.jid
        await self.server.router.receive(stanza, session)
        return [received.write() for received in session.take()]


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    (tmp_path / "pyrite.toml").write_text(SETTINGS)
    clock = ManualClock()
    server = Server(load(tmp_path / "pyrite.toml", Installed()), clock=clock)
    async with server.opened():
        yield Play(server, clock)
