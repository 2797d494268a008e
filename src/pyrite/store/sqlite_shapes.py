"""The generic shapes in SQLite: the tables ``key_values``, ``log_entries`` and ``totals``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ..core.jid import JID
from .engine import Engine
from .errors import QuotaExceeded
from .shapes import QUOTA, Entry, Quota
from .texts import from_ms, id_set, key, size, to_ms

TOTAL: Final = "SELECT count, bytes FROM totals WHERE owner = ? AND kind = ?"

FIND: Final = "SELECT value FROM key_values WHERE owner = ? AND namespace = ? AND name = ?"
LOAD: Final = "SELECT name, value FROM key_values WHERE owner = ? AND namespace = ? ORDER BY name"
SIZE: Final = "SELECT size FROM key_values WHERE owner = ? AND namespace = ? AND name = ?"
PUT: Final = """INSERT INTO key_values (owner, namespace, name, size, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (owner, namespace, name)
    DO UPDATE SET size = excluded.size, value = excluded.value"""
REMOVE: Final = "DELETE FROM key_values WHERE owner = ? AND namespace = ? AND name = ?"
CLEAR: Final = "DELETE FROM key_values WHERE owner = ? AND namespace = ?"

APPEND: Final = """INSERT INTO log_entries (owner, namespace, stamp, size, value)
    VALUES (?, ?, ?, ?, ?)"""
DROP: Final = """DELETE FROM log_entries WHERE id IN (SELECT id FROM log_entries
    WHERE owner = ? AND namespace = ? ORDER BY id LIMIT ?)"""
ENTRIES: Final = """SELECT id, stamp, value FROM log_entries
    WHERE owner = ? AND namespace = ? AND id > ? ORDER BY id LIMIT ?"""
EMPTY: Final = "DELETE FROM log_entries WHERE owner = ? AND namespace = ?"
REMOVE_SOME: Final = f"{EMPTY} AND id IN (SELECT value FROM json_each(?))"  # noqa: S608


def total(database: sqlite3.Connection, owner: str, kind: str) -> tuple[int, int]:
    """How many rows of `kind` belong to `owner`, and their octets."""
    found: tuple[int, int] | None = database.execute(TOTAL, (owner, kind)).fetchone()
    return found or (0, 0)


def has_room(
    database: sqlite3.Connection, owner: str, kind: str, old: tuple[int] | None, new: int,
    quota: Quota,
) -> bool:  # fmt: skip
    """Whether `quota` lets a row of `new` octets come in place of one with `old`, or as one more.

    What makes the sum smaller is always allowed.
    """
    count, octets = total(database, owner, kind)
    if old is None:
        return count < quota.count and octets + new <= quota.octets
    return new <= old[0] or octets + new - old[0] <= quota.octets


class SqliteKeyValues:
    """See `KeyValues`."""

    def __init__(self, engine: Engine, namespace: str) -> None:
        self._engine, self._namespace = engine, namespace

    async def find(self, owner: JID, name: str) -> str | None:
        row = (key(owner), self._namespace, name)
        found = await self._engine.read(lambda db: db.execute(FIND, row).fetchone())
        return found[0] if found else None

    async def load(self, owner: JID) -> dict[str, str]:
        row = (key(owner), self._namespace)
        return dict(await self._engine.read(lambda db: db.execute(LOAD, row).fetchall()))

    async def put(self, owner: JID, name: str, value: str, quota: Quota = QUOTA) -> bool:
        row, octets = (key(owner), self._namespace, name), size(value)

        def put(database: sqlite3.Connection) -> bool:
            old = database.execute(SIZE, row).fetchone()
            if not has_room(database, row[0], f"values {self._namespace}", old, octets, quota):
                return False
            database.execute(PUT, (*row, octets, value))
            return True

        return await self._engine.write(put)

    async def remove(self, owner: JID, name: str) -> bool:
        row = (key(owner), self._namespace, name)
        return await self._engine.write(lambda db: db.execute(REMOVE, row).rowcount > 0)

    async def clear(self, owner: JID) -> int:
        row = (key(owner), self._namespace)
        return await self._engine.write(lambda db: db.execute(CLEAR, row).rowcount)


class SqliteLog:
    """See `Log`."""

    def __init__(self, engine: Engine, namespace: str) -> None:
        self._engine, self._namespace = engine, namespace
        self._kind = f"log {namespace}"

    async def append(self, owner: JID, value: str, stamp: datetime, quota: Quota = QUOTA) -> int:
        name, octets = (key(owner), self._namespace), size(value)
        if octets > quota.octets or quota.count < 1:
            raise QuotaExceeded(f"{octets} octets are more than the log may have")

        def append(database: sqlite3.Connection) -> int:
            self._make_room(database, name, octets, quota)
            row = (*name, to_ms(stamp), octets, value)
            return database.execute(APPEND, row).lastrowid or 0

        return await self._engine.write(append)

    async def count(self, owner: JID) -> int:
        found = await self._engine.read(lambda db: total(db, key(owner), self._kind))
        return found[0]

    async def load(self, owner: JID, *, after: int = 0, limit: int = 100) -> list[Entry]:
        row = (key(owner), self._namespace, after, limit)
        found = await self._engine.read(lambda db: db.execute(ENTRIES, row).fetchall())
        return [Entry(id, from_ms(stamp), value) for id, stamp, value in found]

    async def remove(self, owner: JID, ids: Sequence[int] | None = None) -> int:
        statement, chosen = (EMPTY, ()) if ids is None else (REMOVE_SOME, (id_set(ids),))
        row = (key(owner), self._namespace, *chosen)
        return await self._engine.write(lambda db: db.execute(statement, row).rowcount)

    def _make_room(
        self, database: sqlite3.Connection, name: tuple[str, str], octets: int, quota: Quota
    ) -> None:
        count, kept = total(database, name[0], self._kind)
        while count and (count >= quota.count or kept + octets > quota.octets):
            database.execute(DROP, (*name, max(1, count - quota.count + 1)))
            count, kept = total(database, name[0], self._kind)
