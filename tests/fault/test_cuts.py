"""A connection breaks at every octet of a resumption and of a login: nothing is lost or twice."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from pyrite.core.ack import Acks
from pyrite.core.xml import Element

from ..peer import PASSWORD
from ..resuming import ASK, NS, ack, chat, enabled, ids, resumable, stanzas
from ..service import JULIET, MALLORY, NS_BIND, NS_SASL, ROMEO, Client, Service

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

BALCONY = JULIET.at("balcony")
HEADER = (
    "<stream:stream to='verona.lit' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)
PROOF = b64encode(f"\0{JULIET.local}\0{PASSWORD}".encode()).decode()
AUTH = f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{PROOF}</auth>"
BIND = f"<iq type='set' id='b'><bind xmlns='{NS_BIND}'><resource>tomb</resource></bind></iq>"
ENABLE = f"<enable xmlns='{NS}' resume='true'/>"
ROOM = "send-queue = 10000\nconnection-rate = 100000.0\nconnection-burst = 100000"


async def say(service: Service, steps: list[str], until_octet: int) -> Client:
    """Say so many octets of what the steps are, each when the one before is answered."""
    client = await service.connect()
    for step in steps:
        if step == HEADER:
            client.stream.restart()
        await client.write(step[:until_octet])
        until_octet -= len(step)
        if until_octet <= 0:
            break
        if step is not steps[-1]:
            await client.element()
    return client


async def cut(service: Service, client: Client, left: int) -> None:
    """Break the connection; `left` others stay."""
    await client.abort()
    service.peers.remove(client)
    await service.until_alone(left)


class Correspondent:
    """Juliet: what she has got, and what she does not know to have arrived."""

    def __init__(self, service: Service, client: Client, id: str) -> None:
        self.service, self.client, self.id = service, client, id
        self.said: Acks[str] = Acks()
        self.heard: list[str] = []

    def steps(self, more: str) -> list[str]:
        resume = f"<resume xmlns='{NS}' previd='{self.id}' h='{len(self.heard)}'/>"
        return [HEADER, AUTH, HEADER, resume + more + ASK]

    async def come_back(self) -> None:
        """Resume, say again what was lost, and hear what there is."""
        *before, last = self.steps("")
        self.client = await say(self.service, [*before, last.removesuffix(ASK)], 10_000)
        resumed = await self.client.element()
        assert resumed.name.tag == "resumed"
        self.said.acknowledge(int(resumed.attrs["h"]))
        again = self.said.rewind()
        self.said.send(again)
        await self.client.send("".join(chat(MALLORY, id) for id in again) + ASK)
        self._hear(await stanzas(self.client, "a"))
        await self.client.send(ack(len(self.heard)))

    def _hear(self, received: list[Element]) -> None:
        self.heard += ids(received)


async def test_a_resumption(tmp_path: Path) -> None:
    """Rule 64: whichever octet was the last, each side's messages arrive once and in order."""
    async with resumable(tmp_path, limits=ROOM) as service:
        mallory = await service.online(MALLORY.at("a"), available=True)
        romeo = await service.online(ROMEO.at("a"))
        client, id = await enabled(service, BALCONY)
        juliet = Correspondent(service, client, id)
        await cut(service, client, 2)
        arrived: list[str] = []
        octets = len("".join(juliet.steps(chat(MALLORY, "000"))))
        for octet in range(1, octets + 8):  # her counts grow, and her request with them
            await romeo.send(chat(BALCONY, f"{octet:03}"))
            await romeo.barrier()
            juliet.said.send([f"{octet:03}"])
            broken = await say(service, juliet.steps(chat(MALLORY, f"{octet:03}")), octet)
            await cut(service, broken, 2)
            await juliet.come_back()
            assert juliet.heard == [f"{n:03}" for n in range(1, octet + 1)]
            arrived += ids(await mallory.barrier())
            assert arrived == juliet.heard
            await cut(service, juliet.client, 2)


async def test_a_login(tmp_path: Path) -> None:
    """What is for her meanwhile is there when she has come at last, and once."""
    steps = [HEADER, AUTH, HEADER, BIND, ENABLE, f"<presence/>{ASK}"]
    async with resumable(tmp_path, limits=ROOM) as service:
        romeo = await service.online(ROMEO.at("a"))
        for octet in range(1, len("".join(steps)) + 1):
            client = await say(service, steps, octet)
            await romeo.send(chat(JULIET, str(octet)))
            await romeo.barrier()
            await cut(service, client, 1)
            left = list(service.server.sessions.of(JULIET).values())
            service.clock.advance(600)
            for session in left:
                await service.server.part(session)
            juliet = await service.online(BALCONY)
            await juliet.send("<presence/>")
            assert ids(await juliet.barrier()) == [str(octet)]
            await juliet.close()
            await service.until_alone(1)
