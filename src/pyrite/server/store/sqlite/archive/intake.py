"""What is added to the archive, on its way to the disk: in groups, in order, and not lost soon."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from .....kit.clock import Clock
from .....store.engine import Engine
from .....store.errors import StoreBusy, StoreClosed, StoreError
from .....store.texts import id_set
from .index import BODY_BITS, Fresh, Posting, add_to_index, index_some, insert, terms
from .reading import ID_BITS

log = logging.getLogger(__name__)

GROUP: Final = 1000  # entries in one transaction
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds between attempts to write a group
ENTRY_COST: Final = 400  # octets that an entry takes in memory beside its stanza
ASKING: Final = 5.0  # seconds that a question waits for what was added before

OWNERS: Final = """SELECT owner, number FROM archive_owners
    WHERE owner IN (SELECT value FROM json_each(?))"""
NEW_OWNER: Final = """INSERT INTO archive_owners (owner, count, bytes, first) VALUES (?, 0, 0, 0)
    RETURNING number"""
REACHED: Final = """UPDATE archive_state SET last = max(last, ?), skew = max(skew, ?)
    WHERE one = 1 RETURNING mark"""
KNOWN: Final = """SELECT id FROM archive_entries
    WHERE id IN (SELECT value FROM json_each(?))"""
ADD: Final = """INSERT OR IGNORE INTO archive_entries
    (id, number, stamp, flags, peer, name, body_at, body, stanza) VALUES """
BODY: Final = "<body>"  # as most begin
PLACES: Final = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Batching:
    """How the archive collects what it writes.

    `window`: milliseconds that a message waits for others. `patience`: seconds for which a disk
    that refuses is tried again. `count`, `octets`: the most that may wait; what comes then is
    refused. `index`: entries that are indexed at once, some 10 ms of the writer. `fresh`:
    characters of what is not indexed yet that are remembered for that.
    """

    window: float = 5.0
    patience: float = 30.0
    count: int = 20_000
    octets: int = 64 << 20
    index: int = 1000
    fresh: int = 4 << 20


BATCHING: Final = Batching()


#: An entry that is not written yet: id, address of the owner, stamp if it is not the id's, flags,
#: peer, name, body, stanza, octets of that.
New = tuple[int, str, int | None, int, str, str | None, str | None, str, int]


@dataclass(slots=True, eq=False)
class Group:
    """Entries that are written together; `done` is when they are on the disk.

    `over` is when they are that or lost; nobody else has it, so nobody can cancel it.
    """

    began: float
    done: asyncio.Future[None]
    over: asyncio.Future[None]
    rows: list[New] = field(default_factory=list)
    octets: int = 0


class Intake:
    """Takes entries on the loop; a task writes them, which is there while there are some."""

    def __init__(self, engine: Engine, clock: Clock, batching: Batching, fresh: Fresh) -> None:
        self._engine, self._clock, self._batching = engine, clock, batching
        self._fresh = fresh
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Group] = deque()  # the last of them collects
        self._writing: Group | None = None
        self._task: asyncio.Task[None] | None = None
        self._unindexed = batching.index  # at most: see to what an earlier run has left
        self._is_index_failing = False
        self._hurry = asyncio.Event()  # the window is over
        self._ending = asyncio.Event()  # there is no more patience
        self.count = self.octets = 0  # of what waits

    def add(self, row: New) -> asyncio.Future[None]:
        """Take `row`; raises `StoreBusy`, `StoreClosed`."""
        octets = row[-1] + ENTRY_COST
        if self._ending.is_set():
            raise StoreClosed("the store is closed")
        if self.count >= self._batching.count or self.octets + octets > self._batching.octets:
            raise StoreBusy("too many messages wait to be archived")
        group = self._waiting[-1] if self._waiting else self._begin()
        if len(group.rows) >= GROUP:
            self._hurry.set()
            group = self._begin()
        group.rows.append(row)
        group.octets += octets
        self.octets += octets
        self.count += 1
        return group.done

    async def settled(self, owner: str | None = None) -> None:
        """Return once all that was added, for `owner` or at all, is written or lost.

        Raises `StoreBusy` if that takes too long.
        """
        groups = [self._writing, *self._waiting] if self._writing else list(self._waiting)
        concerned = [
            group.over
            for group in groups
            if owner is None or any(row[1] == owner for row in group.rows)
        ]
        if not concerned:
            return
        self._hurry.set()
        _, late = await asyncio.wait(concerned, timeout=ASKING)
        if late:
            raise StoreBusy("what was archived last is not on the disk yet")

    async def close(self) -> None:
        """Write what is there, without patience, and take no more."""
        self._ending.set()
        self._hurry.set()
        if self._task is not None:
            await asyncio.shield(self._task)

    def _begin(self) -> Group:
        group = Group(
            self._clock.monotonic(), self._loop.create_future(), self._loop.create_future()
        )
        group.done.add_done_callback(_seen)
        self._waiting.append(group)
        if self._task is None:
            self._hurry.clear()
            self._task = self._loop.create_task(self._write_all())
        return group

    async def _write_all(self) -> None:
        while self._waiting:
            await self._gather()
            self._writing = group = self._waiting.popleft()
            error = await self._write(group)
            self._writing = None
            self.count -= len(group.rows)
            self.octets -= group.octets
            _tell(group, error)
            if error is None:
                self._unindexed += len(group.rows)
                await self._index()
        self._task = None

    async def _gather(self) -> None:
        """Wait until the window is over: real time, which no clock of a test has to move."""
        if self._batching.window and not self._hurry.is_set():
            timer = self._loop.call_later(self._batching.window / 1000, self._hurry.set)
            await self._hurry.wait()
            timer.cancel()
        if len(self._waiting) == 1 and not self._ending.is_set():
            self._hurry.clear()

    async def _write(self, group: Group) -> StoreError | None:
        """Have `group` on the disk, or give the reason once the patience with it is over."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._engine.write(lambda db: add(db, group.rows, self._fresh))
            except StoreError as error:
                end = group.began + self._batching.patience
                if self._ending.is_set() or self._clock.monotonic() >= end:
                    return error
            except Exception as error:
                log.exception("archiving failed")
                return StoreError(str(error))
            else:
                return None
            await self._pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _pause(self, seconds: float) -> None:
        over = asyncio.Event()
        timer = self._clock.call_later(seconds, over.set)
        waits = [asyncio.ensure_future(one.wait()) for one in (over, self._ending)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for wait in waits:
                wait.cancel()

    async def _index(self) -> None:
        """Index what has piled up, as long as nothing else is to be done."""
        batch = self._batching.index
        while self._unindexed >= batch and not self._ending.is_set():
            try:
                done = await self._engine.write(
                    lambda database: index_some(database, batch, self._fresh)
                )
            except StoreError as error:
                if not self._is_index_failing:
                    log.error("the archive's index fails: %s", error)
                self._is_index_failing = True
                return
            self._is_index_failing = False
            self._unindexed = max(batch, self._unindexed - done) if done == batch else 0
            if self._waiting:
                return


def add(database: sqlite3.Connection, rows: list[New], fresh: Fresh | None = None) -> None:
    """Insert `rows`; those that were there already stay as they are.

    So it may be done again when the disk could not tell whether it was done. `fresh` has those
    that are left to index. Those of an account that was deleted meanwhile are dropped.
    """
    owners = {row[1] for row in rows}
    numbers = _numbers(database, owners)
    if len(numbers) < len(owners):
        rows = [row for row in rows if row[1] in numbers]
        if not rows:
            return
    entries: list[tuple[object, ...]] = []
    postings: list[Posting] = []
    skew = 0
    for id, owner, stamp, flags, peer, name, body, stanza, octets in rows:
        number, time = numbers[owner], (id >> ID_BITS) // 1000
        if stamp is None or stamp > time:
            stamp = time
        elif time - stamp > skew:
            skew = time - stamp
        at, apart = placed(stanza, body)
        entries.append((id, number, stamp, flags, peer, name, at, apart, stanza))
        postings.append((id, number, octets, terms(number, peer, flags, name, body)))
    ids = [row[0] for row in rows]
    (mark,) = database.execute(REACHED, (max(ids), skew)).fetchone()
    late = _late(database, {id for id in ids if id <= mark}) if min(ids) <= mark else set()
    insert(database, ADD, entries, PLACES)
    if late:
        add_to_index(database, [one for one in postings if one[0] in late])
    elif fresh is not None:
        fresh.put(postings)


def _late(database: sqlite3.Connection, ids: set[int]) -> set[int]:
    """Those of `ids` that are new, and that the index has passed already."""
    return ids - {id for (id,) in database.execute(KNOWN, (id_set(ids),))}


def placed(stanza: str, body: str | None) -> tuple[int | None, str | None]:
    """Where in the `stanza` its body stands, or else the body."""
    if not body:
        return None, None
    start = stanza.find(BODY) + len(BODY)  # to look for the words themselves takes longer
    if not stanza.startswith(body, start):
        start = stanza.find(body)
    return (start << BODY_BITS | len(body), None) if start >= 0 else (None, body)


def _numbers(database: sqlite3.Connection, owners: set[str]) -> dict[str, int]:
    """The archives of `owners`, new ones where there are none; none of who is buried."""
    found: dict[str, int] = dict(database.execute(OWNERS, (id_set(owners),)).fetchall())
    for owner in owners - found.keys():
        if (made := database.execute(NEW_OWNER, (owner,)).fetchone()) is not None:
            found[owner] = made[0]
    return found


def _tell(group: Group, error: StoreError | None) -> None:
    if error is not None:
        log.error("%d messages could not be archived: %s", len(group.rows), error)
    group.over.set_result(None)
    if group.done.done():
        return  # somebody has cancelled it
    if error is None:
        group.done.set_result(None)
    else:
        group.done.set_exception(error)


def _seen(done: asyncio.Future[None]) -> None:
    """It is told in the log; who does not ask needs no other word."""
    if not done.cancelled():
        done.exception()
