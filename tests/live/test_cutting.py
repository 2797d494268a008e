"""The net breaks while a client logs in and while it comes back, with servers that others wrote."""

import asyncio

import pytest
from tests.cutting import WAYS, Cut, Way, between
from tests.interop.servers import Server

from pyrite.client.connector import Tcp
from pyrite.client.errors import ConnectionFailed, TlsError
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping

from .conftest import Login

PATIENCE = 30.0
POINTS = 10  # in each direction: about one for each element

both_ways = pytest.mark.parametrize("way", WAYS)


def points(whole: int) -> list[int]:
    return [max(1, whole * number // POINTS) for number in range(POINTS + 1)]


@both_ways
@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
async def test_entering(login: Login, server: Server, way: Way, direct: bool) -> None:
    """There is no connection: never is it the password that is wrong."""
    async with between(server.c2s_tls if direct else server.c2s) as net:
        there = Tcp([Target("127.0.0.1", net.port, direct)])
        async with login("nurse", connector=there) as me:
            await me.request(Ping())
            whole = net.carried[way]
        failed = 0
        for octets in points(whole):
            net.cuts.append(Cut(way, octets))
            try:
                async with asyncio.timeout(PATIENCE), login("nurse", connector=there) as me:
                    await me.request(Ping())
            except (ConnectionFailed, TlsError):
                failed += 1
            assert not net.cuts
        assert net.broken >= failed > POINTS // 2


@both_ways
async def test_coming_back(login: Login, server: Server, way: Way) -> None:
    """What was acknowledged has arrived; what arrived did so once.

    ejabberd 23.01 mixes up what is under way between its processes while a session is resumed.
    """
    async with (
        asyncio.timeout(PATIENCE),
        between(server.c2s) as net,
        login("mercutio") as mercutio,
        login("nurse", connector=Tcp([Target("127.0.0.1", net.port)])) as nurse,
    ):
        heard, answers = mercutio.messages(), nurse.messages()
        net.cut()
        await nurse.request(Ping())
        whole = net.carried[way]
        for octets in points(whole):
            net.cuts.append(Cut(way, octets))
            before = await nurse.send(mercutio.jid, f"{octets} before")
            await mercutio.send(nurse.jid, f"{octets} before")
            net.cut()
            after = await nurse.send(mercutio.jid, f"{octets} after")
            await mercutio.send(nurse.jid, f"{octets} after")
            expected = [f"{octets} before", f"{octets} after"]
            assert [(await heard.next()).message.body for _ in range(2)] == expected
            back = [(await answers.next()).message.body or "" for _ in range(2)]
            if server.name == "ejabberd":
                back.sort(key=expected.index)
            assert back == expected
            await before.acked
            await after.acked
            assert not net.cuts
        await mercutio.request(Ping())
        await nurse.request(Ping())
        assert net.broken > POINTS // 2
