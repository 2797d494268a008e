"""The disk is full, or another process holds the database: nobody is told that it was not so.

Who sends waits, and hears an acknowledgement or an error in the end; who is online hears what is
said meanwhile; and when the trouble is over, the server goes on as if there had been none.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pyrite.core.jid import JID
from pyrite.core.xml import Element
from pyrite.server.debts import MOST
from tests.resuming import handled_late
from tests.service import JULIET, Client, Service, serving, until

from .world import archive

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

NS_SM = "urn:xmpp:sm:3"
ROOM = "offline.count = 20_000\noffline.size = '64MiB'"
LIMITS = "send-queue = 50_000\nsend-queue-size = '256MiB'"
BUSY = 5_000 if "FAULT_KILLS" in os.environ else 100  # milliseconds to wait for a lock
TO, BODY = f"to='{JULIET}' type='chat'", f"<body>{'x' * 1500}</body>"


class Sender:
    """Somebody who says numbered things to Juliet, and hears what becomes of each."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name
        self.sent = self.acknowledged = 0
        self.refused: dict[int, str] = {}  # and why

    @classmethod
    async def online(cls, service: Service, name: str) -> Sender:
        client = await service.online(f"{name}@verona.lit/{name}")
        answer = await client.ask(f"<enable xmlns='{NS_SM}'/>")
        assert answer.name.tag == "enabled"
        return cls(client, name)

    def say(self, times: int = 1) -> str:
        """So many messages, each numbered, as they are to be written."""
        numbers = range(self.sent, self.sent + times)
        self.sent += times
        return "".join(f"<message {TO} id='{self.name} {n}'>{BODY}</message>" for n in numbers)

    async def settled(self) -> None:
        """Hear until all that was sent is acknowledged, refused or not."""
        await self.client.send(f"<r xmlns='{NS_SM}'/>")
        while self.acknowledged < self.sent:
            self.hear(await self.client.element())

    def hear(self, element: Element) -> None:
        match element.name.tag:
            case "a":
                self.acknowledged = int(element.attrs["h"])
            case "message":
                assert element.attrs["type"] == "error"
                error = next(e for e in element.elements if e.name.tag == "error")
                number = int(element.attrs["id"].partition(" ")[2])
                assert number not in self.refused, "told twice"
                self.refused[number] = next(error.elements).name.tag

    @property
    def kept(self) -> list[str]:
        """What has to be there for Juliet."""
        return [f"{self.name} {n}" for n in range(self.acknowledged) if n not in self.refused]


async def all_is_kept(service: Service, *senders: Sender) -> None:
    """What was acknowledged, and not refused, waited for Juliet, and is in her archive."""
    juliet = await service.online("juliet@verona.lit/balcony")
    archived = await archive(juliet)
    await juliet.close()
    juliet = await service.online("juliet@verona.lit/balcony")
    await juliet.send("<presence/>")
    waited = [e.attrs["id"] for e in await juliet.barrier() if e.name.tag == "message"]
    for sender in senders:
        assert sender.kept
        for found in (archived, waited):
            assert sender.kept == [id for id in found if id in sender.kept]
    assert len(set(waited)) == len(waited)
    assert len(set(archived)) == len(archived)


async def time_passes(service: Service, done: Awaitable[None]) -> None:
    """Let the clock run until `done`: what is patient with the disk goes by it."""
    waiting = asyncio.ensure_future(done)
    while not waiting.done():
        service.clock.advance(0.02)
        await asyncio.sleep(0)
    await waiting


async def pragma(service: Service, text: str) -> None:
    """Set something of the connection that writes."""
    await service.server.stores.engine.write(lambda db: db.execute(f"PRAGMA {text}").fetchall())


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """Another program writes to the database, and takes its time."""
    path = service.folder / "data" / "pyrite.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")


async def chat_goes_on(service: Service) -> None:
    """Two who are online hear each other at once."""
    names = "mallory@verona.lit/a", "benvolio@mantua.lit/b"
    one, other = [await service.online(name, available=True) for name in names]
    for _ in range(20):
        await one.send(f"<message to='{names[1]}' type='chat'>{BODY}</message>")
        assert (await other.element()).name.tag == "message"
        await other.send(f"<message to='{names[0]}' type='chat'>{BODY}</message>")
        assert (await one.element()).name.tag == "message"
    for peer in (one, other):
        await peer.abort()


def is_told(caplog: pytest.LogCaptureFixture, reason: str) -> bool:
    """Whether the log says to who looks after the server what is wrong, and nothing else."""
    lines = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    print("\n".join(lines))
    caplog.clear()
    return lines.count(f"writing fails: {reason}") == 1 and all(reason in line for line in lines)


async def test_a_lock_that_goes_is_waited_for(tmp_path: Path) -> None:
    """Nothing fails, and nothing is acknowledged before it is kept."""
    async with serving(tmp_path, clear=True, host=ROOM, limits=LIMITS) as service:
        romeo = await Sender.online(service, "romeo")
        with locked(service):
            await romeo.client.send(romeo.say(10) + f"<r xmlns='{NS_SM}'/>")
            await chat_goes_on(service)
            assert service.server.stores.engine.waiting > 0
            assert romeo.acknowledged == 0
        await time_passes(service, romeo.settled())
        assert romeo.refused == {}
        await all_is_kept(service, romeo)


async def test_a_lock_that_stays_is_told_to_who_sends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, clear=True, host=ROOM, limits=LIMITS) as service:
        await pragma(service, f"busy_timeout = {BUSY}")
        romeo = await Sender.online(service, "romeo")
        await romeo.client.send(romeo.say(3))
        await romeo.settled()
        with locked(service):
            await romeo.client.send(romeo.say(3))
            await time_passes(service, romeo.settled())
            assert set(romeo.refused.values()) <= {"resource-constraint"}
            await chat_goes_on(service)
        await romeo.client.send(romeo.say(3))
        await time_passes(service, romeo.settled())
        assert sorted(romeo.refused) == [3, 4, 5]
        await all_is_kept(service, romeo)
    assert is_told(caplog, "database is locked")


async def test_who_is_online_gets_what_cannot_be_kept_and_the_sender_hears_that_it_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Delivered at once, acknowledged with an error, and not kept."""
    async with serving(tmp_path, clear=True, host=ROOM, limits=LIMITS) as service:
        await pragma(service, f"busy_timeout = {BUSY}")
        juliet = await service.online("juliet@verona.lit/balcony", available=True)
        romeo = await Sender.online(service, "romeo")
        with locked(service):
            await romeo.client.send(romeo.say(30))
            heard = [(await juliet.element()).attrs["id"] for _ in range(30)]
            assert heard == [f"romeo {number}" for number in range(30)]
            assert await handled_late(service, romeo.client) == 0
            await time_passes(service, romeo.settled())
        assert romeo.refused == dict.fromkeys(range(30), "resource-constraint")
        await romeo.client.send(romeo.say(5))
        await time_passes(service, romeo.settled())
        assert [(await juliet.element()).attrs["id"] for _ in range(5)] == romeo.kept
        assert await archive(juliet) == romeo.kept
    assert is_told(caplog, "database is locked")


async def test_a_full_disk_is_told_to_who_sends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, clear=True, host=ROOM, limits=LIMITS) as service:
        romeo = await Sender.online(service, "romeo")
        tybalt = await Sender.online(service, "mallory")
        await pragma(service, "max_page_count = 1")  # no more than there are now
        for sender in (romeo, tybalt):
            await sender.client.send(sender.say(40))
        for sender in (romeo, tybalt):
            await time_passes(service, sender.settled())
            assert sender.refused
            assert set(sender.refused.values()) <= {"resource-constraint"}
        await chat_goes_on(service)
        await pragma(service, "max_page_count = 1073741823")
        for sender in (romeo, tybalt):
            await sender.client.send(sender.say(10))
            await time_passes(service, sender.settled())
            assert not sender.refused.keys() & range(40, 50)
        await all_is_kept(service, romeo, tybalt)
    assert is_told(caplog, "database or disk is full")


async def test_who_does_not_stop_is_read_no_further(tmp_path: Path) -> None:
    """A sender is not far ahead of the disk, however much it sends: memory has a bound."""
    number = 3 * MOST
    async with serving(tmp_path, clear=True, host=ROOM, limits=LIMITS) as service:
        romeo = await Sender.online(service, "romeo")
        session = service.server.sessions.find(JID.parse("romeo@verona.lit/romeo"))
        assert session is not None
        with locked(service):
            sending = asyncio.create_task(romeo.client.send(romeo.say(number)))
            await until(lambda: service.server.stores.engine.waiting > 0)
            handled = -1
            while handled < session.handled:
                handled = session.handled
                await chat_goes_on(service)
            assert session.handled <= MOST + 2
            assert service.server.stores.engine.waiting <= 2 * MOST + 10
        await sending
        await time_passes(service, romeo.settled())
        assert romeo.refused == {}
        await all_is_kept(service, romeo)
