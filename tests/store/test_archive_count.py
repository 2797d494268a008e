"""How many there are: told without reading what they say, and nobody else waits for it long."""

import asyncio
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Batching, Stores, open_stores
from pyrite.server.store.archive import Query
from pyrite.server.store.sqlite.archive.reading import COUNTED, SEARCHED

from .conftest import URL

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ROMEO, JULIET = JID.parse("romeo@verona.lit"), JID.parse("juliet@verona.lit")
ROOM = JID.parse("square@rooms.verona.lit")
PAST = datetime(2020, 1, 1, tzinfo=UTC)
LARGE = 100_000  # characters
LITTLE = 4_000_000  # octets of memory that a question may take


async def fill(stores: Stores, count: int, length: int, owner: JID = ROMEO) -> None:
    archive = stores.archive
    for _ in range(count):
        body = f"word {'x' * length}"
        stanza = f"<message><body>{body}</body></message>"
        kept = archive.add(archive.next_id(), owner, JULIET, None, stanza, body=body, name="a")
    await asyncio.shield(kept)


async def peak(stores: Stores, query: Query) -> tuple[int | None, int]:
    """What is counted, and the octets of memory that it has taken."""
    tracemalloc.start()
    try:
        counted = await stores.archive.count(ROMEO, query, most=10_000)
        return counted, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("index", [50, 1000], ids=["indexed", "not indexed yet"])
@pytest.mark.parametrize(
    "query",
    [Query(start=PAST), Query(peer=JULIET), Query(before=1 << 62), Query(is_groupchat=False)],
    ids=["start", "peer", "before", "kind"],
)
async def test_conditions_are_counted_without_the_stanzas(
    query: Query, index: int, folder: Path, clock: ManualClock
) -> None:
    batching = Batching(window=1, index=index)
    async with await open_stores(URL, folder, clock, batching=batching) as stores:
        await fill(stores, 200, LARGE)
        counted, taken = await peak(stores, query)
        assert counted == 200
        assert taken < LITTLE


async def test_words_are_looked_for_in_so_much(folder: Path, clock: ManualClock) -> None:
    """A message may be large, and all of it has to be read to see whether it has a word."""
    async with await open_stores(URL, folder, clock) as stores:
        few = SEARCHED // LARGE - 1
        await fill(stores, few, LARGE)
        counted, taken = await peak(stores, Query(text="word"))
        assert counted == few
        assert taken < LITTLE
        await fill(stores, 2, LARGE)
        assert await stores.archive.count(ROMEO, Query(text="word"), most=10_000) is None
        assert await stores.archive.count(ROMEO, Query(peer=JULIET), most=10_000) == few + 2


async def test_so_many_are_looked_at(folder: Path, clock: ManualClock) -> None:
    """Also of those that are not counted in the end."""
    async with await open_stores(URL, folder, clock) as stores:
        await fill(stores, COUNTED, 1)
        early = Query(end=clock.now() + timedelta(days=1))
        assert await stores.archive.count(ROMEO, early, most=COUNTED) == COUNTED
        assert await stores.archive.count(ROMEO, early, most=COUNTED - 1) is None
        await fill(stores, 1, 1)
        assert await stores.archive.count(ROMEO, early, most=2 * COUNTED) is None
        assert await stores.archive.count(ROMEO) == COUNTED + 1


async def test_one_account_asks_one_thing_at_a_time(folder: Path, clock: ManualClock) -> None:
    """However many clients it has: some reader is there for others."""
    async with await open_stores(URL, folder, clock) as stores:
        await fill(stores, 10, 1)
        await fill(stores, 10, 1, JULIET)
        questions = [
            asyncio.ensure_future(stores.archive.count(ROMEO, Query(peer=JULIET)))
            for _ in range(20)
        ]
        questions += [asyncio.ensure_future(stores.archive.page(ROMEO, limit=9)) for _ in range(20)]
        most = 0
        while not all(question.done() for question in questions):
            most = max(most, stores.engine.waiting)
            await asyncio.sleep(0)
        assert most == 1
        other = asyncio.ensure_future(stores.archive.count(JULIET, Query(peer=JULIET)))
        again = asyncio.ensure_future(stores.archive.count(ROMEO, Query(peer=JULIET)))
        await asyncio.sleep(0)
        assert stores.engine.waiting == 2
        assert await other == await again == 10


async def test_who_gives_up_holds_up_nobody(folder: Path, clock: ManualClock) -> None:
    async with await open_stores(URL, folder, clock) as stores:
        await fill(stores, 10, 1)
        questions = [asyncio.ensure_future(stores.archive.page(ROMEO, limit=9)) for _ in range(9)]
        await asyncio.sleep(0)
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
        assert len((await stores.archive.page(ROMEO, limit=9)).entries) == 9
