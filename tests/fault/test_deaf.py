"""Somebody who never reads, while three others write: it is that one's session that ends.

What it had not taken waits for it elsewhere, or its sender has been told that it does not.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from pyrite.core.jid import JID
from pyrite.core.xml import Element
from pyrite.server.session import Session
from tests.service import Client, Service, serving, until

from .world import PLAIN, archive

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

NS_SM = "urn:xmpp:sm:3"
DEAF = JID.parse("juliet@verona.lit/deaf")
MOST = 100  # stanzas that may wait for a client
LIMITS = f"send-queue = {MOST}\nsend-queue-size = '400kB'"
SENDERS = ("romeo@verona.lit/a", "mallory@verona.lit/b", "benvolio@mantua.lit/c")
BODY = f"<body>{'x' * 4000}</body>"
TURNS, BURST = 20, 20  # of each sender


async def deaf(service: Service) -> Client:
    """A client of Juliet's whose system holds little for it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", service.port))
    client = Client(*await asyncio.open_connection(sock=sock, limit=2048))
    service.peers.append(client)
    await client.log_in(DEAF)
    return client


def ids(events: Sequence[object]) -> list[str]:
    messages = (e for e in events if isinstance(e, Element) and e.name.tag == "message")
    return [message.attrs["id"] for message in messages]


class Sender:
    """Writes to Juliet, and hears at once what becomes of it, though she does not read."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name
        self.said: list[str] = []
        self.refused: set[str] = set()

    async def write(self, session: Session) -> None:
        for _ in range(TURNS):
            burst = [f"{self.name} {len(self.said) + number}" for number in range(BURST)]
            self.said += burst
            words = [f"<message to='{DEAF.bare}' id='{id}'>{BODY}</message>" for id in burst]
            await self.client.send("".join(words))
            await self.hear()
            unacknowledged = session.acks.unacknowledged if session.acks else ()
            assert len(session.queue) + len(unacknowledged) <= MOST + 1

    async def hear(self) -> None:
        self.refused.update(ids(await self.client.barrier()))


@pytest.mark.parametrize("host", [PLAIN, ""], ids=["without archive", "with archive"])
@pytest.mark.parametrize("acknowledges", [False, True], ids=["plain", "acknowledging"])
async def test_a_client_that_never_reads_loses_nothing_and_holds_up_nobody(
    acknowledges: bool, host: str, tmp_path: Path
) -> None:
    async with serving(tmp_path, clear=True, host=host, limits=LIMITS) as service:
        juliet = await deaf(service)
        if acknowledges:
            answer = await juliet.ask(f"<enable xmlns='{NS_SM}' resume='true'/>")
            assert answer.name.tag == "enabled"
        await juliet.send("<presence/>")
        await juliet.barrier()
        session = service.server.sessions.find(DEAF)
        assert session is not None
        senders = [Sender(await service.online(jid), jid) for jid in SENDERS]
        async with asyncio.TaskGroup() as tasks:
            for sender in senders:
                tasks.create_task(sender.write(session))
        assert session.ended is not None
        assert session.ended.condition == "resource-constraint"
        await until(lambda: service.server.sessions.find(DEAF) is None)
        read = ids(await juliet.rest())
        waited, archived = await kept(service, has_archive=not host)
        assert len(waited) >= MOST // 4
        for sender in senders:
            await sender.hear()
            own = [id for id in waited if id in sender.said]
            assert own == [id for id in sender.said if id in own]
            if host:
                assert not set(sender.said) - sender.refused - set(read) - set(waited)
            else:  # what is in the archive is not refused where too much waits
                assert [id for id in archived if id in sender.said] == sender.said
                assert not sender.refused


async def kept(service: Service, *, has_archive: bool) -> tuple[list[str], list[str]]:
    """What waits for Juliet, and what is in her archive."""
    juliet = await service.online("juliet@verona.lit/again")
    await juliet.send("<presence/>")
    waited = ids(await juliet.barrier())
    return waited, await archive(juliet) if has_archive else []
