"""Sessions that do not begin as they should, in place of one that was lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.peer import PATIENCE

from pyrite.client.api import Client, Closed, Feature, Heard, Online, Ping, Reset, Spec, StanzaError
from pyrite.client.entity import Entity
from pyrite.client.state import State
from pyrite.client.testing import MemoryServer


class Moody(Feature):
    """Begins as it is told to."""

    spec = Spec("urn:example:moody", "1", "Moody")

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.moods: list[Exception | None] = []
        self.begun = 0

    async def begin(self) -> None:
        self.begun += 1
        if self.moods and (mood := self.moods.pop(0)) is not None:
            raise mood


@asynccontextmanager
async def losing(*moods: Exception | None) -> AsyncIterator[tuple[MemoryServer, Client]]:
    """A client that has lost its session, with a message on its way; the next ones begin so."""
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a", features=[Moody]) as a,
    ):
        a[Moody].moods = [*moods]
        await srv.quiet()
        srv.cut("a")
        await srv.quiet()
        await srv.server.unbind(next(iter(srv.server.sessions.of(a.jid.bare).values())))
        await a.send(srv.jid("b"), "on its way")
        yield srv, a


async def lost(srv: MemoryServer, states: Heard[State]) -> list[str | None]:
    """What is told as lost when there is a session again, once."""
    told: list[State] = []
    while not told or not isinstance(told[-1], Reset):
        await srv.advance(120)
        while states.waiting:
            told.append(await states.next())
    reset = told[-1]
    assert isinstance(reset, Reset)
    assert [type(one) for one in told] == [Online, Reset]
    return [message.body for message in reset.lost]


@pytest.mark.parametrize(
    "mood", [StanzaError("resource-constraint"), TimeoutError(), None], ids=repr
)
async def test_a_session_that_does_not_begin_is_tried_again(mood: Exception | None) -> None:
    """Features know nothing of it: it is not come back to. What was lost is told once."""
    async with losing(mood, mood) as (srv, a):
        states = a.lifecycle()
        assert await lost(srv, states) == ["on its way"]
        assert a[Moody].begun == (4 if mood else 2)
        await a[Ping].ask()


async def test_a_connection_that_breaks_while_a_session_begins() -> None:
    """A session that the server still has, and features have not."""

    async def break_off() -> None:
        srv.cut("a")
        await asyncio.sleep(PATIENCE)

    async with losing() as (srv, a):
        breaking = [break_off]
        begin = a[Moody].begin

        async def begin_badly() -> None:
            await begin()
            if breaking:
                await breaking.pop()()

        a[Moody].begin = begin_badly  # type: ignore[method-assign]
        states = a.lifecycle()
        assert await lost(srv, states) == ["on its way"]
        assert a[Moody].begun == 3


async def test_a_session_that_cannot_begin_is_the_end() -> None:
    async with losing(StanzaError("forbidden", "not any more")) as (srv, a):
        ends = a.hear(Closed)
        await srv.advance(120)
        while not ends.waiting:
            await srv.advance(120)
        end = await ends.next()
        assert isinstance(end.cause, StanzaError)
        assert [message.body for message in end.lost] == ["on its way"]


async def test_who_asks_for_a_feature_that_cannot_begin_is_told_and_goes_on() -> None:
    class Sick(Moody):
        async def begin(self) -> None:
            self.begun += 1
            if self.begun == 1:
                raise StanzaError("feature-not-implemented", "the server has none")

    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv, srv.client("a") as a:
        for _ in range(2):
            with pytest.raises(StanzaError, match="the server has none"):
                await a.begun(Sick)
        await a[Ping].ask()
        assert a[Sick].begun == 1
        await a.settle()
        assert (await a.begun(Sick)).begun == 2


async def test_a_feature_that_cannot_begin_is_told_where_nobody_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Sick(Moody):
        async def begin(self) -> None:
            raise StanzaError("feature-not-implemented", "the server has none")

    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv, srv.client("a") as a:
        a[Sick]
        await srv.quiet()
        assert "Sick could not begin" in caplog.text
        caplog.clear()
        await a[Ping].ask()


async def test_a_server_that_counts_otherwise_is_given_a_new_session() -> None:
    """XEP-0198 §5: else the same would be tried again and again."""
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv, srv.client("a") as a:
        states = a.lifecycle()
        await srv.quiet()
        assert a._keeper.outbox.acks is not None
        a._keeper.outbox.acks.sent -= 1  # it knows of one that we do not
        a._keeper.outbox.acks.unacknowledged.clear()
        srv.cut("a")
        told: list[State] = []
        while not told or not isinstance(told[-1], Reset):
            await srv.advance(120)
            while states.waiting:
                told.append(await states.next())
        assert [type(one).__name__ for one in told] == ["Suspended", "Online", "Reset"]
        await a[Ping].ask()
