"""Attack 27: one client that sends as fast as it can. It waits; others do not."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.service import Client, serving, until

from pyrite.core.jid import JID
from pyrite.net.connection import READ_SIZE

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

FLOODS = {
    "messages": "<message to='juliet@verona.lit/b' type='chat'><body>x</body></message>",
    "to nobody": "<message to='nobody@verona.lit/x' type='chat'><body>x</body></message>",
    "discovery": (
        "<iq type='get' id='1' to='verona.lit'>"
        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    ),
    "roster": "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
    "presence": "<presence/>",
    "refused": "<iq type='get' id='1'><x xmlns='urn:x'/></iq>",
    "white space": " " * 200,
}


async def slowest(client: Client, times: int = 10) -> float:
    """Seconds of work, of the server and of its clients, that the slowest of some requests took."""
    most = 0.0
    for _ in range(times):
        began = time.process_time()
        await client.barrier()
        most = max(most, time.process_time() - began)
    return most


@pytest.mark.parametrize("stanza", FLOODS.values(), ids=FLOODS)
async def test_others_are_served(stanza: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/a")
        juliet = await service.online("juliet@verona.lit/b")
        mallory = await service.online("mallory@verona.lit/m")

        async def listen(client: Client) -> None:
            while True:
                await client.event()

        listening = [asyncio.create_task(listen(c)) for c in (juliet, mallory)]
        await mallory.write(stanza * 600)
        assert await slowest(romeo) < 1.0
        for task in listening:
            task.cancel()


async def test_stanzas_have_a_budget(tmp_path: Path) -> None:
    """Nothing is lost or refused: what is over the budget is read later."""
    toml = "\n[modules.rate]\nstanzas = 1.0\nburst = 20\n"
    async with serving(tmp_path, clear=True, more=toml) as service:
        mallory = await service.online("mallory@verona.lit/m")
        romeo = await service.online("romeo@verona.lit/a")
        await mallory.write(
            "".join(f"<message to='romeo@verona.lit/a' id='{n}'/>" for n in range(60))
        )
        for number in range(20):
            assert (await romeo.element()).attrs["id"] == str(number)
        got = len(await romeo.barrier())
        assert got <= 1
        service.clock.advance(1)
        got += len(await romeo.barrier())
        assert got <= 3
        assert not any(c.connection.is_closing for c in service.server.listeners.connections)
        while got < 40:
            service.clock.advance(1)
            got += len(await romeo.barrier())


async def test_octets_have_a_budget(tmp_path: Path) -> None:
    """A client that sends more than it may is read more slowly."""
    limits = "read-rate = '64KiB'\nread-burst = '64KiB'"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        mallory = await service.online("mallory@verona.lit/m")
        romeo = await service.online("romeo@verona.lit/a")
        began = asyncio.get_running_loop().time()
        mallory.writer.write(
            b"".join(
                b"<message to='romeo@verona.lit/a' id='%d'><body>%s</body></message>"
                % (n, b"x" * 8000)
                for n in range(100)
            )
        )
        (mine,) = (
            c
            for c in service.server.listeners.connections
            if c.jid == JID.parse("mallory@verona.lit")
        )
        await until(lambda: mine.connection.bytes_in > 60_000)
        await romeo.is_served()
        await asyncio.sleep(0.05)
        passed = asyncio.get_running_loop().time() - began
        assert mine.connection.bytes_in < (64 << 10) * (1 + passed) + 2 * READ_SIZE


async def test_tables_do_not_grow_with_what_is_sent(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        server = service.server
        mallory = await service.online("mallory@verona.lit/m")
        for number in range(300):
            await mallory.send(
                f"<iq type='result' id='{number}' to='verona.lit'/>"
                f"<iq type='get' id='{number}' to='x{number}@verona.lit'>"
                f"<x xmlns='urn:{number}'/></iq>"
                f"<message type='error' to='x{number}@verona.lit/x'/>"
            )
        await mallory.barrier()
        (session,) = server.sessions
        assert not session.awaiting
        assert len(server.scope) < 10
        assert session.queue == []


async def test_a_flood_at_the_door(tmp_path: Path) -> None:
    """Hundreds of requests without an account, in one connection."""
    async with serving(tmp_path, clear=True, host='registration = "open"') as service:
        romeo = await service.online("romeo@verona.lit/a")
        client = await service.connect()
        await client.open("verona.lit")
        await client.write("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>" * 500)
        for _ in range(500):
            assert (await client.element()).attrs["type"] == "result"
        await romeo.is_served()
