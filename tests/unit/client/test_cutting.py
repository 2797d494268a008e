"""The net breaks at every point of connecting, logging in and resuming, in both directions."""

import asyncio
from pathlib import Path

import pytest
from tests.cutting import WAYS, Cut, Net, Way, between
from tests.peer import PASSWORD
from tests.service import JULIET, ROMEO, Service, serving

from pyrite.client.account import Trust, VolatileStore
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.errors import ConnectionFailed, TlsError
from pyrite.client.heard import Heard
from pyrite.client.keeper import Backoff
from pyrite.core.jid import JID
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping

PATIENCE = 20.0
POINTS = 25  # in each direction

secured = pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
both_ways = pytest.mark.parametrize("way", WAYS)


def port_of(service: Service, direct: bool) -> int:
    return service.server.listeners.ports["c2s-tls" if direct else "c2s"]


def client(
    service: Service, jid: JID, port: int, direct: bool, tokens: VolatileStore | None = None
) -> Client:
    return Client(
        jid,
        PASSWORD,
        trust=Trust(authorities=service.folder / "ca.pem"),
        connector=Tcp([Target("127.0.0.1", port, direct)]),
        backoff=Backoff(first=0.001, most=0.002),
        tokens=tokens,
    )


def points(whole: int) -> list[int]:
    """From before the first octet to behind the last one."""
    return sorted({whole * number // POINTS for number in range(POINTS)} | {1, whole})


async def bodies(heard: Heard, count: int) -> list[str | None]:
    return [(await heard.next()).message.body for _ in range(count)]


@secured
@both_ways
async def test_entering(tmp_path: Path, way: Way, direct: bool) -> None:
    """It raises that there is no connection, and at once: never that the password is wrong."""
    async with serving(tmp_path) as service, between(port_of(service, direct)) as net:
        async with client(service, ROMEO, net.port, direct) as me:
            await me.request(Ping())
            whole = net.carried[way]
        failed = 0
        for octets in points(whole)[1:]:
            net.cuts.append(Cut(way, octets))
            try:
                async with (
                    asyncio.timeout(PATIENCE),
                    client(service, ROMEO, net.port, direct) as me,
                ):
                    await me.request(Ping())
            except (ConnectionFailed, TlsError):
                failed += 1
            assert not net.cuts
        assert net.broken >= failed > POINTS // 2


@secured
@both_ways
async def test_coming_back(tmp_path: Path, way: Way, direct: bool) -> None:
    """What was said arrives once and in order, wherever coming back is cut."""
    async with (
        serving(tmp_path) as service,
        between(port_of(service, direct)) as net,
        client(service, JULIET, service.port, False) as juliet,
        client(service, ROMEO, net.port, direct) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        heard, answers = juliet.messages(), romeo.messages()
        whole = await _size_of_coming_back(net, romeo, way)
        for octets in points(whole):
            number = f"{octets}"
            before = await romeo.send(juliet.jid, f"{number} before")
            await juliet.send(romeo.jid, f"{number} before")
            net.cuts.append(Cut(way, max(octets, 1)))
            net.cut()
            after = await romeo.send(juliet.jid, f"{number} after")
            await juliet.send(romeo.jid, f"{number} after")
            expected = [f"{number} before", f"{number} after"]
            assert await bodies(heard, 2) == expected
            assert await bodies(answers, 2) == expected
            await before.acked
            await after.acked
            assert not net.cuts
        await juliet.request(Ping())
        await romeo.request(Ping())
        assert net.broken > POINTS // 2


async def _size_of_coming_back(net: Net, me: Client, way: Way) -> int:
    net.cut()
    await me.request(Ping())
    return net.carried[way]
