"""The engine: what is acknowledged is kept, what fails fails alone, and it goes on."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from os.path import getsize
from pathlib import Path
from threading import Event

import pytest

from pyrite.store import lane
from pyrite.store.connection import Options, make_file
from pyrite.store.engine import Engine
from pyrite.store.errors import StoreBusy, StoreClosed, StoreError

WAIT = 60  # seconds for what happens at once

Database = sqlite3.Connection
Opened = Callable[[Options], Awaitable[Engine]]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("empty") / "test.db"
    make_file(made)
    database = sqlite3.connect(made)
    database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, value)")
    database.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    database.execute(
        "CREATE TABLE children (id REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    database.commit()
    database.close()
    return made


@pytest.fixture
def path(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path))


@pytest.fixture
async def opened(path: Path) -> AsyncIterator[Opened]:
    engines: list[Engine] = []

    async def open_engine(options: Options) -> Engine:
        engines.append(await Engine.open(path, options))
        return engines[-1]

    yield open_engine
    async with asyncio.timeout(WAIT):
        for engine in engines:
            await engine.close()


@pytest.fixture
async def engine(opened: Opened) -> Engine:
    return await opened(Options())


def add(value: object) -> Callable[[Database], int]:
    def function(database: Database) -> int:
        found = database.execute("INSERT INTO rows (value) VALUES (?) RETURNING id", (value,))
        return int(found.fetchone()[0])

    return function


def values(database: Database) -> list[object]:
    return [value for (value,) in database.execute("SELECT value FROM rows ORDER BY id")]


def fail(error: BaseException) -> Callable[[Database], None]:
    """A write that does something and then raises."""

    def function(database: Database) -> None:
        add("failed")(database)
        raise error

    return function


@asynccontextmanager
async def held(engine: Engine) -> AsyncIterator[None]:
    """The writing thread stands still inside, so that what is written meanwhile is a group."""
    standing, go = Event(), Event()

    def stand(_: Database) -> None:
        standing.set()
        assert go.wait(WAIT)

    task = asyncio.create_task(engine.write(stand))
    await asyncio.to_thread(standing.wait, WAIT)
    try:
        yield
        await asyncio.sleep(0)  # for those that have just been started
    finally:
        go.set()
        await asyncio.gather(task, return_exceptions=True)  # it may share in a failure


async def test_a_write_gives_its_result_and_is_there(engine: Engine, path: Path) -> None:
    assert await engine.write(add("a")) == 1
    other = sqlite3.connect(path)
    assert values(other) == ["a"]
    other.close()
    assert await engine.read(values) == ["a"]


async def test_writes_at_the_same_time_share_commits(engine: Engine) -> None:
    ids = await asyncio.gather(*(engine.write(add(n)) for n in range(1000)))
    assert ids == list(range(1, 1001))
    assert engine.writes == 1000
    assert engine.groups < 100


async def test_writes_happen_in_the_order_in_which_they_were_asked(engine: Engine) -> None:
    async with asyncio.TaskGroup() as tasks:
        for n in range(500):
            tasks.create_task(engine.write(add(n)))
    assert await engine.read(values) == list(range(500))


async def test_a_group_has_a_limit(opened: Opened) -> None:
    engine = await opened(Options(group=10))
    async with asyncio.TaskGroup() as tasks, held(engine):
        for n in range(99):
            tasks.create_task(engine.write(add(n)))
    assert engine.groups >= 10
    assert engine.writes == 100


async def test_a_window_waits_for_company(opened: Opened) -> None:
    engine = await opened(Options(window=10_000, group=2))
    async with asyncio.TaskGroup() as tasks:
        for n in range(2):
            tasks.create_task(engine.write(add(n)))
            await asyncio.sleep(0)
    assert engine.groups == 1


async def test_a_window_ends(opened: Opened) -> None:
    engine = await opened(Options(window=1))
    assert await engine.write(add("alone")) == 1


@pytest.mark.parametrize("error", [LookupError("mine"), StoreError("mine")], ids=repr)
async def test_who_fails_in_a_group_fails_alone(engine: Engine, error: Exception) -> None:
    async with asyncio.TaskGroup() as tasks, held(engine):
        before = tasks.create_task(engine.write(add("before")))
        failing = asyncio.gather(engine.write(fail(error)), return_exceptions=True)
        after = tasks.create_task(engine.write(add("after")))
    (raised,) = await failing
    assert type(raised) is type(error)
    assert str(raised) == "mine"
    assert (before.result(), after.result()) == (1, 2)
    assert await engine.read(values) == ["before", "after"]
    assert engine.failures == 0


@pytest.mark.parametrize(
    "error", [StopIteration(1), SystemExit(), KeyboardInterrupt(), asyncio.CancelledError()],
    ids=repr,
)  # fmt: skip
async def test_what_no_future_can_carry_is_a_store_error(
    engine: Engine, error: BaseException
) -> None:
    for action in (engine.write, engine.read):
        with pytest.raises(StoreError) as caught:
            await action(fail(error) if action == engine.write else _raise(error))
        assert caught.value.__cause__ is error
    assert await engine.write(add("after")) == 1


def _raise(error: BaseException) -> Callable[[Database], None]:
    def function(_: Database) -> None:
        raise error

    return function


async def test_wrong_sql_is_a_store_error(engine: Engine) -> None:
    for action in (engine.write, engine.read):
        with pytest.raises(StoreError, match="no such table: nowhere"):
            await action(lambda db: db.execute("SELECT * FROM nowhere").fetchone())


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of writing, which is then forgotten."""
    found = [r.getMessage() for r in caplog.records if r.name == "pyrite.store.engine"]
    caplog.clear()
    return found


async def test_a_commit_that_fails_fails_for_all_of_the_group(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async with held(engine):
        results = asyncio.gather(
            engine.write(add("innocent")),
            engine.write(lambda db: db.execute("INSERT INTO children VALUES (7)").rowcount),
            return_exceptions=True,
        )
    innocent, guilty = await results
    assert isinstance(innocent, StoreError)
    assert isinstance(guilty, StoreError)
    assert innocent is not guilty
    assert "FOREIGN KEY" in str(innocent)
    assert await engine.write(add("after")) == 1
    assert await engine.read(values) == ["after"]
    assert engine.failures == 1
    assert told(caplog) == ["writing fails: FOREIGN KEY constraint failed"]


async def test_a_function_that_ends_the_transaction_fails(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    for words in ("COMMIT", "ROLLBACK"):
        with pytest.raises(StoreError):
            await engine.write(lambda db, words=words: db.execute(words).rowcount)  # type: ignore[misc]
    assert await engine.write(add("after")) == 1
    assert all("writing fails" in line for line in told(caplog))


async def test_a_waiter_that_is_cancelled_breaks_nothing(engine: Engine) -> None:
    async with asyncio.TaskGroup() as tasks, held(engine):
        one = tasks.create_task(engine.write(add("one")))
        cancelled = tasks.create_task(engine.write(add("cancelled")))
        failing = tasks.create_task(engine.write(fail(LookupError())))
        two = tasks.create_task(engine.write(add("two")))
        await asyncio.sleep(0)
        cancelled.cancel()
        failing.cancel()
    assert (one.result(), two.result()) == (1, 3)
    assert cancelled.cancelled()
    assert await engine.read(values) == ["one", "cancelled", "two"]


async def test_a_full_disk_fails_those_who_need_room(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """And whoever looks after the server is told, once, though others find their place."""
    engine = await opened(Options(pages=10))
    async with held(engine):
        results = asyncio.gather(
            engine.write(add("small")),
            engine.write(add(b"x" * 100_000)),
            engine.write(add("also small")),
            return_exceptions=True,
        )
    small, large, also_small = await results
    assert (small, also_small) == (1, 2)
    assert isinstance(large, StoreBusy)  # there may be room again
    assert "full" in str(large)
    await engine.write(lambda db: db.execute("DELETE FROM rows WHERE id = 1").rowcount)
    assert await engine.write(add("after")) == 3
    assert await engine.read(values) == ["also small", "after"]
    for _ in range(3):
        with pytest.raises(StoreError):
            await engine.write(add(b"x" * 100_000))
        await engine.write(lambda db: db.execute("UPDATE rows SET value = 'x'").rowcount)
    assert told(caplog) == ["writing fails: database or disk is full"]


async def test_a_disk_that_is_full_for_all_fails_all(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    engine = await opened(Options(pages=10))
    async with held(engine):
        results = asyncio.gather(
            *(engine.write(add(b"x" * 100_000)) for _ in range(10)), return_exceptions=True
        )
    assert all(isinstance(result, StoreBusy) for result in await results)
    assert await engine.write(add("after")) == 1
    assert told(caplog)[0].startswith("writing fails: the database undid")


async def test_a_locked_database_fails_all_and_then_works_again(
    opened: Opened, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    engine = await opened(Options(busy=0.05))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        results = await asyncio.gather(
            *(engine.write(add(n)) for n in range(20)), return_exceptions=True
        )
        assert all(isinstance(result, StoreBusy) for result in results)
        assert "locked" in str(results[0])
    assert await engine.read(values) == []
    other.execute("COMMIT")
    assert await engine.write(add("after")) == 1
    other.close()
    assert told(caplog) == [
        "writing fails: database is locked",
        f"writing works again after {engine.failures} failures",
    ]


async def test_a_short_lock_is_waited_for(engine: Engine, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(engine.write(add("a")))
    asyncio.get_running_loop().call_later(0.05, other.execute, "COMMIT")
    assert await writing == 1
    other.close()


async def test_who_finds_no_place_is_held_back_and_then_let_in(opened: Opened) -> None:
    engine = await opened(Options(queue=3))
    async with asyncio.TaskGroup() as tasks, held(engine):
        writing = [tasks.create_task(engine.write(add(n))) for n in range(50)]
    assert sorted(task.result() for task in writing) == list(range(1, 51))
    assert await engine.read(values) == list(range(50))


async def test_who_waits_too_long_for_a_place_is_refused(opened: Opened) -> None:
    engine = await opened(Options(queue=2, patience=0.02))
    async with held(engine):
        inside = asyncio.create_task(engine.write(add("inside")))
        await asyncio.sleep(0)
        for _ in range(3):
            with pytest.raises(StoreBusy):
                await engine.write(add("outside"))
    assert await inside == 1
    assert await engine.write(add("after")) == 2


async def test_no_more_may_wait_than_the_bound(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "HELD", 1)
    engine = await opened(Options(queue=1))
    async with held(engine):
        waiting = asyncio.create_task(engine.write(add("waiting")))
        await asyncio.sleep(0)
        with pytest.raises(StoreBusy):
            await engine.write(add("one too many"))
    assert await waiting == 1


async def test_who_is_cancelled_while_held_back_leaves_its_place(opened: Opened) -> None:
    engine = await opened(Options(queue=1))
    async with asyncio.TaskGroup() as tasks, held(engine):
        leaving = [tasks.create_task(engine.write(add("left"))) for _ in range(3)]
        staying = tasks.create_task(engine.write(add("stayed")))
        await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
    assert staying.result() == 1
    assert await engine.read(values) == ["stayed"]


async def test_closing_finishes_what_was_accepted(opened: Opened, path: Path) -> None:
    engine = await opened(Options(queue=5))
    async with asyncio.TaskGroup() as tasks, held(engine):
        writing = [tasks.create_task(engine.write(add(n))) for n in range(50)]
        await asyncio.sleep(0)
        closing = tasks.create_task(engine.close())
    assert all(task.result() for task in writing)
    assert closing.done()
    for action in (engine.write, engine.read, engine.snapshot):
        with pytest.raises(StoreClosed):
            await action(values)
    other = sqlite3.connect(path)
    assert len(values(other)) == 50
    other.close()
    assert [found.name for found in path.parent.iterdir()] == [path.name]  # no log is left


async def test_closing_twice_is_closing(engine: Engine) -> None:
    await engine.close()
    await engine.close()


async def test_readers_cannot_write(engine: Engine) -> None:
    with pytest.raises(StoreError, match="readonly"):
        await engine.read(add("a"))
    assert await engine.read(values) == []


async def test_a_snapshot_stands_still_and_a_read_does_not(engine: Engine) -> None:
    await engine.write(add("before"))
    seen, go = Event(), Event()

    def twice(database: Database) -> tuple[int, int]:
        first = len(values(database))
        seen.set()
        assert go.wait(WAIT)
        return first, len(values(database))

    for action, expected in ((engine.snapshot, (1, 1)), (engine.read, (2, 3))):
        seen.clear()
        go.clear()
        task = asyncio.create_task(action(twice))
        await asyncio.to_thread(seen.wait, WAIT)
        await engine.write(add("meanwhile"))
        go.set()
        assert await task == expected
    assert await engine.read(lambda db: db.in_transaction) is False


async def test_a_failed_snapshot_ends(engine: Engine) -> None:
    for _ in range(4):
        with pytest.raises(LookupError):
            await engine.snapshot(_raise(LookupError()))
    await engine.write(add("a"))
    assert await engine.snapshot(values) == ["a"]


async def test_a_slow_read_holds_up_no_write(engine: Engine) -> None:
    go = Event()
    reading = asyncio.create_task(engine.read(lambda _: go.wait(WAIT)))
    assert await engine.write(add("a")) == 1
    assert await engine.read(values) == ["a"]
    go.set()
    assert await reading


async def test_a_read_that_nobody_waits_for_is_not_done(opened: Opened) -> None:
    engine = await opened(Options(readers=1))
    go, done = Event(), []
    first = asyncio.create_task(engine.read(lambda _: go.wait(WAIT)))
    second = asyncio.create_task(engine.read(lambda _: done.append(1)))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    go.set()
    await first
    await engine.read(values)
    assert done == []


def test_a_loop_that_ends_meanwhile_is_no_error(path: Path) -> None:
    standing, go = Event(), Event()

    def stand(_: Database) -> None:
        standing.set()
        assert go.wait(WAIT)

    async def main() -> Engine:
        engine = await Engine.open(path)
        task = asyncio.create_task(engine.write(stand))
        await asyncio.to_thread(standing.wait, WAIT)
        assert not task.done()
        return engine

    engine = asyncio.run(main())
    go.set()
    while not engine.groups:
        assert engine._threads[0].is_alive()
    engine._writes.queue.put(None)
    for _ in engine._threads[1:]:
        engine._reads.queue.put(None)
    for thread in engine._threads:
        thread.join(WAIT)
        assert not thread.is_alive()


async def test_another_process_may_hold_the_file_while_we_open(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    engine = await Engine.open(path, Options(busy=0.05))
    assert await engine.read(values) == []
    other.execute("ROLLBACK")
    other.close()
    await engine.close()


async def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot open"):
        await Engine.open(tmp_path / "absent.db")


async def test_the_file_is_written_anew_between_writes(path: Path, engine: Engine) -> None:
    """Alone, in its turn, and whoever writes meanwhile waits and loses nothing."""
    await engine.write(add("x" * (1 << 20)))
    await engine.write(lambda db: db.execute("DELETE FROM rows").rowcount)
    tasks = []
    for number in range(200):
        tasks.append(asyncio.create_task(engine.write(add(str(number)))))
        if number % 50 == 25:
            tasks.append(asyncio.create_task(engine.compact()))
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*tasks)
    rows = await engine.read(lambda db: db.execute("SELECT value FROM rows ORDER BY id").fetchall())
    assert [value for (value,) in rows] == [str(number) for number in range(200)]
    before, after = await engine.compact()
    sizes = [await asyncio.to_thread(getsize, f"{path}{end}") for end in ("", "-wal")]
    assert sizes == [after, 0]
    assert before == after < 1 << 19


async def test_a_file_that_cannot_be_written_anew_is_as_it_was(
    opened: Opened, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = await opened(Options(busy=0.05))
    await engine.write(add("here"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await engine.compact()
    other.execute("ROLLBACK")
    other.execute("BEGIN")
    other.execute("SELECT * FROM rows").fetchall()
    with pytest.raises(StoreError, match="somebody reads for so long"):
        await engine.settle()
    other.execute("ROLLBACK")
    other.close()
    await engine.settle()
    rows = await engine.read(lambda db: db.execute("SELECT value FROM rows").fetchall())
    assert rows == [("here",)]
    caplog.clear()  # it has said that writing fails
