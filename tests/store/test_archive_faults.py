"""Archives under load, and when the disk does not want: in order, bounded, and then well again."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Batching, Stores, open_stores
from pyrite.server.store.archive import END, Keep, Query
from pyrite.store.connection import Options
from pyrite.store.errors import StoreBusy, StoreClosed, StoreError

from .conftest import URL
from .test_archive import counts
from .test_faults import LIMIT, start

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@capulet.lit/balcony")
STAMP = datetime(2026, 1, 1, tzinfo=UTC)
WAIT = 60  # seconds for what happens at once

Opened = Callable[..., Awaitable[Stores]]


@pytest.fixture
async def opened(folder: Path, clock: ManualClock) -> AsyncIterator[Opened]:
    made: list[Stores] = []

    async def open_with(batching: Batching, options: Options | None = None) -> Stores:
        made.append(await open_stores(URL, folder, clock, options or Options(), batching))
        return made[-1]

    yield open_with
    async with asyncio.timeout(WAIT):
        for stores in made:
            await stores.close()


def add(
    stores: Stores, text: str, *, owner: JID = ROMEO, id: int | None = None, body: str = "x"
) -> asyncio.Future[None]:
    archive = stores.archive
    return archive.add(id or archive.next_id(), owner, JULIET, STAMP, text, body=body)


async def texts(stores: Stores, query: Query | None = None, owner: JID = ROMEO) -> list[str]:
    page = await stores.archive.page(owner, query or Query(), limit=100_000)
    return [entry.stanza for entry in page.entries]


@asynccontextmanager
async def standing(stores: Stores) -> AsyncIterator[None]:
    """The writing thread stands still inside."""
    stands, go = Event(), Event()

    def stand(_: sqlite3.Connection) -> None:
        stands.set()
        assert go.wait(WAIT)

    task = asyncio.create_task(stores.engine.write(stand))
    await asyncio.to_thread(stands.wait, WAIT)
    try:
        yield
    finally:
        go.set()
        await task


@asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[None]:
    """Another process holds the database."""
    other = sqlite3.connect(folder / "pyrite.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("COMMIT")
        other.close()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, which is then forgotten."""
    found = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    caplog.clear()
    return found


async def test_what_comes_meanwhile_is_written_together(opened: Opened) -> None:
    stores = await opened(Batching(window=0))
    async with standing(stores):
        groups = stores.engine.groups
        done = [add(stores, str(n)) for n in range(500)]
        assert stores.archive.waiting == 500
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*map(asyncio.shield, done))
    assert stores.engine.groups - groups <= 3
    assert stores.archive.waiting == 0
    assert await texts(stores) == [str(n) for n in range(500)]


async def test_a_window_lets_more_come_and_a_question_closes_it(opened: Opened) -> None:
    stores = await opened(Batching(window=3_600_000))
    done = add(stores, "1")
    await asyncio.sleep(0)
    assert not done.done()
    assert add(stores, "2") is done
    async with asyncio.timeout(WAIT):
        assert await texts(stores) == ["1", "2"]
    assert done.done()
    later = add(stores, "3")
    assert await texts(stores, owner=JULIET) == []
    assert not later.done()  # it is nobody's answer
    async with asyncio.timeout(WAIT):
        assert await stores.archive.count(ROMEO) == 3


async def test_a_window_ends_by_itself(opened: Opened) -> None:
    stores = await opened(Batching(window=1))
    async with asyncio.timeout(WAIT):
        await asyncio.shield(add(stores, "1"))
        await asyncio.shield(add(stores, "2"))


async def test_order_holds_under_load(opened: Opened, folder: Path) -> None:
    """Many owners, in groups of all sizes, with the index filled beside it."""
    stores = await opened(Batching(window=0, index=64))
    owners = [JID(f"user{n}", "verona.lit") for n in range(7)]
    for number in range(3000):
        done = add(stores, str(number), owner=owners[number % 7])
        if number % 97 == 0:
            await asyncio.shield(done)
        if number % 500 == 250:
            assert await texts(stores, owner=owners[1]) == list(map(str, range(1, number + 1, 7)))
    for number, owner in enumerate(owners):
        assert await texts(stores, owner=owner) == list(map(str, range(number, 3000, 7)))
        assert await texts(stores, Query(text="x"), owner) == await texts(stores, owner=owner)
    assert await stores.archive.purge(Keep()) == 0
    assert counts(folder)[0] == 3000


async def test_ids_may_be_late(opened: Opened) -> None:
    """A message that was delivered first and added last stands where it was delivered."""
    stores = await opened(Batching(window=0))
    first, second, third = (stores.archive.next_id() for _ in range(3))
    add(stores, "3", id=third)
    add(stores, "2", id=second)
    await stores.archive.purge(Keep())
    add(stores, "1", id=first)
    for query in (Query(), Query(text="x"), Query(peer=JULIET)):
        assert await texts(stores, query) == ["1", "2", "3"]
    page = await stores.archive.page(ROMEO, limit=1, before=END)
    assert page.entries[0].id == third
    assert await stores.archive.count(ROMEO) == 3


async def test_the_same_again_changes_nothing(opened: Opened) -> None:
    stores = await opened(Batching(window=0))
    id = stores.archive.next_id()
    add(stores, "1", id=id)
    assert await texts(stores) == ["1"]
    await asyncio.shield(add(stores, "other", id=id))
    assert await texts(stores) == ["1"]
    assert await stores.archive.count(ROMEO) == 1


async def test_a_lock_is_outlasted(
    opened: Opened, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    stores = await opened(Batching(window=0), Options(busy=0.01))
    async with locked(folder):
        done = add(stores, "1")
        await until(lambda: stores.engine.failures == 1 and clock.pending)
        later = add(stores, "2")
        clock.advance(1)
        await until(lambda: stores.engine.failures == 2 and clock.pending)
        assert not done.done()
    clock.advance(5)
    async with asyncio.timeout(WAIT):
        await asyncio.shield(later)
    assert done.done()
    assert await texts(stores) == ["1", "2"]
    assert told(caplog) == ["writing fails: database is locked"]


async def test_patience_ends_and_it_goes_on(
    opened: Opened, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    stores = await opened(Batching(window=0, patience=30), Options(busy=0.01))
    async with locked(folder):
        lost = [add(stores, "1"), add(stores, "2")]
        await until(lambda: stores.engine.failures == 1 and clock.pending)
        clock.advance(29)
        await until(lambda: stores.engine.failures == 2 and clock.pending)
        kept = add(stores, "3")  # its own patience begins now
        clock.advance(2)
        async with asyncio.timeout(WAIT):
            with pytest.raises(StoreError, match="locked"):
                await asyncio.shield(lost[1])
        assert lost[0].exception() is lost[1].exception()
        await until(lambda: stores.engine.failures == 4 and clock.pending)
    clock.advance(3)
    async with asyncio.timeout(WAIT):
        await asyncio.shield(kept)
    assert await texts(stores) == ["3"]
    assert stores.archive.waiting == 0
    assert told(caplog)[1:] == ["2 messages could not be archived: database is locked"]


async def test_a_full_disk_fails_and_recovers(
    opened: Opened, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    stores = await opened(Batching(window=0, patience=0), Options(pages=200))
    kept = 0
    while not (await asyncio.wait([add(stores, f"{kept}" + "x" * 20_000)]))[0].pop().exception():
        kept += 1
    assert kept > 5
    assert len(await texts(stores)) == kept
    first = (await stores.archive.page(ROMEO, limit=3)).entries
    await stores.archive.clear(ROMEO)
    assert await stores.archive.purge(Keep()) == kept
    await asyncio.shield(add(stores, "after"))
    assert await texts(stores) == ["after"]
    assert first
    assert told(caplog)[-1] == "1 messages could not be archived: database or disk is full"
    assert counts(folder)[0] == 1


@pytest.mark.parametrize("batching", [Batching(count=3), Batching(octets=1400)])
async def test_what_waits_is_bounded(opened: Opened, batching: Batching) -> None:
    stores = await opened(batching)
    async with standing(stores):
        for number in range(3):
            add(stores, str(number))
        with pytest.raises(StoreBusy):
            add(stores, "x" * 400)
        assert stores.archive.waiting == 3
    assert await texts(stores) == ["0", "1", "2"]
    add(stores, "3")
    assert await texts(stores) == ["0", "1", "2", "3"]


async def test_who_is_cancelled_takes_nobody_along(opened: Opened) -> None:
    stores = await opened(Batching(window=0))
    async with standing(stores):
        done = add(stores, "1")

        async def wait() -> None:
            await asyncio.shield(done)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert add(stores, "2") is not None
    assert await texts(stores) == ["1", "2"]
    assert done.done()
    cancelled = add(stores, "3")  # what nobody should do
    cancelled.cancel()
    assert await texts(stores) == ["1", "2", "3"]


async def test_closing_writes_what_is_there(opened: Opened, folder: Path) -> None:
    stores = await opened(Batching(window=3_600_000))
    done = [add(stores, str(number)) for number in range(2500)]
    async with asyncio.timeout(WAIT):
        await stores.close()
    assert all(one.done() and not one.exception() for one in done)
    with pytest.raises(StoreClosed):
        add(stores, "x")
    again = await opened(Batching())
    assert await texts(again) == [str(number) for number in range(2500)]


async def test_closing_has_no_patience(
    opened: Opened, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    stores = await opened(Batching(window=0), Options(busy=0.01))
    async with locked(folder):
        lost = add(stores, "1")
        await until(lambda: stores.engine.failures == 1 and clock.pending)
        async with asyncio.timeout(WAIT):
            await stores.close()
    assert isinstance(lost.exception(), StoreError)
    assert len(told(caplog)) == 2


async def test_a_bug_fails_one_group(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    stores = await opened(Batching(window=0))
    with pytest.raises(UnicodeEncodeError):
        add(stores, "\ud800")
    assert stores.archive.waiting == 0
    done = add(stores, "1", id=1 << 70)
    with pytest.raises(StoreError, match="too large"):
        await asyncio.shield(done)
    await asyncio.shield(add(stores, "2"))
    assert await texts(stores) == ["2"]
    assert [line.split(":")[0] for line in told(caplog)] == [
        "archiving failed",
        "1 messages could not be archived",
    ]


#: Writes until it is killed, and tells of each message that was acknowledged.
ENDLESSLY = """
from pyrite.server.store.archive import Keep
async def act(stores, name):
    archive = stores.archive
    async def write(writer):
        for number in range(1 << 30):
            text = f"{writer} {number}"
            await asyncio.shield(archive.add(
                archive.next_id(), ROMEO, ROMEO.at("x"), NOW, text, body="word " + text
            ))
            os.write(1, f"{text}\\n".encode())
    async def purge():
        while True:
            await archive.purge(Keep())
    await asyncio.gather(purge(), *(write(n) for n in range(20)))
"""


async def test_what_was_acknowledged_survives_a_kill(opened: Opened, folder: Path) -> None:
    with start(ENDLESSLY, folder) as process:
        assert process.stdout
        told = [process.stdout.readline().strip() for _ in range(2000)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split("\n")[:-1]
        process.wait(LIMIT)
    stores = await opened(Batching(window=0))
    last = stores.archive.next_id()
    kept = await texts(stores)
    assert set(told) <= set(kept)
    assert len(kept) == len(set(kept))
    assert await texts(stores, Query(text="word", peer=ROMEO.at("x"))) == kept
    assert (await stores.archive.page(ROMEO, limit=1, before=END)).entries[0].id < last
    assert await stores.archive.count(ROMEO) == len(kept)
    assert await stores.archive.purge(Keep()) == 0
    assert counts(folder)[0] == len(kept)
