"""Whoever has two clients hears everything once on the one that stays, whatever the other does.

Contacts talk to the phone's full address, as they do once it has answered. It breaks off, comes
back, forgets how to, and leaves without a last word. The desk gets copies, or the messages
themselves: each of them once, in order. What happens comes from a seed: ``FAULT_SEED=1``.
"""

from __future__ import annotations

import os
import random
from itertools import count
from pathlib import Path

import pytest

from pyrite.core.jid import JID
from pyrite.core.stanza import NS as NS_CLIENT
from pyrite.core.xml import Element

from ..peer import PASSWORD, Peer
from ..process import Process, running
from ..resuming import NS, ack, chat
from .test_stop import complaints

SEED = int(os.environ.get("FAULT_SEED") or random.randrange(1 << 32))
ROUNDS = 80
FRIENDS = "romeo", "nurse", "benvolio"
JULIET = JID.parse("juliet@verona.lit")
HOST = '[host."verona.lit"]\n'  # and all else as it is by default
CARBONS = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>"

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


class Phone:
    """A client that acknowledges when it likes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._previd = ""
        self.handled = 0
        self._heard: list[str] = []  # in this session
        self.peer: Peer | None = None
        self.resumed = 0

    async def come(self) -> None:
        """Go on with the session, or begin one."""
        self.peer = await Peer.connect(self._port)
        await self.peer.authenticate(JULIET)
        if self._previd:
            wish = f"<resume xmlns='{NS}' previd='{self._previd}' h='{self.handled}'/>"
            if (await self.peer.ask(wish)).name.tag == "resumed":
                self.resumed += 1
                return
        self.handled, self._heard = 0, []
        await self.peer.take_resource("phone")
        enabled = await self.peer.ask(f"<enable xmlns='{NS}' resume='true'/>")
        self._previd = enabled.attrs["id"]
        await self.peer.send("<presence/>")

    async def hear(self) -> None:
        assert self.peer is not None
        await self.peer.send("<iq type='get' id='heard'><ping xmlns='urn:xmpp:ping'/></iq>")
        while (element := await self.peer.element()).attrs.get("id") != "heard":
            self._note(element)
        self.handled += 1

    def _note(self, element: Element) -> None:
        if element.name.ns == NS_CLIENT:
            self.handled += 1
        if element.name.tag == "message":
            self._heard.append(element.attrs["id"])
            assert len(set(self._heard)) == len(self._heard), self._heard

    async def go(self, how: str) -> None:
        peer, self.peer = self.peer, None
        assert peer is not None
        if how == "goodbye":
            await peer.close()
        else:
            await peer.abort()
        if how != "cut":
            self._previd = ""


async def test_the_desk_hears_each_message_once(tmp_path: Path) -> None:
    chance, numbers = random.Random(SEED), {friend: count() for friend in FRIENDS}
    print(f"\nseed {SEED}")
    async with running(tmp_path, HOST) as server:
        friends = await populated(server)
        desk = await server.online(f"{JULIET}/desk")
        await desk.send(f"{CARBONS}<presence/>")
        heard = await desk.barrier()
        phone = Phone(server.port)
        for _ in range(ROUNDS):
            if phone.peer is None and chance.random() < 0.7:
                await phone.come()
            for friend, peer in friends.items():
                for _ in range(chance.randrange(4)):
                    await peer.send(chat(f"{JULIET}/phone", f"{friend}-{next(numbers[friend])}"))
                if chance.random() < 0.5:
                    await peer.barrier()
            if phone.peer is not None:
                if chance.random() < 0.7:
                    await phone.hear()
                if chance.random() < 0.3:
                    await phone.peer.send(ack(phone.handled))
                if chance.random() < 0.5:
                    await phone.go(chance.choice(("cut", "cut", "goodbye", "forgotten")))
        for peer in friends.values():
            await peer.barrier()
        if phone.peer is not None:
            await phone.go("goodbye")
        await phone.come()
        await phone.hear()  # by then the session before has come to its end
        heard += await desk.barrier()
        await phone.go("cut")
    assert complaints(server) == []
    ids = [id for id in map(id_in, heard) if id]
    for friend in FRIENDS:
        said = [f"{friend}-{number}" for number in range(next(numbers[friend]))]
        assert [id for id in ids if id.startswith(friend)] == said
    assert phone.resumed > 3  # or it shows nothing


async def populated(server: Process) -> dict[str, Peer]:
    for name in (*FRIENDS, "juliet"):
        await server.ask("account-add", jid=f"{name}@verona.lit", password=PASSWORD)
    return {friend: await server.online(f"{friend}@verona.lit/home") for friend in FRIENDS}


def id_in(element: Element) -> str | None:
    """Of a message, or of the one that is copied in it."""
    if element.name.tag != "message":
        return None
    found = element.attrs.get("id")
    for child in element.elements:
        found = found or id_in(child)
        for forwarded in child.elements:
            for message in forwarded.elements:
                found = found or id_in(message)
    return found
