"""What waits for a client to read it: bounded, and kept for one that is only busy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import JULIET, ROMEO, serving, until

from pyrite.core.jid import JID
from pyrite.core.stanza import Message, Presence
from pyrite.core.xml import Element, Name
from pyrite.server.store.roster import Edit, Item
from pyrite.wire.presence import Status

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ROMEO_A = JID.parse("romeo@verona.lit/a")
SMALL = "send-queue = 10\nsend-queue-size = '100kB'"


async def test_a_burst_is_no_flood(tmp_path: Path) -> None:
    """Contacts' presence comes all at once: whoever takes it is not too slow."""
    async with serving(tmp_path, clear=True, limits=SMALL) as service:
        romeo = await service.online(ROMEO_A)
        (session,) = service.server.sessions
        for number in range(2_000):
            session.send(Presence(to=ROMEO_A, sender=JULIET, id=str(number)))
        assert session.ended is None
        received = await romeo.barrier()
        assert [e.attrs["id"] for e in received] == [str(number) for number in range(2_000)]


@pytest.mark.parametrize("secure", [False, True])
async def test_whoever_does_not_read_is_ended(secure: bool, tmp_path: Path) -> None:
    """What was queued and not taken goes to the account's other ways: here, to storage."""
    async with serving(tmp_path, clear=True, limits=SMALL) as service:
        if secure:
            romeo = await service.secured()
            await romeo.scram("romeo")
            await romeo.open("verona.lit")
            await romeo.bind("a")
        else:
            romeo = await service.online(ROMEO_A)
        romeo.writer.transport.pause_reading()  # type: ignore[attr-defined]
        (session,) = service.server.sessions
        body = Element(Name("jabber:client", "body"), {}, ("x" * 10_000,))
        sent = 0
        while session.ended is None:
            session.send(Message("chat", ROMEO, JULIET, str(sent), (body,)))
            sent += 1
            assert sent < 5_000
            assert len(session.queue) <= 11
        assert session.ended.condition == "resource-constraint"
        await until(lambda: len(service.server.sessions) == 0)
        assert session.queue == []
        async with asyncio.timeout(PATIENCE):
            while not await service.server.stores.offline.count(ROMEO):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_what_was_missed_is_given_as_fast_as_it_is_read(tmp_path: Path) -> None:
    """Strangers can leave requests of megabytes; they must not keep anybody from logging in."""
    async with serving(tmp_path, clear=True, limits="send-queue-size = '1MB'") as service:
        people = [JID.parse(f"p{number}@verona.lit") for number in range(499)]
        text = Presence("subscribe", ROMEO).add(Status("x" * 16_000)).write()
        edits = [
            Edit(ROMEO, jid, lambda _, jid=jid: Item(jid, request=text, listed=False))
            for jid in people
        ]
        await service.server.stores.roster.edit(*edits)
        romeo = await service.online(ROMEO_A)
        romeo.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await romeo.send("<presence/>")
        (connection,) = service.server.listeners.connections
        await until(lambda: connection.connection.is_full)
        romeo.writer.transport.resume_reading()  # type: ignore[attr-defined]
        received = await romeo.barrier()
        assert [e.attrs.get("type") for e in received].count("subscribe") == len(people)
