"""A client whose server is the test: what it sends is looked at, what it hears is written here."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

from tests.peer import PATIENCE

from pyrite.client.entity import Entity
from pyrite.client.feature import Feature
from pyrite.client.keeper import Backoff, Entered
from pyrite.client.link import Fill, LinkEnded, Receive
from pyrite.client.login import Resumable, Session
from pyrite.core.errors import StreamError
from pyrite.core.jid import JID
from pyrite.core.stanza import NS, Iq, Stanza, read
from pyrite.core.xml import Element, Name, parse
from pyrite.kit.clock import ManualClock
from pyrite.wire.disco import Info

ME = JID.parse("romeo@verona.lit/garden")


class ScriptedLink:
    """Nothing but memory."""

    is_secure = True
    bindings: Mapping[str, bytes] = {}

    def __init__(self) -> None:
        self.receive: Receive | None = None
        self.fill: Fill | None = None
        self.sent: asyncio.Queue[Stanza] = asyncio.Queue()
        self._end: asyncio.Future[LinkEnded] = asyncio.get_running_loop().create_future()

    async def deliver(self, receive: Receive, fill: Fill) -> None:
        self.receive, self.fill = receive, fill

    def wake(self) -> None:
        texts: Any = self.fill() if self.fill is not None else []
        for text in texts:
            self.sent.put_nowait(read(parse(text, NS)))

    def close(self, error: StreamError | None = None) -> None:
        self.abort()

    def abort(self) -> None:
        if not self._end.done():
            self._end.set_result(LinkEnded("over"))

    async def ended(self) -> LinkEnded:
        return await asyncio.shield(self._end)


class Scripted(Entity):
    """To be entered like any client; `features` are what the test is about."""

    def __init__(self, *features: type[Feature]) -> None:
        self.link = ScriptedLink()
        self.manual = ManualClock()
        backoff = Backoff(first=0.0, most=0.0)
        super().__init__(ME, features, backoff, PATIENCE, self.manual, random.Random(1))

    async def log_in(self, old: Resumable | None) -> Entered:
        self.link = ScriptedLink()
        return Session(ME, Element(Name(NS, "features")), "none"), self.link  # type: ignore[return-value]

    async def hears(self, *texts: str) -> None:
        """The server sends this."""
        assert self.link.receive is not None
        for text in texts:
            await self.link.receive(parse(text, NS))

    async def step(self, seconds: float) -> None:
        """Time passes, and whoever has waited for that goes on."""
        self.manual.advance(seconds)
        await asyncio.sleep(0)

    async def said(self) -> Stanza:
        """The next stanza that the client sends."""
        async with asyncio.timeout(PATIENCE):
            return await self.link.sent.get()

    async def answers_disco(self, features: Sequence[str] = ()) -> None:
        """The client asks what somebody can do, and is told."""
        asked = await self.said()
        assert isinstance(asked, Iq)
        assert asked.has(Info)
        vars = "".join(f"<feature var='{var}'/>" for var in features)
        await self.hears(
            f"<iq type='result' from='{asked.to}' id='{asked.id}'>"
            f"<query xmlns='http://jabber.org/protocol/disco#info'>{vars}</query></iq>"
        )
