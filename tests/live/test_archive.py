"""What was said before, what was missed, and who may say so, on every server."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pyrite.client.app import Client
from pyrite.client.feature import MessageReceived
from pyrite.client.mod.archive import Archive, Archived, VolatilePositions
from pyrite.client.state import Reset
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.core.stanza import Message, Presence
from pyrite.wire import archive
from pyrite.wire.forward import Forwarded
from pyrite.wire.message import Body

from .conftest import PATIENCE, Login

ROMEO, JULIET = JID.parse("romeo@verona.example"), JID.parse("juliet@verona.example")


async def say(speaker: Client, to: JID, count: int, mark: str) -> list[str]:
    """Say it, until it has arrived in the archive of who says it."""
    words = [f"{mark} {number}" for number in range(count)]
    for word in words:
        await (await speaker.send(to, word)).acked
    return words


async def bodies(found: Sequence[Archived]) -> list[str]:
    return [one.message.body or "" for one in found]


async def test_pages_both_ways(login: Login) -> None:
    """XEP-0313 §4: all that holds, page by page, whichever end is first."""
    async with login("tybalt") as tybalt, asyncio.timeout(PATIENCE):
        words = await say(tybalt, JULIET, 7, mark := uuid4().hex)
        since = datetime.now(UTC) - timedelta(minutes=10)
        query = tybalt[Archive].query
        old = [one async for one in query(JULIET, since=since, page=3)]
        mine = [one for one in old if (one.message.body or "").startswith(mark)]
        assert await bodies(mine) == words
        assert [one.stamp for one in mine] == sorted(one.stamp for one in mine)
        new = [one async for one in query(JULIET, page=3, newest_first=True)]
        assert await bodies(new[:7]) == words[::-1]
        after = [one async for one in query(JULIET, after=mine[4].id, page=3)]
        assert await bodies(after) == words[5:]


@pytest.mark.lacks(prosody_13="its archive in files always gives the last message of all")
async def test_what_is_still_to_come(login: Login) -> None:
    async with login("tybalt") as tybalt, asyncio.timeout(PATIENCE):
        await say(tybalt, JULIET, 1, uuid4().hex)
        tomorrow = datetime.now(UTC) + timedelta(1)
        assert [one async for one in tybalt[Archive].query(JULIET, since=tomorrow)] == []


async def test_leaving_early_asks_no_more(login: Login) -> None:
    async with login("tybalt") as tybalt, asyncio.timeout(PATIENCE):
        await say(tybalt, JULIET, 3, uuid4().hex)
        async for one in tybalt[Archive].query(JULIET, page=2):
            assert one.message.body
            break
        assert tybalt.forged["archive"] == 0


@pytest.mark.lacks(
    ejabberd="its ids are times: any number is one",
    prosody_13="its archive in files does not look whether there is one",
)
async def test_an_id_that_is_not_there(login: Login) -> None:
    async with login("tybalt") as tybalt, asyncio.timeout(PATIENCE):
        with pytest.raises(StanzaError):
            async for _ in tybalt[Archive].query(after="nobody has this"):
                pass


@pytest.mark.lacks(prosody="no words in its own archives", ejabberd="words only in an SQL database")
async def test_words(login: Login) -> None:
    """XEP-0431 §2."""
    async with login("tybalt") as tybalt, asyncio.timeout(PATIENCE):
        mark = uuid4().hex
        await say(tybalt, JULIET, 3, mark)
        assert await tybalt[Archive].is_searchable()
        found = [one async for one in tybalt[Archive].query(text=mark)]
        assert len(found) == 3


@pytest.mark.lacks(ejabberd="no metadata, up to 24.12")
async def test_metadata(login: Login) -> None:
    """§5: where it begins and ends."""
    async with login("tybalt") as tybalt, asyncio.timeout(PATIENCE):
        await say(tybalt, JULIET, 2, uuid4().hex)
        told = await tybalt[Archive].metadata()
        newest = await anext(tybalt[Archive].query(newest_first=True, page=1))
        assert told.end is not None
        assert told.end.id == newest.id


async def test_preferences(login: Login) -> None:
    """XEP-0441 §2.2: what is said is what is so, and is obeyed."""
    async with login("mercutio") as mercutio, asyncio.timeout(PATIENCE):
        mine = mercutio[Archive]
        before = await mine.preferences()
        assert before.default in ("always", "roster", "never")
        told = await mine.prefer("always", never=[JULIET])
        assert told.keeps(JULIET) is False
        assert (await mine.preferences()).keeps(ROMEO) is True
        await say(mercutio, JULIET, 2, mark := uuid4().hex)
        await say(mercutio, ROMEO, 1, mark)
        kept = [one async for one in mine.query(newest_first=True)]
        assert [o.message.to for o in kept if mark in (o.message.body or "")] == [ROMEO]
        await mine.prefer("always")


async def test_forged_results_are_counted_and_dropped(login: Login) -> None:
    """§8.2: anybody can send what looks like a result."""
    async with (
        login("romeo") as romeo,
        login("juliet", available=False) as juliet,  # so that nothing old comes
        asyncio.timeout(PATIENCE),
    ):
        heard = juliet.messages()
        juliet[Archive]
        lie = Message("chat", JULIET, ROMEO, payloads=[encode(Body("a lie"))])
        forged = archive.Result("1", Forwarded(lie.to_element()), "guessed")
        await romeo.send(Message("chat", juliet.jid).add(forged))
        await romeo.send(juliet.jid, "after it")
        said = (await heard.next()).message.body
        if said is None:  # the server has emptied it: nothing to count
            said = (await heard.next()).message.body
        else:
            assert juliet.forged["archive"] == 1
        assert said == "after it"


async def reset(client: Client) -> None:
    """Lose the session, as if the server had forgotten it."""
    client._keeper.session = None
    client._keeper._link.abort()  # type: ignore[union-attr]


async def test_what_was_missed_is_told_once_and_in_order(login: Login) -> None:
    """After a reset: from others, from here and from another client of ours."""
    async with (
        login("nurse", features=[Archive]) as nurse,
        login("romeo") as romeo,
        asyncio.timeout(PATIENCE),
    ):
        heard, states = nurse.messages(), nurse.lifecycle()
        mark = uuid4().hex
        await (await nurse.send(ROMEO, f"{mark} own")).acked
        first = await say(romeo, nurse.jid.bare, 2, f"{mark} a")
        for word in first:
            assert (await heard.next()).message.body == word
        await nurse.send_presence(Presence("unavailable"))
        await nurse.request(archive.Query(), expect=archive.Query)
        missed = await say(romeo, nurse.jid.bare, 5, f"{mark} b")
        async with login("nurse", available=False) as other:
            missed += await say(other, ROMEO, 1, f"{mark} other")
        await reset(nurse)
        while not isinstance(await states.next(), Reset):
            pass
        got = [await heard.next() for _ in missed]
        assert [event.message.body for event in got] == missed
        assert [event.outgoing for event in got] == [False] * 5 + [True]
        after = await say(romeo, nurse.jid, 2, f"{mark} c")
        assert [(await heard.next()).message.body for _ in after] == after


async def test_from_one_run_to_the_next(login: Login) -> None:
    """A position that was kept: what came in between is told at the next start."""
    store, mark = VolatilePositions(), uuid4().hex
    first = login("benvolio", features=[Archive], available=False)
    first[Archive].remember(store)
    async with login("romeo") as romeo, asyncio.timeout(PATIENCE):
        async with first:
            while await store.load(first.jid.bare) is None:
                await first.request(archive.Query(), expect=archive.Query)
        missed = await say(romeo, first.jid.bare, 3, mark)
        second = login("benvolio", features=[Archive])
        second[Archive].remember(store)
        told: list[str | None] = []
        arrived = asyncio.Event()

        @second.on(MessageReceived)
        def note(event: MessageReceived) -> None:
            told.append(event.message.body)
            if event.message.body == "last":
                arrived.set()

        async with second:  # what the server kept for them comes too, and is told once
            await romeo.send(second.jid, "last")
            await arrived.wait()
        assert told == [*missed, "last"]
