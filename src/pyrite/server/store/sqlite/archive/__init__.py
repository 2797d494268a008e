"""The archive of messages in SQLite."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from .....core.jid import JID
from .....kit.clock import Clock
from .....kit.ids import Randomness
from .....store.engine import Engine
from .....store.texts import id_set, key, size, to_ms
from ...archive import ALL, Entry, Keep, Mark, Page, Query
from . import purging
from .index import (
    COLUMNS,
    IS_GROUPCHAT,
    IS_SENT,
    Fresh,
    Row,
    add_to_index,
    posting,
    take_from_index,
)
from .intake import BATCHING, Batching, Intake
from .reading import ID_BITS, Search, counted, counted_some, found, in_range, to_entry

__all__ = ["BATCHING", "Batching", "SqliteArchive"]

T = TypeVar("T")

NOISE: Final = 4096  # random octets that are fetched at once
EXPORT: Final = 200  # entries that an export reads at once

LAST: Final = "SELECT last FROM archive_state WHERE one = 1"
NUMBER: Final = "SELECT number FROM archive_owners WHERE owner = ?"
ONE: Final = f"SELECT {COLUMNS} FROM archive_entries e WHERE e.id = ? AND e.number = ({NUMBER})"  # noqa: S608
EXISTING: Final = f"""SELECT count(*) FROM archive_entries WHERE number = ({NUMBER})
    AND id IN (SELECT value FROM json_each(?))"""  # noqa: S608
REPLACE: Final = """UPDATE archive_entries
    SET name = NULL, body_at = NULL, body = NULL, stanza = ? WHERE id = ?"""
CLEAR: Final = "DELETE FROM archive_owners WHERE owner = ?"
MARK: Final = "SELECT mark FROM archive_state WHERE one = 1"


class SqliteArchive:
    """See `Archive`; made by `open`."""

    def __init__(
        self, engine: Engine, clock: Clock, batching: Batching, last: int, random: Randomness
    ) -> None:
        self._engine, self._clock, self._last, self._random = engine, clock, last, random
        self._noise = iter(b"")  # random octets that are not used yet
        self._batch = batching.index
        self._fresh = Fresh(batching.fresh)
        self._intake = Intake(engine, clock, batching, self._fresh)
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by owner

    @classmethod
    async def open(
        cls,
        engine: Engine,
        clock: Clock,
        batching: Batching = BATCHING,
        random: Randomness = os.urandom,
    ) -> SqliteArchive:
        """An archive that goes on where the last one ended; raises `StoreError`."""
        (last,) = await engine.read(lambda database: database.execute(LAST).fetchone())
        return cls(engine, clock, batching, last, random)

    @property
    def waiting(self) -> int:
        """Entries that are not on the disk yet."""
        return self._intake.count

    async def close(self) -> None:
        """Write what was added, and take no more."""
        await self._intake.close()

    def next_id(self) -> int:
        noise = next(self._noise, None)
        if noise is None:
            self._noise = iter(self._random(NOISE))
            noise = next(self._noise)
        now = self._clock.micros() << ID_BITS
        if now <= self._last:
            now = self._last + 1
        self._last = now + noise
        return self._last

    def add(
        self,
        id: int,
        owner: JID,
        peer: JID,
        stamp: datetime | None,
        stanza: str,
        *,
        body: str | None = None,
        name: str | None = None,
        is_sent: bool = False,
        is_groupchat: bool = False,
    ) -> asyncio.Future[None]:
        moment = None if stamp is None else to_ms(stamp)
        flags = is_sent * IS_SENT + is_groupchat * IS_GROUPCHAT
        octets = size(stanza)  # raises for what is no text
        row = (id, owner.bare.text, moment, flags, peer.text, name, body, stanza, octets)
        return self._intake.add(row)

    async def page(
        self,
        owner: JID,
        query: Query = ALL,
        *,
        limit: int,
        after: int | None = None,
        before: int | None = None,
    ) -> Page:
        search, newest = Search.of(owner, query, after, before), before is not None
        rows = await self._find(search, limit + 1, newest=newest)
        entries = [to_entry(row) for row in rows[:limit]]
        return Page(entries[::-1] if newest else entries, len(rows) <= limit)

    async def count(self, owner: JID, query: Query = ALL, *, most: int = 1000) -> int | None:
        search = Search.of(owner, query)
        if query == ALL:
            return await self._ask(search.owner, lambda db: counted(db, search.owner))
        return await self._ask(search.owner, lambda db: counted_some(db, search, most))

    async def has(self, owner: JID, ids: Collection[int]) -> bool:
        known = set(in_range(ids))
        if len(known) < len(set(ids)):
            return False
        row = (key(owner), id_set(known))
        (count,) = await self._read(owner, lambda db: db.execute(EXISTING, row).fetchone())
        return bool(count == len(known))

    async def get(self, owner: JID, id: int) -> Entry | None:
        row = await self._read(owner, lambda database: _one(database, key(owner), id))
        return to_entry(row) if row else None

    async def find(self, owner: JID, peer: JID, name: str, *, is_sent: bool) -> Entry | None:
        search = Search(key(owner), Query(peer=peer), name=name, is_sent=is_sent)
        rows = await self._find(search, 1, newest=True)
        return to_entry(rows[0]) if rows else None

    async def replace(self, owner: JID, id: int, stanza: str) -> bool:
        def replace(database: sqlite3.Connection) -> bool:
            row = _one(database, key(owner), id)
            if row is None:
                return False
            take_from_index(database, [row])
            self._fresh.forget(id)
            database.execute(REPLACE, (stanza, id))
            if id <= database.execute(MARK).fetchone()[0]:
                bare = row._replace(name=None, body_at=None, body=None, stanza=stanza)
                add_to_index(database, [posting(bare)])
            return True

        await self._intake.settled(key(owner))
        return await self._engine.write(replace)

    async def ends(self, owner: JID) -> tuple[Mark, Mark] | None:
        now = self.next_id()
        first = await self.page(owner, limit=1)
        last = await self.page(owner, limit=1, before=now)
        if not first.entries or not last.entries:
            return None
        (one,), (other,) = first.entries, last.entries
        return Mark(one.id, one.stamp), Mark(other.id, other.stamp)

    async def entries(self, owner: JID) -> AsyncIterator[Entry]:
        after, is_last = 0, False
        while not is_last:
            entries, is_last = await self.page(owner, limit=EXPORT, after=after)
            for entry in entries:
                yield entry
                after = entry.id

    async def settled(self, owner: JID) -> None:
        await self._intake.settled(key(owner))

    async def clear(self, owner: JID) -> None:
        await self._intake.settled(key(owner))
        row = (key(owner),)
        await self._engine.write(lambda database: database.execute(CLEAR, row).rowcount)

    async def purge(self, keep: Keep, domain: str | None = None) -> int:
        await self._intake.settled()
        return await purging.purge(self._engine, keep, self._batch, self._fresh, domain)

    async def _find(self, search: Search, most: int, *, newest: bool = False) -> list[Row]:
        return await self._ask(search.owner, lambda db: found(db, search, most, newest=newest))

    async def _ask(self, owner: str, function: Callable[[sqlite3.Connection], T]) -> T:
        """What `function` finds once all that was added before is there.

        Of one archive one such question is answered at a time, and others' meanwhile.
        """
        await self._intake.settled(owner)
        async with self._asking.setdefault(owner, asyncio.Lock()):  # there while anybody has it
            return await self._engine.snapshot(function)

    async def _read(self, owner: JID, function: Callable[[sqlite3.Connection], T]) -> T:
        await self._intake.settled(key(owner))
        return await self._engine.read(function)


def _one(database: sqlite3.Connection, owner: str, id: int) -> Row | None:
    if not in_range([id]):
        return None
    row = database.execute(ONE, (id, owner)).fetchone()
    return Row._make(row) if row else None
