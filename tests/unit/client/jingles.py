"""A client that takes every step of Jingle by hand, as a test says, beside one of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE
from tests.service import serving
from tests.unit.client.pair import pair

from pyrite.client.app import Client
from pyrite.client.feature import Request
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files, Ibb, Socks5
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire import disco, jingle

SID = "session"


class Hand:
    """What `client` is told in sessions, step by step, and what it says by hand."""

    def __init__(self, client: Client, peer: JID) -> None:
        self.client, self.peer = client, peer
        self.sid = SID
        self._steps: asyncio.Queue[jingle.Jingle] = asyncio.Queue()
        client.serve("set", jingle.Jingle)(self._hear)
        client.serve("get", disco.Info)(self._info)

    def _hear(self, request: Request[jingle.Jingle]) -> None:
        self.sid = request.payload.sid
        self._steps.put_nowait(request.payload)

    def _info(self, _: Request[disco.Info]) -> disco.Info:
        return disco.Info(features=tuple(map(disco.Feature, (jingle.NS_FILES, jingle.NS_IBB))))

    async def hear(self, action: str) -> jingle.Jingle:
        """The next step, which is to be this one."""
        step = await self._steps.get()
        assert step.action == action, step
        return step

    async def ended(self) -> str:
        """The reason with which the other side ends the session."""
        reason = (await self.hear("session-terminate")).reason
        assert reason is not None
        return reason.name

    async def say(self, action: Any, *contents: jingle.Content, **more: Any) -> None:
        step = jingle.Jingle(action, self.sid, contents=contents, **more)
        await self.client.request(step, self.peer, type="set")

    async def refused(self, action: Any, *contents: jingle.Content, **more: Any) -> str:
        """As `say`, of what is refused: the condition, Jingle's own if there is one."""
        with pytest.raises(StanzaError) as raised:
            await self.say(action, *contents, **more)
        app = raised.value.app
        return app.name.tag if app is not None else raised.value.condition


def content(
    file: jingle.File | None,
    name: str = "c",
    senders: Any = "initiator",
    creator: Any = "initiator",
    block: int = 4096,
) -> jingle.Content:
    """A file by way of stanzas, in the stream ``ibb-NAME``."""
    return jingle.Content(
        name,
        creator,
        senders,
        description=jingle.Description(file) if file is not None else None,
        transport=jingle.Ibb(f"ibb-{name}", block),
    )


@asynccontextmanager
async def by_hand(folder: Path) -> AsyncIterator[tuple[Hand, Client]]:
    """Romeo, step by step, and Juliet with her `Files`."""
    async with (
        serving(folder) as service,
        pair(service, Ibb, Socks5) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        juliet[Disco]
        juliet[Files]
        yield Hand(romeo, juliet.jid), juliet
