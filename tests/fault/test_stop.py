"""The server stops, and is killed, amid work: what was promised is there afterwards."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from pyrite.core.errors import StreamError
from pyrite.core.jid import JID
from pyrite.core.stream import ERROR, read_error
from pyrite.core.xml import Closed, Element

from ..peer import PASSWORD, PATIENCE, HungUpError, Peer
from ..process import Process, running

HOST = """
[host."verona.lit"]
[modules.offline]
count = 100000
size = "32MiB"
[limits]
send-queue = 100000
send-queue-size = "64MiB"
"""
ROMEO, JULIET = "romeo@verona.lit", "juliet@verona.lit"
BURST = 20  # messages in one write
LIVES = 3  # times that the server is killed
BIG = "x" * 8000

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


def chat(to: str, body: str) -> str:
    return f"<message to='{to}' type='chat'><body>{body}</body></message>"


async def populate(server: Process) -> None:
    for account in (ROMEO, JULIET):
        await server.ask("account-add", jid=account, password=PASSWORD)


def complaints(server: Process) -> list[str]:
    """Lines of its log at which somebody has to look."""
    return [
        line for line in server.lines if " warning " in line or " error " in line or "|" in line
    ]


class Talker:
    """One who writes to another as fast as that one reads, to the end."""

    def __init__(self, peer: Peer, to: str) -> None:
        self.peer, self.to = peer, to
        self.window = asyncio.Semaphore(5 * BURST)  # messages that are under way to the other
        self.heard = asyncio.Event()

    async def talk(self) -> None:
        try:
            for turn in count():
                for _ in range(BURST):
                    await self.window.acquire()
                await self.peer.send(chat(self.to, f"turn {turn}") * BURST)
        except ConnectionError:
            return  # the server has gone

    async def listen(self, other: Talker) -> StreamError:
        """The error that the stream ends with."""
        while True:
            event = await self.peer.event()
            if isinstance(event, Element) and event.name == ERROR:
                (end,) = await self.peer.rest()
                assert isinstance(end, Closed)
                self.peer.writer.transport.abort()  # so that the server need not wait for us
                return read_error(event)
            if isinstance(event, Element):
                self.heard.set()
                other.window.release()


async def test_everybody_is_told_and_nothing_is_complained_of(tmp_path: Path) -> None:
    async with running(tmp_path, HOST) as server:
        await populate(server)
        talkers: list[tuple[Talker, Talker]] = []
        for n in range(4):
            one, other = f"{ROMEO}/{n}", f"{JULIET}/{n}"
            here, there = await server.online(one), await server.online(other)
            talkers += [(Talker(here, other), Talker(there, one))]
        sides = [side for pair in talkers for side in (pair, pair[::-1])]
        talking = [asyncio.create_task(one.talk()) for one, _ in sides]
        hearing = [asyncio.create_task(one.listen(other)) for one, other in sides]
        for one, _ in sides:
            await one.heard.wait()
        server.tell(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            errors = await asyncio.gather(*hearing)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        assert await server.end() == 0
    assert {error.condition for error in errors} == {"system-shutdown"}
    assert complaints(server) == []


async def test_what_a_client_does_not_read_is_kept(tmp_path: Path) -> None:
    """Whatever is in no socket's buffer waits for the next time, in order."""
    number = 700
    async with running(tmp_path, HOST) as server:
        await populate(server)
        romeo = await server.online(f"{ROMEO}/garden")
        juliet = await deaf(server, f"{JULIET}/balcony")
        for n in range(number):
            await romeo.send(chat(JULIET, f"{n} {BIG}"))
        await romeo.barrier()
        shown = await server.ask("sessions-list")
        queued = {one["jid"]: one["queued"] for one in shown}[f"{JULIET}/balcony"]
        assert queued > 100
        server.tell(signal.SIGTERM)
        *_, error, _ = [one for one in await romeo.rest() if isinstance(one, Element | Closed)]
        assert isinstance(error, Element)
        assert read_error(error).condition == "system-shutdown"
        romeo.writer.transport.abort()
        assert await server.end() == 0
        read = [number_of(one) for one in await juliet.rest() if isinstance(one, Element)]
        assert complaints(server) == []
    async with running(tmp_path, HOST) as server:
        kept = await offline(await server.online(f"{JULIET}/balcony"))
    assert kept == list(range(number - queued, number))
    # what was in the server's own buffer when the client was given up is all that can be gone
    assert len(read) > number - queued - 20
    assert read == list(range(len(read)))


async def deaf(server: Process, jid: str) -> Peer:
    """A client whose system takes little, and which reads no more once it is available."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
    peer = Peer(*await asyncio.open_connection(sock=sock, limit=2048))
    server.peers.append(peer)
    await peer.log_in(JID.parse(jid))
    await peer.send("<presence/>")
    await peer.barrier()
    return peer


def number_of(message: Element) -> int:
    (body,) = [child for child in message.elements if child.name.tag == "body"]
    return int(body.text.partition(" ")[0])


async def offline(peer: Peer) -> list[int]:
    """The numbers of the messages that have waited for a client."""
    await peer.send("<presence/>")
    return [number_of(one) for one in await peer.barrier() if one.name.tag == "message"]


# --- killed ------------------------------------------------------------------------------


class Deeds:
    """What one client has done, and what of it was acknowledged, over several lives."""

    def __init__(self) -> None:
        self.numbers = count()
        self.contacts: set[str] = set()
        self.private = -1  # the last value
        self.messages: set[int] = set()

    def batch(self, size: int) -> Iterator[tuple[str, str, int]]:
        """What is sent: id, stanza, number. A message counts once what follows it is answered."""
        for n in (next(self.numbers) for _ in range(size)):
            yield (
                f"roster-{n}",
                f"<iq type='set' id='roster-{n}'><query xmlns='jabber:iq:roster'>"
                f"<item jid='contact{n}@verona.lit'/></query></iq>",
                n,
            )
            yield (
                f"private-{n}",
                f"<iq type='set' id='private-{n}'><query xmlns='jabber:iq:private'>"
                f"<notes xmlns='urn:test'>{n}</notes></query></iq>",
                n,
            )
            ping = f"<iq type='get' id='message-{n}'><ping xmlns='urn:xmpp:ping'/></iq>"
            yield f"message-{n}", chat(JULIET, f"{n} ") + ping, n

    def acknowledged(self, id: str) -> None:
        kind, _, number = id.partition("-")
        n = int(number)
        if kind == "roster":
            self.contacts.add(f"contact{n}@verona.lit")
        elif kind == "private":
            self.private = max(self.private, n)
        else:
            self.messages.add(n)


async def work_until_killed(server: Process, deeds: Deeds, answers: int) -> None:
    """Send without waiting; once so many answers have come, kill the server amid the rest."""
    romeo = await server.online(f"{ROMEO}/garden")
    batch = "".join(xml for _, xml, _ in deeds.batch(40))
    sending = asyncio.create_task(romeo.send(batch))
    try:
        while answers:
            answer = await romeo.element()
            if answer.attrs.get("type") == "result":
                deeds.acknowledged(answer.attrs["id"])
                answers -= 1
        await server.kill()
        while True:  # what it had still said counts, too
            answer = await romeo.element()
            if answer.attrs.get("type") == "result":
                deeds.acknowledged(answer.attrs["id"])
    except (HungUpError, ConnectionError):
        pass
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def check(server: Process, deeds: Deeds) -> None:
    """All that was acknowledged is there."""
    romeo = await server.online(f"{ROMEO}/garden")
    roster = await romeo.ask("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    contacts = {e.attrs["jid"] for query in roster.elements for e in query.elements}
    assert deeds.contacts <= contacts
    private = await romeo.ask(
        "<iq type='get' id='p'><query xmlns='jabber:iq:private'><notes xmlns='urn:test'/>"
        "</query></iq>"
    )
    (notes,) = [e for query in private.elements for e in query.elements]
    assert int(notes.text or "-1") >= deeds.private
    juliet = await server.online(f"{JULIET}/balcony")
    waiting = await offline(juliet)
    await juliet.close()
    assert deeds.messages <= set(waiting)
    assert waiting == sorted(set(waiting)), "once each, and in order"
    deeds.messages.clear()  # she has them now


async def test_what_was_acknowledged_outlives_being_killed(tmp_path: Path) -> None:
    chance, deeds = random.Random(6120), Deeds()
    async with asyncio.timeout(3 * PATIENCE):
        for life in range(LIVES + 1):
            async with running(tmp_path, HOST) as server:
                if not life:
                    await populate(server)
                else:
                    await check(server, deeds)
                if life < LIVES:
                    await work_until_killed(server, deeds, chance.randrange(1, 100))
    assert len(deeds.contacts) > LIVES
