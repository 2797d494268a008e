"""What was missed is told, once and in order, whatever the net does meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.peer import PATIENCE

from pyrite.client.app import Client
from pyrite.client.feature import MessageReceived
from pyrite.client.mod.archive import Archive, Position, VolatilePositions
from pyrite.client.mod.carbons import Carbons
from pyrite.client.state import Reset
from pyrite.client.testing import MemoryServer
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.core.stanza import Message
from pyrite.wire.archive import Result
from pyrite.wire.forward import Forwarded
from pyrite.wire.message import Body


@asynccontextmanager
async def verona() -> AsyncIterator[MemoryServer]:
    async with asyncio.timeout(PATIENCE), MemoryServer(users=["romeo", "juliet"]) as srv:
        yield srv


def told_to(client: Client) -> list[MessageReceived]:
    told: list[MessageReceived] = []
    client.on(MessageReceived)(told.append)
    return told


def bodies(told: list[MessageReceived]) -> list[str | None]:
    return [event.message.body for event in told]


async def lose_session(srv: MemoryServer, client: Client, user: str) -> None:
    """Its client comes back, and the server has forgotten what was."""
    for session in tuple(srv.server.sessions.of(client.jid.bare).values()):
        srv.cut(user)
        await srv.quiet()
        await srv.server.unbind(session)


async def come_back(srv: MemoryServer, client: Client) -> None:
    async with client.lifecycle() as states:
        await srv.advance(5)
        while not isinstance(await states.next(), Reset):
            pass
    await srv.quiet()


async def test_a_gap_is_filled_before_what_comes_after_it() -> None:
    async with verona() as srv, srv.client("romeo") as romeo:
        juliet = srv.client("juliet", features=[Archive, Carbons])
        told = told_to(juliet)
        async with juliet:
            await romeo.send(juliet.jid.bare, "before")
            await srv.quiet()
            await lose_session(srv, juliet, "juliet")
            for number in range(250):  # more than a page, and more than offline storage gives
                await romeo.send(juliet.jid.bare, str(number))
            await srv.quiet()
            await come_back(srv, juliet)
            await romeo.send(juliet.jid.bare, "after")
            await srv.quiet()
        assert bodies(told) == ["before", *map(str, range(250)), "after"]


async def test_what_comes_while_it_is_filled_waits() -> None:
    """Live messages overtake nothing, though the archive's answer is slow."""
    async with verona() as srv, srv.client("romeo") as romeo:
        store = VolatilePositions()
        await store.save(srv.jid("juliet"), Position(None, srv.clock.now()))
        for number in range(3):
            await (await romeo.send(srv.jid("juliet"), str(number))).acked
        juliet = srv.client("juliet", features=[Archive])
        juliet[Archive].remember(store)
        told = told_to(juliet)
        async with juliet:
            srv.delay("juliet", 1)
            await romeo.send(juliet.jid, "3")
            await romeo.send(juliet.jid, "4")
            for _ in range(10):
                await srv.advance(1)
            srv.heal("juliet")
        assert bodies(told) == ["0", "1", "2", "3", "4"]
        kept = await store.load(srv.jid("juliet"))
        assert kept is not None
        assert kept.id is not None


async def test_a_position_that_is_not_kept_any_more() -> None:
    """What came after it is found by its time."""
    async with verona() as srv, srv.client("romeo") as romeo:
        await srv.advance(3600)
        store = VolatilePositions()
        await store.save(srv.jid("juliet"), Position("1", srv.clock.now()))
        await (await romeo.send(srv.jid("juliet"), "still here")).acked
        juliet = srv.client("juliet", features=[Archive])
        juliet[Archive].remember(store)
        told = told_to(juliet)
        async with juliet:
            await srv.quiet()
        assert bodies(told) == ["still here"]


async def test_without_an_archive_all_goes_on() -> None:
    modules = 'modules = ["disco", "ping", "roster"]'
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(users=["romeo", "juliet"], host=modules) as srv,
        srv.client("romeo") as romeo,
        srv.client("juliet", features=[Archive]) as juliet,
    ):
        heard = juliet.messages()
        await romeo.send(juliet.jid, "hi")
        assert (await heard.next()).message.body == "hi"


async def test_our_own_words_are_no_news_but_another_clients_are() -> None:
    async with verona() as srv:
        juliet = srv.client("juliet", features=[Archive, Carbons])
        told = told_to(juliet)
        async with juliet:
            await srv.quiet()
            await (await juliet.send(srv.jid("romeo"), "mine")).acked
            await lose_session(srv, juliet, "juliet")
            async with srv.client("juliet/phone") as phone:
                await (await phone.send(srv.jid("romeo"), "my other's")).acked
            await come_back(srv, juliet)
        assert bodies(told) == ["my other's"]
        assert told[0].outgoing
        assert told[0].peer == srv.jid("romeo")


@pytest.mark.parametrize("sender", ["romeo@example.org", "romeo@example.org/x", None])
async def test_results_that_were_not_asked_for(sender: str | None) -> None:
    """§8.2: whoever says so, and whatever the server lets through."""
    async with verona() as srv:
        juliet = srv.client("juliet", features=[Archive])
        told = told_to(juliet)
        async with juliet:
            await srv.quiet()
            lie = Message("chat", juliet.jid, srv.jid("romeo"), payloads=[encode(Body("a lie"))])
            result = Result("1", Forwarded(lie.to_element()), "guessed")
            who = JID.parse(sender) if sender else None
            await juliet.receive(Message(None, juliet.jid, who).add(result))
            assert juliet.forged["archive"] == 1
        assert told == []


async def test_an_archive_answers_for_itself_alone() -> None:
    """A result with the right id, but from somebody else, is not taken for one."""
    async with verona() as srv, srv.client("romeo") as romeo:
        await (await romeo.send(srv.jid("juliet"), "true")).acked
        async with srv.client("juliet", features=[Archive]) as juliet:
            await srv.quiet()
            found = []
            async for old in juliet[Archive].query(page=1):
                found.append(old.message.body)
                lie = Message("chat", juliet.jid, romeo.jid, payloads=[encode(Body("a lie"))])
                for key in juliet[Archive]._readers._entries:
                    forged = Result("2", Forwarded(lie.to_element()), key)
                    await juliet.receive(Message(None, juliet.jid, romeo.jid.bare).add(forged))
            assert found == ["true"]
            assert juliet.forged["archive"] >= 1
