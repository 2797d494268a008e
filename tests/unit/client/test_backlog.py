"""More comes than a program does just now: nothing else waits for that, and nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.service import until

from pyrite.client import inbox, taken
from pyrite.client.api import Client, MessageReceived, Ping
from pyrite.client.heard import Heard
from pyrite.client.node import Published
from pyrite.client.nodes import Nodes
from pyrite.client.taken import ELEMENT, Ledger, Pool, Taken, current, measured
from pyrite.client.testing import MemoryServer
from pyrite.core.ack import Acks
from pyrite.core.stanza import Message
from pyrite.core.xml import parse

from .scripted import Scripted

PATIENCE = 20.0
BURST = 1500  # more than ever could wait at once while nothing was read any more


@asynccontextmanager
async def couple() -> AsyncIterator[tuple[MemoryServer, Client, Client]]:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b", "c"]) as srv,
        srv.client("a") as a,
        srv.client("b") as b,
    ):
        yield srv, a, b


async def burst(srv: MemoryServer, a: Client, b: Client) -> None:
    """Much at once, but not more than the server has room for."""
    for number in range(BURST):
        await b.send(a.jid, str(number))
        if number % 200 == 199:
            await srv.quiet()


async def test_a_handler_that_asks_is_answered_behind_a_burst() -> None:
    async with couple() as (srv, a, b):
        done = 0

        @a.on(MessageReceived)
        async def ask(_: MessageReceived) -> None:
            nonlocal done
            if done < 20:  # some are enough: all that came is behind each
                await a[Ping].ask()
            done += 1

        await burst(srv, a, b)
        await until(lambda: done == BURST)


async def test_a_loop_that_asks_is_answered_behind_a_burst() -> None:
    async with couple() as (srv, a, b):
        heard = a.messages()
        await burst(srv, a, b)
        for number in range(BURST):
            assert (await heard.next()).body == str(number)
            if number < 20:
                await a[Ping].ask()


async def test_who_listens_at_a_node_stops_nothing() -> None:
    """The reader itself hands over what nodes tell."""
    item = "<item id='{}'><x xmlns='urn:example:x'/></item>"
    event = (
        "<message from='juliet@verona.lit'><event xmlns='http://jabber.org/protocol/pubsub#event'>"
        f"<items node='den'>{item}</items></event></message>"
    )
    async with (
        asyncio.timeout(PATIENCE),
        Scripted(Nodes) as client,
        client[Nodes].listen("den") as heard,
    ):
        await client.hears(*[event.format(number) for number in range(300)])
        assert heard.waiting == 300
        for number in range(300):
            told = await heard.next()
            assert isinstance(told, Published)
            assert told.id == str(number)


async def test_a_conversation_that_stands_still_is_in_nobodys_way() -> None:
    async with couple() as (srv, a, b), srv.client("c") as c:
        held, said = asyncio.Event(), Counter[str]()

        @a.on(MessageReceived)
        async def hear(event: MessageReceived) -> None:
            assert event.peer is not None
            if event.peer == b.jid.bare:
                await held.wait()
            said[event.peer.local or ""] += 1

        await burst(srv, a, b)
        await c.send(a.jid, "what is the matter?")
        await until(lambda: said["c"] == 1)
        await c[Ping].ask(a.jid)
        assert said == {"c": 1}
        held.set()
        await until(lambda: said["b"] == BURST)


async def test_beyond_the_bound_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST", 50 * ELEMENT)
    async with couple() as (srv, a, b):
        held, said = asyncio.Event(), list[str | None]()

        @a.on(MessageReceived)
        async def hear(event: MessageReceived) -> None:
            await held.wait()
            said.append(event.body)

        for number in range(100):
            await b.send(a.jid, str(number))
        await srv.quiet()
        asked = asyncio.ensure_future(b[Ping].ask(a.jid))
        await srv.quiet()
        assert not asked.done()
        assert 50 * ELEMENT <= a._inbox.octets < 60 * ELEMENT
        held.set()
        await asked
        await until(lambda: len(said) == 100)
        assert said == [str(number) for number in range(100)]
        assert a._inbox.octets == 0


# --- what is answered for -----------------------------------------------------------------


async def test_what_is_not_handled_is_not_answered_for() -> None:
    """XEP-0198 §4: a program that crashes is told of it again, and of all behind it."""
    async with couple() as (srv, _, b):
        said: list[str | None] = []

        async def crash(event: MessageReceived) -> None:
            await asyncio.sleep(0)
            if event.body == "2" and "2" not in said:
                raise ZeroDivisionError
            said.append(event.body)

        async def run() -> None:
            async with srv.client("c") as c:
                c.on(MessageReceived)(crash)
                for number in range(6):
                    await b.send(srv.jid("c"), str(number))
                await asyncio.Event().wait()

        with pytest.raises(ZeroDivisionError):
            await run()
        assert said == ["0", "1"]
        again = srv.client("c")
        heard = again.messages()
        told: list[str | None] = []
        async with again:
            while not told:
                await srv.advance(1)
                while heard.waiting:
                    told.append((await heard.next()).body)
        assert told[0] == "2"


async def test_what_waits_when_the_session_is_resumed_is_told_once() -> None:
    async with couple() as (srv, a, b):
        held, said = asyncio.Event(), list[str | None]()

        @a.on(MessageReceived)
        async def hear(event: MessageReceived) -> None:
            await held.wait()
            said.append(event.body)

        count = taken.BEHIND + 50
        for number in range(count):
            await b.send(a.jid, str(number))
        await srv.quiet()
        assert a._keeper.outbox.acks is not None
        handled = a._keeper.outbox.acks.handled
        srv.cut("a")
        await srv.quiet()
        await b.send(a.jid, "while it was gone")
        while not a.is_online:
            await srv.advance(60)
        held.set()
        await until(lambda: len(said) == count + 1)
        assert said == [*map(str, range(count)), "while it was gone"]
        await a[Ping].ask()
        assert a._keeper.outbox.acks.handled > handled + taken.BEHIND


def test_answers_are_in_order_and_never_far_behind() -> None:
    acks: Acks[None] = Acks()
    told: list[int] = []
    pool, ledger = Pool(), Ledger(acks, lambda: told.append(acks.handled))
    came = [Taken(pool, None, ledger) for _ in range(3)]
    for one in came:
        ledger.add(one)
    came[1].release()
    assert acks.handled == 0
    ledger.asked()
    came[0].release()
    assert (acks.handled, told) == (2, [0])
    came[2].release()
    assert (acks.handled, told, len(ledger)) == (3, [0, 3], 0)
    for _ in range(taken.BEHIND + 10):
        ledger.add(Taken(pool, None, ledger))
    assert (acks.handled, len(ledger)) == (13, taken.BEHIND)
    ledger.claim()
    assert (acks.handled, len(ledger)) == (13 + taken.BEHIND, 0)


async def test_who_listens_is_done_with_one_when_he_asks_for_the_next() -> None:
    pool = Pool()
    heard: Heard[int] = Heard(lambda _: None)
    came = [Taken(pool, None) for _ in range(3)]
    for number, one in enumerate(came):
        current.set(one)
        await heard.put(number)
        current.set(None)
        one.release()
    assert pool.octets == 3 * ELEMENT
    assert await heard.next() == 0
    assert pool.octets == 3 * ELEMENT
    assert await heard.next() == 1
    assert pool.octets == 2 * ELEMENT
    heard.close()
    assert pool.octets == 0


async def test_what_follows_from_nothing_waits_for_its_listener() -> None:
    heard: Heard[int] = Heard(lambda _: None)
    for number in range(100):
        await heard.put(number)
    late = asyncio.ensure_future(heard.put(100))
    await asyncio.sleep(0)
    assert not late.done()
    assert await heard.next() == 0
    await late
    heard.end()
    assert [number async for number in heard] == list(range(1, 101))


def test_what_is_large_counts_as_such() -> None:
    def message(inside: str) -> Message:
        return Message(payloads=(parse(inside, "jabber:client"),))

    small, long = message("<body>a</body>"), message(f"<body>{'a' * 10_000}</body>")
    many, named = message(f"<x>{'<y/>' * 1000}</x>"), message(f"<x y='{'a' * 10_000}'/>")
    assert measured(small) < 4 * ELEMENT
    assert measured(long) > 10_000
    assert measured(many) > 1000 * ELEMENT
    assert measured(named) > 10_000
    assert measured(MessageReceived(long)) == measured(long)
