"""The net breaks while a client logs in, comes back and talks, with servers that others wrote.

Whoever logs in is told that there is no connection, or has one. Whoever has a session comes back
to it: what was acknowledged has arrived, and what arrived did so once.

ejabberd mixes up what is under way between its processes while a session is resumed. One that
speaks WebSocket with a connection that is gone waits for it without limit, and so does who comes
back (`ejabberd_http_ws:route_text`). Nobody plays a session of BOSH that is given up and resumed
while something comes: Prosody's mod_smacks fails, and in ejabberd what waits in the old session is
both sent again and routed anew (`ejabberd_bosh:bounce_els_from_obuf`). tests/unit plays it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from tests.cutting import WAYS, Cut, Net, Way, between
from tests.interop.servers import Server

from pyrite.client.app import Client
from pyrite.client.connector import Connector, Tcp
from pyrite.client.errors import ConnectionFailed, SessionReset, TlsError
from pyrite.client.heard import Heard
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login
from .web import connector, https, newcomers, on_a_slow_machine

POINTS = 10  # in each direction: about one for each element

both_ways = pytest.mark.parametrize("way", WAYS)
by_tcp = pytest.mark.parametrize("transport", ["starttls", "direct"])
by_web = pytest.mark.parametrize("transport", ["websocket", "bosh"])
no_web = pytest.mark.lacks(pyrite="no stream over HTTP yet")


@asynccontextmanager
async def net_to(server: Server, transport: str) -> AsyncIterator[tuple[Net, Connector]]:
    """A net that breaks, and the way through it."""
    if transport in ("websocket", "bosh"):
        async with between(https(server)) as net:
            yield net, connector(server, transport, port=net.port)
    else:
        is_direct = transport == "direct"
        async with between(server.c2s_tls if is_direct else server.c2s) as net:
            yield net, Tcp([Target("127.0.0.1", net.port, is_direct)])


def points(whole: int) -> list[int]:
    return [max(1, whole * number // POINTS) for number in range(POINTS + 1)]


async def enter(login: Login, server: Server, way: Way, transport: str) -> tuple[int, int]:
    """How often it broke, and how often one did not get in: never is it the password's fault."""
    name, _ = newcomers(server)
    async with net_to(server, transport) as (net, there):
        async with login(name, connector=there):
            whole = net.pipes[0].carried[way]
        failed = 0
        for octets in points(whole)[:-1]:
            net.cuts.append(Cut(way, octets))
            try:
                async with asyncio.timeout(PATIENCE), login(name, connector=there) as me:
                    await me.request(Ping())
            except (ConnectionFailed, TlsError):
                failed += 1
            except SessionReset:  # by WebSocket to ejabberd; see above
                assert (server.name, transport) == ("ejabberd", "websocket")
            assert not net.cuts
        return net.broken, failed


@both_ways
@by_tcp
async def test_entering(login: Login, server: Server, way: Way, transport: str) -> None:
    broken, failed = await enter(login, server, way, transport)
    assert broken >= failed > POINTS // 4  # else one was in already, and has come back


@no_web
@both_ways
@by_web
async def test_entering_by_web(login: Login, server: Server, way: Way, transport: str) -> None:
    """By BOSH a request that breaks is made again."""
    broken, failed = await enter(login, server, way, transport)
    assert broken > POINTS // 2
    assert (failed < broken) if transport == "bosh" else (broken >= failed > POINTS // 4)


class Conversation:
    """One who comes through the net, and one who does not."""

    def __init__(self, server: Server, romeo: Client, juliet: Client) -> None:
        self.romeo, self.juliet = romeo, juliet
        self._is_mixed = server.name == "ejabberd"
        self._heard, self._answers = juliet.messages(), romeo.messages()

    async def say(self, *texts: str) -> None:
        """Both say it to each other, hear it in order, and the server has it."""
        receipts = []
        for text in texts:
            receipts.append(await self.romeo.send(self.juliet.jid, text))
            await self.juliet.send(self.romeo.jid, text)
        await self.heard(texts)
        for receipt in receipts:
            await receipt.acked

    async def heard(self, texts: Sequence[str]) -> None:
        assert await bodies(self._heard, len(texts)) == list(texts)
        back = await bodies(self._answers, len(texts))
        assert (sorted(back) if self._is_mixed else back) == list(texts)


async def bodies(heard: Heard, count: int) -> list[str]:
    return [(await heard.next()).message.body or "" for _ in range(count)]


@asynccontextmanager
async def talking(
    login: Login, server: Server, transport: str
) -> AsyncIterator[tuple[Conversation, Net]]:
    names = newcomers(server)
    async with (
        asyncio.timeout(PATIENCE),
        net_to(server, transport) as (net, there),
        login(names[1]) as juliet,
        login(names[0], connector=there) as romeo,
    ):
        yield Conversation(server, romeo, juliet), net
        await romeo.request(Ping())
        await juliet.request(Ping())


async def come_back(login: Login, server: Server, way: Way, transport: str) -> None:
    """The next connection breaks too."""
    async with talking(login, server, transport) as (both, net):
        romeo, juliet = both.romeo, both.juliet
        seen = net.connections
        net.cut()
        await romeo.request(Ping())
        for octets in points(net.pipes[seen].carried[way]):
            net.cuts.append(Cut(way, octets))
            before = await romeo.send(juliet.jid, f"{octets} 1: before")
            await juliet.send(romeo.jid, f"{octets} 1: before")
            net.cut()
            after = await romeo.send(juliet.jid, f"{octets} 2: after")
            await juliet.send(romeo.jid, f"{octets} 2: after")
            await both.heard([f"{octets} 1: before", f"{octets} 2: after"])
            await before.acked
            await after.acked
            assert not net.cuts
        assert net.broken > POINTS // 2


@both_ways
@by_tcp
async def test_coming_back(login: Login, server: Server, way: Way, transport: str) -> None:
    await come_back(login, server, way, transport)


@no_web
@pytest.mark.lacks(ejabberd="its processes wait for a connection that is gone")
@both_ways
async def test_coming_back_by_websocket(login: Login, server: Server, way: Way) -> None:
    await come_back(login, server, way, "websocket")


async def talk(login: Login, server: Server, way: Way, transport: str) -> None:
    """All connections break in the middle of it."""
    async with talking(login, server, transport) as (both, net):
        before = net.carried(way)
        await both.say("1", "2", "3")
        for octets in points(net.carried(way) - before):
            net.cut_in(way, octets)
            while net.is_due:  # less is said where more is said at once
                await both.say(*(f"{octets}: {number}" for number in range(3)))
            await both.romeo.request(Ping())  # a request of BOSH is made twice, and no third time


@both_ways
@by_tcp
async def test_talking(login: Login, server: Server, way: Way, transport: str) -> None:
    await talk(login, server, way, transport)


@no_web
@pytest.mark.lacks(ejabberd="its processes wait for a connection that is gone")
@both_ways
async def test_talking_by_websocket(login: Login, server: Server, way: Way) -> None:
    await talk(login, server, way, "websocket")


@no_web
@both_ways
async def test_talking_by_bosh(
    login: Login, server: Server, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session does not end: what breaks is asked again."""
    on_a_slow_machine(monkeypatch)
    await talk(login, server, way, "bosh")
