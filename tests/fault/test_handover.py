"""What waited for somebody waits until it is there, whatever happens on the way (XEP-0160)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyrite.core.xml import Element

from ..peer import PATIENCE, Peer
from ..process import running
from ..resuming import ack, chat, enable, handled, ids, resumable, resume, strand
from ..service import JULIET, Client, Service, until
from .test_stop import HOST, populate

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

BALCONY = JULIET.at("balcony")
ROMEO = "romeo@verona.lit/garden"


async def coming(service: Service, wish: str = "resume='true'") -> tuple[Client, str]:
    """Juliet, with acknowledgements from the beginning, and the id of her session."""
    juliet = await service.online(BALCONY)
    answer = await enable(juliet, wish)
    await juliet.send("<presence/>")
    return juliet, answer.attrs.get("id", "")


async def until_away(service: Service) -> None:
    await until(lambda: service.server.sessions.find(BALCONY) is None)
    await service.server.left(JULIET)


async def said(service: Service, romeo: Client, *texts: str) -> None:
    for text in texts:
        await romeo.send(chat(JULIET, text))
    await romeo.barrier()


async def test_who_goes_before_it_acknowledges_gets_it_again_in_its_place(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        romeo = await service.online(ROMEO)
        await said(service, romeo, "0", "1", "2")
        juliet, _ = await coming(service, wish="")
        assert ids([e for e in await juliet.barrier() if e.name.tag == "message"]) == list("012")
        await juliet.send(ack(2))  # her own presence, and the first
        await juliet.barrier()
        await until_kept(service, 2)
        await said(service, romeo, "3")
        await juliet.abort()
        await until_away(service)
        await said(service, romeo, "4")
        again, _ = await coming(service)
        assert ids(await again.barrier()) == list("1234")
        await again.send(ack(5))  # her presence, too
        await until_kept(service, 0)


async def until_kept(service: Service, count: int) -> None:
    """Wait until so many messages wait."""
    async with asyncio.timeout(PATIENCE):
        while await service.server.stores.offline.count(JULIET) != count:
            continue


async def test_a_session_that_goes_on_gets_it_once(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        romeo = await service.online(ROMEO)
        await said(service, romeo, "0", "1", "2")
        juliet, id = await coming(service)
        assert await handled(juliet) == 1
        await strand(service, juliet)
        await said(service, romeo, "3")
        back, _ = await resume(service, BALCONY, id, 3)  # presence and two messages
        assert ids(await back.barrier()) == ["2", "3"]
        await until_kept(service, 2)  # the last is, since its connection was broken
        await back.send(ack(5))
        await until_kept(service, 0)


async def test_it_outlives_a_kill(tmp_path: Path) -> None:
    """Handed over, and not acknowledged: it is nobody's but the server's."""
    async with running(tmp_path, HOST) as server:
        await populate(server)
        romeo = await server.online(ROMEO)
        for text in "012":
            await romeo.send(chat(JULIET, text))
        await romeo.barrier()
        juliet = await server.online(str(BALCONY))
        assert (await juliet.ask("<enable xmlns='urn:xmpp:sm:3'/>")).name.tag == "enabled"
        await juliet.send("<presence/>")
        assert ids(await heard(juliet)) == list("012")
        await server.kill()
    async with running(tmp_path, HOST) as server:
        juliet = await server.online(str(BALCONY))
        await juliet.send("<presence/>")
        assert ids(await heard(juliet)) == list("012")


async def heard(peer: Peer) -> list[Element]:
    return [element for element in await peer.barrier() if element.name.tag == "message"]
