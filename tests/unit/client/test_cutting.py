"""The net breaks at every phase: of connecting and logging in, of coming back, and of talking.

Whoever logs in is told that there is no connection, or has one. Whoever has a session comes back
to it; what was said arrives once, and in order.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cutting import WAYS, Cut, Net, Pipe, Way, between, joints
from tests.gateway import gateway
from tests.peer import PASSWORD, PATIENCE
from tests.service import JULIET, ROMEO, Service, serving

from pyrite.client import bosh
from pyrite.client.account import Trust, VolatileStore
from pyrite.client.app import Client
from pyrite.client.bosh import Bosh
from pyrite.client.connector import Connector, Tcp
from pyrite.client.errors import ConnectionFailed, TlsError
from pyrite.client.heard import Heard
from pyrite.client.keeper import Backoff
from pyrite.client.websocket import WebSocket
from pyrite.core.jid import JID
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping

POINTS = 25  # of a conversation, in each direction
EVERY = int(os.environ.get("CUT_EVERY", "9"))  # octet of a log-in; all of them take a minute

TRANSPORTS = ["starttls", "direct", "websocket", "bosh"]
by_all = pytest.mark.parametrize("transport", TRANSPORTS)
both_ways = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bosh, "SETTLING", 0.003)


@dataclass
class Place:
    """A server behind a net that breaks."""

    service: Service
    net: Net
    transport: str

    def client(self, jid: JID, *, straight: bool = False) -> Client:
        """One who comes through the net, or not."""
        is_clear = self.transport not in ("starttls", "direct")
        return Client(
            jid,
            PASSWORD,
            trust=Trust(authorities=self.service.folder / "ca.pem", encrypted=not is_clear),
            connector=Tcp([Target("127.0.0.1", self.service.port)]) if straight else self._there(),
            backoff=Backoff(first=0.001, most=0.002),
            tokens=VolatileStore(),
        )

    def _there(self) -> Connector:
        if self.transport == "websocket":
            return WebSocket(f"ws://127.0.0.1:{self.net.port}/ws")
        if self.transport == "bosh":
            return Bosh(f"http://127.0.0.1:{self.net.port}/bosh")
        return Tcp([Target("127.0.0.1", self.net.port, self.transport == "direct")])


@asynccontextmanager
async def place(folder: Path, transport: str) -> AsyncIterator[Place]:
    is_clear = transport not in ("starttls", "direct")
    async with serving(folder, clear=is_clear) as service:
        if transport in ("websocket", "bosh"):
            async with gateway(service.port) as port, between(port) as net:
                yield Place(service, net, transport)
        else:
            port = service.server.listeners.ports["c2s-tls" if transport == "direct" else "c2s"]
            async with between(port) as net:
                yield Place(service, net, transport)


async def bodies(heard: Heard, count: int) -> list[str | None]:
    return [(await heard.next()).message.body for _ in range(count)]


async def enters(there: Place) -> bool:
    """Whether one has got in; if not, there was no connection: the password is never wrong."""
    try:
        async with asyncio.timeout(PATIENCE), there.client(ROMEO) as me:
            await me.request(Ping())
    except (ConnectionFailed, TlsError):
        return False
    return True


async def entering(there: Place) -> Pipe:
    """How it goes when nothing breaks."""
    before = there.net.connections
    assert await enters(there)
    return there.net.pipes[before]


async def cut_entering(there: Place, way: Way, points: Iterable[int]) -> tuple[int, int]:
    """How often it broke, and how often one did not get in."""
    failed, broken = 0, there.net.broken
    for octets in points:
        there.net.cuts.append(Cut(way, octets))
        failed += not await enters(there)
        assert not there.net.cuts
    return there.net.broken - broken, failed


@by_all
@both_ways
async def test_entering(tmp_path: Path, way: Way, transport: str) -> None:
    """At the joints of what is sent, and within it."""
    async with place(tmp_path, transport) as there:
        points = joints((await entering(there)).ends[way])
        broken, failed = await cut_entering(there, way, points)
        assert broken > len(points) // 2
        if transport == "bosh":  # a request that breaks is made again
            assert failed < broken
        else:
            assert failed > len(points) // 4  # else one was in already, and has come back


@both_ways
async def test_entering_at_any_octet(tmp_path: Path, way: Way) -> None:
    async with place(tmp_path, "websocket") as there:
        points = range(1, (await entering(there)).carried[way], EVERY)
        broken, failed = await cut_entering(there, way, points)
        assert broken > len(points) // 2
        assert failed > len(points) // 4


@by_all
@both_ways
async def test_coming_back(tmp_path: Path, way: Way, transport: str) -> None:
    """The next connection breaks too, wherever that may be.

    A session of BOSH would go on with its next request: it has to be given up.
    """
    async with (
        asyncio.timeout(PATIENCE),
        place(tmp_path, transport) as there,
        there.client(JULIET, straight=True) as juliet,
        there.client(ROMEO) as romeo,
    ):
        net = there.net
        leave = romeo.break_off if transport == "bosh" else net.cut
        heard, answers = juliet.messages(), romeo.messages()
        seen = net.connections
        leave()
        await romeo.request(Ping())
        points = joints(net.pipes[seen].ends[way])
        for octets in points:
            before = await romeo.send(juliet.jid, f"{octets} before")
            await juliet.send(romeo.jid, f"{octets} before")
            net.cuts.append(Cut(way, octets))
            leave()
            after = await romeo.send(juliet.jid, f"{octets} after")
            await juliet.send(romeo.jid, f"{octets} after")
            expected = [f"{octets} before", f"{octets} after"]
            assert await bodies(heard, 2) == expected
            assert await bodies(answers, 2) == expected
            await before.acked
            await after.acked
            assert not net.cuts
        await romeo.request(Ping())
        assert net.broken > len(points) // 2


@by_all
@both_ways
async def test_talking(tmp_path: Path, way: Way, transport: str) -> None:
    """All connections break in the middle of it."""
    async with (
        asyncio.timeout(PATIENCE),
        place(tmp_path, transport) as there,
        there.client(JULIET, straight=True) as juliet,
        there.client(ROMEO) as romeo,
    ):
        net = there.net
        heard, answers = juliet.messages(), romeo.messages()

        async def talk(about: str) -> None:
            said = [f"{about}: {number}" for number in range(3)]
            receipts = []
            for text in said:
                receipts.append(await romeo.send(juliet.jid, text))
                await juliet.send(romeo.jid, text)
            assert await bodies(heard, 3) == said
            assert await bodies(answers, 3) == said
            for receipt in receipts:
                await receipt.acked

        before = net.carried(way)
        await talk("nothing breaks")
        whole = net.carried(way) - before
        for octets in sorted({max(1, whole * number // POINTS) for number in range(POINTS)}):
            net.cut_in(way, octets)
            while net.is_due:  # less is said where more is said at once
                await talk(f"{octets}")
        await romeo.request(Ping())
