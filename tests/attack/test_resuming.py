"""Attack 9: taking over what somebody else has left, and leaving too much behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.resuming import (
    ASK,
    NS,
    ack,
    authenticated,
    chat,
    enabled,
    ids,
    resumable,
    resume,
    strand,
    until_handled,
)
from tests.service import JULIET, MALLORY, ROMEO, until

from pyrite.core.xml import Element, write

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

BALCONY = JULIET.at("balcony")


def condition(failed: Element) -> str:
    assert failed.name == (NS, "failed"), write(failed)
    return next(failed.elements).name.tag


async def test_rule_64_somebody_else_s_id(tmp_path: Path) -> None:
    """Who knows it learns as much as from one that never was, and disturbs nobody."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await juliet.send("<presence/>")
        mallory, stolen = await resume(service, MALLORY, id, 0)
        _, made_up = await resume(service, MALLORY, "x" * len(id), 0)
        assert condition(stolen) == "item-not-found"
        assert (stolen.attrs, list(stolen.elements)) == (made_up.attrs, list(made_up.elements))
        await juliet.is_served()
        await strand(service, juliet)
        _, stolen = await resume(service, MALLORY, id, 0)
        assert (stolen.attrs, list(stolen.elements)) == (made_up.attrs, list(made_up.elements))
        (session,) = service.server.sessions.available(JULIET)
        service.clock.advance(600)
        await service.server.part(session)
        _, stolen = await resume(service, MALLORY, id, 0)
        assert stolen.attrs == {}  # not even how much she had said
        assert (await mallory.bind("a")).attrs["type"] == "result"
        again, known = await resume(service, JULIET, id, 0)
        assert known.attrs == {"h": "2"}
        assert (await again.bind("balcony")).attrs["type"] == "result"


async def test_nobody_s_at_all(tmp_path: Path) -> None:
    """Before it has said who it is, a client resumes nothing, however well it knows the id."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        client = await service.connect()
        await client.open("verona.lit")
        answer = await client.ask(f"<resume xmlns='{NS}' previd='{id}' h='0'/>")
        assert condition(answer) == "unexpected-request"
        await juliet.is_served()


async def test_ids_do_not_tell_of_each_other(tmp_path: Path) -> None:
    """128 bits of chance each, nothing in common, and none that is used twice."""
    async with resumable(tmp_path) as service:
        given: list[str] = []
        for n in range(10):
            juliet, id = await enabled(service, JULIET.at(str(n)))
            given.append(id)
            await juliet.close()
        assert len(set(given)) == 10
        assert {len(id) for id in given} == {22}
        assert len({id[:4] for id in given}) == 10


@pytest.mark.parametrize("h", [1, 2, 2**31, 2**32 - 1])
async def test_more_than_was_sent(h: int, tmp_path: Path) -> None:
    """On the stream and on resumption; nobody's messages are thrown away by it."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await strand(service, juliet)
        romeo = await service.online(ROMEO.at("a"))
        await romeo.send(chat(BALCONY, "1"))  # it waits, and was never sent
        await romeo.barrier()
        client = await authenticated(service, JULIET)
        await client.send(f"<resume xmlns='{NS}' previd='{id}' h='{h}'/>")
        assert (await client.stream_error()).condition == "undefined-condition"
        again, resumed = await resume(service, JULIET, id, 0)
        assert resumed.name.tag == "resumed"
        assert ids(await until_handled(again)) == ["1"]
        await again.send(ack(h))
        if h == 1:
            await again.is_served()
        else:
            assert (await again.stream_error()).condition == "undefined-condition"


async def test_acknowledgements_taken_back(tmp_path: Path) -> None:
    """What was let go of cannot be sent again: no resumption on such a count."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await juliet.send("<presence/>")
        assert (await juliet.element()).name.tag == "presence"
        await juliet.send(ack(1))
        await until_handled(juliet)
        await strand(service, juliet)
        client = await authenticated(service, JULIET)
        await client.send(f"<resume xmlns='{NS}' previd='{id}' h='0'/>")
        assert (await client.stream_error()).condition == "undefined-condition"


async def test_sessions_left_behind(tmp_path: Path) -> None:
    """Of one account so many, and its clients are not locked out by them; the newest stay."""
    limits = "detached-per-account = 3\nsessions-per-account = 4"
    async with resumable(tmp_path, limits=limits) as service:
        resumption, left = service.server.resumption, []
        for n in range(12):
            client, id = await enabled(service, JULIET.at(str(n)))
            left.append(id)
            await client.abort()
            await until(lambda: len(service.server.listeners.connections) == 0)
            assert len(resumption) == min(n + 1, 3)
        await until(lambda: len(service.server.sessions) == 3)
        others = [await service.online(JULIET.at(f"other {n}")) for n in range(4)]
        assert len(resumption) == 0
        for other in others:
            await other.is_served()
        fifth = await authenticated(service, JULIET)
        assert (await fifth.bind("fifth")).attrs["type"] == "error"


async def test_sessions_of_everybody(tmp_path: Path) -> None:
    async with resumable(tmp_path, limits="detached = 2") as service:
        for account in (ROMEO, JULIET, MALLORY):
            client, _ = await enabled(service, account.at("a"))
            await client.abort()
            await until(lambda: len(service.server.listeners.connections) == 0)
        await until(lambda: len(service.server.sessions) == 2)
        assert {one.jid.local for one in service.server.sessions} == {"juliet", "mallory"}


async def test_questions_without_end(tmp_path: Path) -> None:
    """A client that asks, and does not read what it is told: answers take room, too."""
    async with resumable(tmp_path, limits="send-queue = 100") as service:
        juliet, _ = await enabled(service, BALCONY)
        (session,) = service.server.sessions
        most = 0
        await juliet.send(ASK * 50)
        for _ in range(50):
            assert (await juliet.element()).name.tag == "a"
            most = max(most, len(session.queue))
        assert most <= 100
        session.drain = lambda: None  # its socket takes nothing
        session.wake = lambda: None
        await juliet.send(ASK * 500)
        assert (await juliet.stream_error()).condition == "resource-constraint"
        await until(lambda: len(service.server.sessions) == 0)
