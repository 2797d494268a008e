"""The server in memory: people, faults, time, and stories of stanzas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.peer import PATIENCE

from pyrite.client.mod.roster import ContactPresent, Roster
from pyrite.client.state import Online, Suspended
from pyrite.client.testing import MemoryServer

SAID = (
    '<message from="$a" to="b@example.org/y" type="chat" id="*" xml:lang="en">'
    "<body>{}</body></message>"
)
NO_ARCHIVE = 'modules = ["ping", "roster", "acks"]'


@asynccontextmanager
async def running(**options: str) -> AsyncIterator[MemoryServer]:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a", "b"], **options) as srv:  # type: ignore[arg-type]
        yield srv


async def test_two_people() -> None:
    async with running() as srv, srv.client("a") as a, srv.client("b") as b:
        heard = b.messages()
        await a.send(b.jid, "hi")
        assert (await heard.next()).message.body == "hi"


async def test_friends_see_each_other() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"], friends=[("a", "b")]) as srv,
        srv.client("a", features=[Roster]) as a,
    ):
        seen = a.hear(ContactPresent)
        async with srv.client("b") as b:
            assert (await seen.next()).jid == b.jid


async def test_a_connection_that_is_cut_is_resumed_when_time_passes() -> None:
    async with running() as srv, srv.client("a") as a, srv.client("b") as b:
        states, heard = b.lifecycle(), b.messages()
        assert srv.cut("b") == 1
        assert isinstance(await states.next(), Suspended)
        await a.send(b.jid, "hi")
        await srv.advance(5)
        state = await states.next()
        assert isinstance(state, Online)
        assert state.is_resumed
        assert (await heard.next()).message.body == "hi"


@pytest.mark.parametrize("octets", [0, 1, 100, 1000])
@pytest.mark.parametrize("coming", [False, True])
async def test_a_cut_in_the_middle_of_something(octets: int, coming: bool) -> None:
    """Wherever it is cut: nothing is lost, nothing comes twice."""
    async with running() as srv, srv.client("a") as a, srv.client("b") as b:
        states, heard = b.lifecycle(), b.messages()
        srv.cut_after("b", octets, coming=coming)
        for number in range(20):
            await a.send(b.jid, str(number))
            await b.send(a.jid, "x" * 100)
        assert isinstance(await states.next(), Suspended)
        srv.heal("b")
        await srv.advance(5)
        assert [(await heard.next()).message.body for _ in range(20)] == [*map(str, range(20))]
        await srv.quiet()
        assert heard.waiting == 0


async def test_delay_is_of_the_servers_clock() -> None:
    async with running() as srv, srv.client("a") as a, srv.client("b") as b:
        heard = b.messages()
        srv.delay("b", 3)
        await a.send(b.jid, "late")
        await srv.advance(2.9)
        assert heard.waiting == 0
        await srv.advance(0.1)
        assert heard.waiting == 1
        srv.heal("b")


async def test_somebody_who_writes_stanzas() -> None:
    async with running(host=NO_ARCHIVE) as srv, srv.client("a") as a:
        b = await srv.actor("b/y")
        await a.send("b@example.org/y", "one")
        await a.send("b@example.org/y", "two")
        await b.expect(SAID.format("one"), SAID.format("two"))
        await b.silent()
        heard = a.messages()
        await b.send('<message to="$a" type="chat"><body>three</body></message>')
        assert (await heard.next()).message.body == "three"
        with pytest.raises(AssertionError, match="nothing"):
            await b.expect("<message/>")
        await a.send("b@example.org/y", "four")
        with pytest.raises(AssertionError, match="four"):
            await b.expect(SAID.format("five"))


STORY = """
    a@example.org/x > <message to="b@example.org/y"><body>hi</body></message>
    wait 5
    b@example.org/y < <message from="*" to="b@example.org/y"><body>$word</body></message>
    b@example.org/y > <message to="a@example.org/x"><body>$word</body></message>
    a@example.org/x < <message from="*" to="a@example.org/x"><body>hi</body></message>
"""
MORE = 'a@example.org/x > <message to="b@example.org/y"><body>2</body></message>'


async def test_a_story() -> None:
    async with running(host=NO_ARCHIVE) as srv:
        await srv.play(STORY)
        with pytest.raises(AssertionError, match="not expected"):
            await srv.play((STORY + MORE).replace("/x", "/v").replace("/y", "/w"))
        with pytest.raises(SyntaxError, match="story:1"):
            await srv.play("nonsense")
