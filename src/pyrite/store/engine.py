"""One SQLite file with one thread that writes, in groups, and a few that read."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from threading import Thread
from time import monotonic
from typing import Any, Final, TypeVar

from .connection import Options, connect
from .errors import StoreBusy, StoreError
from .lane import Job, Lane

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS: Final = 3  # times that a group is tried while writes in it make SQLite undo everything
LONGEST_GROUP: Final = 0.005  # seconds after which a group takes no more writes
SILENT: Final = 60.0  # seconds after which it is told again that writing fails
DEFAULTS: Final = Options()
#: What is wrong with the disk or with who else uses it, and not with one write.
TROUBLE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
}
#: What of it may be over soon, so that who is refused may try again.
PASSING: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}
_SIZE: Final = ("page_count", "page_size")


class Engine:
    """Reads and writes of one file; made by `Engine.open` on the loop that will use it.

    A function given to it runs in a thread, maybe more than once, and must touch nothing but
    its connection. It leaves transactions alone. `writes`, `groups` and `failures` (of whole
    groups) are plain counters for a metric to read, `waiting` is how many calls are under way.
    """

    def __init__(
        self, writer: sqlite3.Connection, readers: list[sqlite3.Connection], options: Options
    ) -> None:
        self._writes = Lane(options.queue, options.patience)
        self._reads = Lane(options.queue, options.patience)
        self._writer = _Writer(writer, self._writes, options)
        self._threads = [Thread(target=self._writer.run, name="store-writer", daemon=True)]
        for number, reader in enumerate(readers):
            arguments = (reader, self._reads)
            name = f"store-reader-{number}"
            self._threads.append(Thread(target=_read, args=arguments, name=name, daemon=True))
        for thread in self._threads:
            thread.start()

    @classmethod
    async def open(cls, path: Path, options: Options = DEFAULTS) -> Engine:
        """An engine for the file at `path`, which exists; raises `StoreError`."""

        def connected() -> tuple[sqlite3.Connection, list[sqlite3.Connection]]:
            writer = connect(path, options)
            return writer, [connect(path, options, reading=True) for _ in range(options.readers)]

        writer, readers = await asyncio.to_thread(connected)
        return cls(writer, readers, options)

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """What `function` returns, once all that it wrote is on the disk.

        It runs in a transaction of which nothing is kept if it raises; the exception is
        passed on. Cancelling the caller does not undo the write. Raises `StoreError`.
        """
        return await self._writes.do(function)

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """What `function` finds. Between two of its statements others may write."""
        return await self._reads.do(function)

    async def snapshot(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """What `function` finds, all of its statements at the same moment."""
        return await self._reads.do(lambda database: _at_once(database, function))

    async def settle(self) -> None:
        """Move the log into the file, and empty it: what was overwritten is then nowhere.

        Raises `StoreError`.
        """
        await self._writes.do(_settle, is_alone=True)

    async def compact(self) -> tuple[int, int]:
        """Write the file anew without what was deleted; its octets before and after.

        Until that is done nobody writes; who reads goes on. Raises `StoreError`.
        """
        return await self._writes.do(_compact, is_alone=True)

    async def close(self) -> None:
        """Finish what was accepted, then close the file."""
        await self._writes.drain()
        await self._reads.drain()
        writing, *reading = self._threads
        for _ in reading:
            self._reads.queue.put(None)
        for thread in reading:
            await asyncio.to_thread(thread.join)
        self._writes.queue.put(None)  # last, for only it may move the log into the file
        await asyncio.to_thread(writing.join)

    @property
    def waiting(self) -> int:
        return self._writes.waiting + self._reads.waiting

    @property
    def writes(self) -> int:
        return self._writer.writes

    @property
    def groups(self) -> int:
        return self._writer.groups

    @property
    def failures(self) -> int:
        return self._writer.failures


class _Writer:
    """The writing thread: takes what is queued, and commits it at once."""

    def __init__(self, database: sqlite3.Connection, lane: Lane, options: Options) -> None:
        self._database, self._lane, self._queue = database, lane, lane.queue
        self._window, self._most = options.window / 1000, options.group
        self._is_told = False  # that it fails
        self._silent_until = 0.0
        self._next: Job[Any] | None = None  # is for itself, so it comes behind a group
        self.writes = self.groups = self.failures = 0

    def run(self) -> None:
        while (first := self._taken()) is not None:
            jobs = [first]
            try:
                if first.is_alone:
                    first.result = first.function(self._database)
                elif not self._together(jobs):
                    self._apart(jobs)
                self.groups += 1
                self.writes += len(jobs)
                self._tell(_trouble(jobs))
            except Exception as error:  # the lock, the disk: all have failed
                self._undo()
                self.failures += 1
                for job in jobs:
                    job.error = job.error or _answer(error)
                self._tell(error)
            self._lane.finish(jobs)
        self._database.close()

    def _taken(self) -> Job[Any] | None:
        taken, self._next = self._next or self._queue.get(), None
        return taken

    def _tell(self, error: BaseException | None) -> None:
        """Log that a group, or a part of it, has failed, or that they do no longer.

        Once, not for each; and not each time where a small write finds its place on a full disk.
        """
        now = monotonic()
        if error is None and self._is_told:
            log.info("writing works again after %d failures", self.failures)
            self._is_told = False
        elif error is not None and not self._is_told and now >= self._silent_until:
            log.error("writing fails: %s", error)
            self._is_told, self._silent_until = True, now + SILENT

    def _together(self, jobs: list[Job[Any]]) -> bool:
        """Commit `jobs` and those that arrive meanwhile; if one fails, none, and give False.

        There are no savepoints: each would cost as much as the insert that it guards.
        """
        self._join(jobs)
        if self._window:
            self._wait_for_more(jobs)  # before the transaction: other processes may want to write
        end = monotonic() + LONGEST_GROUP
        self._database.execute("BEGIN IMMEDIATE")
        for job in jobs:
            try:
                job.result = job.function(self._database)
            except BaseException:
                self._undo()
                return False
            if job is jobs[-1] and monotonic() < end:
                self._join(jobs)
        self._database.execute("COMMIT")
        return True

    def _apart(self, jobs: list[Job[Any]]) -> None:
        """Commit those of `jobs` that do not fail."""
        for _ in range(ATTEMPTS):
            if self._guarded([job for job in jobs if job.error is None]):
                return
        raise StoreBusy("the database undid the writes again and again")

    def _guarded(self, jobs: list[Job[Any]]) -> bool:
        """Commit those of `jobs` that do not fail; `False` if one had the database undo all."""
        self._database.execute("BEGIN IMMEDIATE")
        for job in jobs:
            self._database.execute("SAVEPOINT job")
            try:
                job.result = job.function(self._database)
            except BaseException as error:
                job.error = _answer(error)
                if not self._database.in_transaction:
                    return False
                self._database.execute("ROLLBACK TO job")
            self._database.execute("RELEASE job")
        self._database.execute("COMMIT")
        return True

    def _join(self, jobs: list[Job[Any]]) -> None:
        """Add to `jobs` what is queued, as far as there is room."""
        for _ in range(min(self._queue.qsize(), self._most - len(jobs))):
            if self._next is not None:
                return
            self._add(jobs, self._queue.get())

    def _wait_for_more(self, jobs: list[Job[Any]]) -> None:
        """Add to `jobs` what comes within the window."""
        end = monotonic() + self._window
        with suppress(Empty):
            while len(jobs) < self._most and (left := end - monotonic()) > 0:
                if self._next is not None:
                    return
                self._add(jobs, self._queue.get(timeout=left))

    def _add(self, jobs: list[Job[Any]], taken: Job[Any] | None) -> None:
        """Add one to `jobs`; if it is for itself, it has its turn behind them."""
        job = _job(taken)
        if job.is_alone:
            self._next = job
        else:
            jobs.append(job)

    def _undo(self) -> None:
        if self._database.in_transaction:
            with suppress(sqlite3.Error):  # then the database has done so by itself
                self._database.execute("ROLLBACK")


def _read(database: sqlite3.Connection, lane: Lane) -> None:
    """The work of a reading thread."""
    while (job := lane.queue.get()) is not None:
        if not job.done.cancelled():
            try:
                job.result = job.function(database)
            except BaseException as error:
                job.error = _answer(error)
        lane.finish([job])
    database.close()


def _settle(database: sqlite3.Connection) -> None:
    is_busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise StoreError("somebody reads for so long that the log cannot be emptied")


def _compact(database: sqlite3.Connection) -> tuple[int, int]:
    before = _size(database)
    database.execute("VACUUM")
    _settle(database)
    return before, _size(database)


def _size(database: sqlite3.Connection) -> int:
    pages, octets = (database.execute(f"PRAGMA {p}").fetchone()[0] for p in _SIZE)
    return int(pages * octets)


def _at_once(database: sqlite3.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    database.execute("BEGIN")
    try:
        return function(database)
    finally:
        database.execute("ROLLBACK")


def _answer(error: BaseException) -> Exception:
    """`error` as the one who waits gets it: an own object, and one that a future can carry."""
    if isinstance(error, Exception) and not isinstance(error, (sqlite3.Error, StopIteration)):
        return type(error)(str(error)) if isinstance(error, StoreError) else error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # above are details
    answer = (StoreBusy if code in PASSING else StoreError)(str(error) or type(error).__name__)
    answer.__cause__ = error
    return answer


def _trouble(jobs: list[Job[Any]]) -> BaseException | None:
    """An error among those of `jobs` that somebody has to look after."""
    for job in jobs:
        code = getattr(job.error and job.error.__cause__, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in TROUBLE:  # above are details
            return job.error
    return None


def _job(taken: Job[Any] | None) -> Job[Any]:
    assert taken is not None  # noqa: S101  # the end is queued once all jobs are done
    return taken
