"""Whoever waits for something may be cancelled at any moment, and leaves nothing half done."""

import asyncio
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.peer import PATIENCE

from pyrite.client import outbox
from pyrite.client.api import (
    Archive,
    Carbons,
    Client,
    Closed,
    Component,
    Disco,
    Element,
    Muc,
    Name,
    Ping,
    Presence,
    PresenceReceived,
    Roster,
    SessionClosed,
)
from pyrite.client.testing import MemoryServer

MOST = 50  # stanzas that may wait
WAITS = 400  # that nothing here has, so that the loop ends
ROOMS = "rooms.example.org"
NS_USER = "http://jabber.org/protocol/muc#user"

Trial = Callable[[MemoryServer, Client], Awaitable[None]]


@types.coroutine
def _cancelled_at(number: int, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, bool]:
    """Run `work` and cancel it while it waits for the time `number`; False if it never does."""
    steps, count, sent, error = work.__await__(), 0, None, None
    while True:
        try:
            waited = steps.throw(error) if error is not None else steps.send(sent)
        except StopIteration:
            return count >= number
        sent, error = None, None
        count += 1
        if count == number:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            sent = yield waited
        except BaseException as raised:
            error = raised


async def cancelled_at(number: int, work: Coroutine[Any, Any, Any]) -> bool:
    """As above, in a task of its own; whether there was a wait to cancel at."""
    task = asyncio.ensure_future(_again(number, work))
    await asyncio.wait([task])
    return True if task.cancelled() else task.result()


async def _again(number: int, work: Coroutine[Any, Any, Any]) -> bool:
    return await _cancelled_at(number, work)


@asynccontextmanager
async def nothing_left(srv: MemoryServer) -> AsyncIterator[None]:
    """No task of the client's goes on afterwards that did not before."""
    await srv.quiet()
    before = asyncio.all_tasks()
    yield
    await srv.quiet()
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not [task for task in left if "/server/" not in repr(task)], left


async def enter_and_leave(client: Client) -> None:
    async with client:
        pass


@pytest.mark.parametrize("features", [(), (Roster, Carbons, Disco, Archive)], ids=["none", "some"])
async def test_coming_and_going(features: Any) -> None:
    """At each wait from the first to the last."""
    async with asyncio.timeout(PATIENCE), MemoryServer(["a", "b"]) as srv:
        for number in range(1, WAITS):
            client = srv.client("a", features=features)
            ends = client.hear(Closed)
            async with nothing_left(srv):
                was_cancelled = await cancelled_at(number, enter_and_leave(client))
            assert not client.is_online
            if number > 1:  # else it had not begun
                assert ends.waiting == 1
                with pytest.raises(SessionClosed):
                    await client.send(srv.jid("b"), "too late")
            if not was_cancelled:
                break
        assert 10 < number < WAITS - 1
        async with srv.client("a", features=features) as again, srv.client("b") as b:
            heard = again.messages()
            await b.send(again.jid, "still there?")
            assert (await heard.next()).body == "still there?"


async def ask(_: MemoryServer, client: Client) -> None:
    await client[Ping].ask()


async def look(_: MemoryServer, client: Client) -> None:
    await client[Disco].info("example.org")


async def query(_: MemoryServer, client: Client) -> None:
    assert [one async for one in client[Archive].query(page=1)]


async def add(_: MemoryServer, client: Client) -> None:
    await client[Roster].put("b@example.org", "B")


async def send_and_wait(srv: MemoryServer, client: Client) -> None:
    await (await client.send(srv.jid("b"), "hi")).acked


async def listen(srv: MemoryServer, client: Client) -> None:
    async with client.messages() as heard:
        await client.send(client.jid, "hi")
        await heard.next()


async def sit(_: MemoryServer, client: Client) -> None:
    async with client[Muc].join(f"den@{ROOMS}", "fox"):
        pass


def rooms() -> Component:
    """Rooms with nobody else in them, at every address."""
    service = Component(ROOMS, "secret")

    @service.on(PresenceReceived)
    async def answer(event: PresenceReceived) -> None:
        came = event.presence
        item = Element(Name(NS_USER, "item"), {"affiliation": "none", "role": "participant"})
        own = Element(Name(NS_USER, "status"), {"code": "110"})
        user = Element(Name(NS_USER, "x"), {}, (item, own))
        await service.send_presence(Presence(came.type, came.sender, came.to).add(user))

    return service


@pytest.mark.parametrize("trial", [ask, look, query, add, send_and_wait, listen, sit])
async def test_whatever_is_under_way(trial: Trial) -> None:
    """Nobody waits for what was given up, and the session goes on."""
    features = (Archive, Disco, Muc, Ping, Roster)
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"], components=[rooms()]) as srv,
        srv.client("a", features=features) as a,
    ):
        await (await a.send(srv.jid("b"), "something to find")).acked
        for number in range(1, WAITS):
            async with nothing_left(srv):
                if not await cancelled_at(number, trial(srv, a)):
                    break
                await srv.quiet()
            assert len(a._keeper.requests) == 0
            assert not a._lines
            assert a.is_online
        assert 1 < number < WAITS - 1
        await trial(srv, a)  # and is done when nobody disturbs it
        assert not a.forged


async def test_who_waits_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not taken is not sent; what waits behind it is."""
    monkeypatch.setattr(outbox, "MOST", MOST)
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("b") as b,
        srv.client("a") as a,
        b.messages() as heard,
    ):
        srv.cut("a")
        await srv.quiet()
        sent = []
        while len(a._keeper.outbox) < MOST:
            sent.append(str(len(sent)))
            await a.send(b.jid, sent[-1])
        given_up = asyncio.ensure_future(a.send(b.jid, "given up"))
        waiting = asyncio.ensure_future(a.send(b.jid, "patient"))
        asking = asyncio.ensure_future(a[Ping].ask())
        await srv.quiet()
        given_up.cancel()
        asking.cancel()
        await asyncio.wait([given_up, asking])
        assert len(a._keeper.requests) == 0
        assert len(a._keeper.outbox) == MOST
        reading = asyncio.ensure_future(_until(heard, "patient"))
        await srv.advance(60)
        assert await reading == [*sent, "patient"]
        await waiting


async def _until(heard: Any, last: str) -> list[str]:
    bodies: list[str] = []
    async for event in heard:
        bodies.append(event.body)
        if event.body == last:
            break
    return bodies


async def test_who_waits_for_room_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST", MOST)
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"]) as srv,
        srv.client("a", timeout=0.05) as a,
    ):
        srv.cut("a")
        await srv.quiet()
        while len(a._keeper.outbox) < MOST:
            await a.send(srv.jid("b"), "x")
        with pytest.raises(TimeoutError):
            await a.send(srv.jid("b"), "one more")
        with pytest.raises(TimeoutError):
            await a.send_presence(Presence())
        assert len(a._keeper.outbox) == MOST


async def test_leaving_while_it_comes_back() -> None:
    """However far it has come with that: no connection is left behind."""
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv:
        for turns in range(0, 90, 2):
            async with nothing_left(srv):
                async with srv.client("a") as a:
                    srv.cut("a")
                    await srv.quiet()
                    srv.clock.advance(60)
                    for _ in range(turns):
                        await asyncio.sleep(0)
                assert not a.is_online
            assert not srv._open


async def test_a_client_is_entered_once() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv:
        client = srv.client("a")
        async with client:
            with pytest.raises(RuntimeError, match="make another one"):
                await client.__aenter__()
            await client[Ping].ask()
        with pytest.raises(RuntimeError, match="make another one"):
            async with client:
                pass
