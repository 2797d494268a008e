"""A net that is gone without a word is noticed, and nothing that lives is taken for dead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.peer import PATIENCE

from pyrite.client.app import Client
from pyrite.client.feature import MessageReceived
from pyrite.client.heard import Heard
from pyrite.client.keeper import Backoff
from pyrite.client.state import Online, State, Suspended
from pyrite.client.testing import MemoryServer

LONG = 1e6  # seconds


@asynccontextmanager
async def two(**options: object) -> AsyncIterator[tuple[MemoryServer, Client, Heard[State]]]:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(users=["a", "b"]) as srv,
        srv.client("a", backoff=Backoff(first=1.0, most=1.0), **options) as a,
    ):
        await srv.quiet()
        yield srv, a, a.lifecycle()


async def test_who_owes_an_answer_and_says_nothing_is_dead() -> None:
    async with two() as (srv, a, states), srv.client("b") as b:
        heard = b.messages()
        srv.delay("a", LONG)
        receipt = await a.send(srv.jid("b"), "is anybody there?")
        await srv.advance(29.9)
        assert a.is_online
        await srv.advance(0.2)
        suspended = await states.next()
        assert isinstance(suspended, Suspended)
        assert "has said nothing for 30 seconds" in str(suspended.cause)
        assert not a.is_online
        srv.heal("a")
        await srv.advance(1)
        assert await states.next() == Online(a.jid, is_resumed=True)
        await receipt.acked
        assert (await heard.next()).body == "is anybody there?"


async def test_who_owes_nothing_may_be_silent() -> None:
    async with two() as (srv, a, states):
        await (await a.send(srv.jid("b"), "hi")).acked
        srv.delay("a", LONG)
        await srv.advance(600)
        assert a.is_online
        assert not states.waiting
        srv.heal("a")


@pytest.mark.parametrize(("patience", "lives"), [(5.0, False), (None, True)])
async def test_ones_own_patience(patience: float | None, lives: bool) -> None:
    async with two(patience=patience) as (srv, a, states):
        srv.delay("a", LONG)
        await a.send(srv.jid("b"), "hi")
        await srv.advance(5.1)
        assert a.is_online is lives
        assert states.waiting is not lives
        await srv.advance(0 if not lives else 600)
        assert a.is_online is lives
        srv.heal("a")
        await srv.advance(1)


async def test_what_comes_late_is_alive() -> None:
    """The way there is stopped up, and the server goes on talking."""
    async with two() as (srv, a, states), srv.client("b") as b:
        heard = a.messages()
        there, _ = srv._wire("a")
        there.delay = 50
        receipt = await a.send(srv.jid("b"), "hi")
        await srv.advance(20)
        await b.send(a.jid, "still here")
        assert (await heard.next()).body == "still here"
        await srv.advance(15)
        assert a.is_online
        await srv.advance(20)
        await receipt.acked
        await srv.advance(30)
        assert not states.waiting


async def test_while_we_do_not_read_silence_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrite.client.inbox.MOST", 2)
    async with two() as (srv, a, states), srv.client("b") as b:
        go_on = asyncio.Event()

        @a.on(MessageReceived)
        async def slowly(_: MessageReceived) -> None:
            await go_on.wait()

        for number in range(5):
            await b.send(a.jid, str(number))
        await srv.quiet()
        receipt = await a.send(srv.jid("b"), "hi")
        await srv.advance(600)
        assert a.is_online
        go_on.set()
        await receipt.acked
        assert not states.waiting
