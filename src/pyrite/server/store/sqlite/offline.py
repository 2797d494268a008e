"""Offline messages in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ....core.jid import JID
from ....store.engine import Engine
from ....store.texts import from_ms, id_set, key, size, to_jid, to_ms
from ..offline import Header, New, Waiting

ADD: Final = """INSERT INTO offline (owner, sender, stamp, size, stanza)
    SELECT :owner, :sender, :stamp, :size, :stanza WHERE NOT EXISTS (SELECT 1 FROM totals
    WHERE owner = :owner AND kind = 'offline'
    AND (count >= :limit_count OR bytes + :size > :limit_bytes))
    AND :size <= :limit_bytes AND :limit_count > 0"""
COUNT: Final = "SELECT count FROM totals WHERE owner = ? AND kind = 'offline'"
HEADERS: Final = "SELECT id, sender, stamp FROM offline WHERE owner = ? ORDER BY id"
LOAD: Final = """SELECT id, stamp, stanza FROM offline WHERE owner = ? AND id > ?
    ORDER BY id LIMIT ?"""
LOAD_SOME: Final = """SELECT id, stamp, stanza FROM offline WHERE owner = ? AND id > ?
    AND id IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?"""
REMOVE: Final = "DELETE FROM offline WHERE owner = ?"
REMOVE_SOME: Final = """DELETE FROM offline WHERE owner = ?
    AND id IN (SELECT value FROM json_each(?))"""
PURGE: Final = """DELETE FROM offline WHERE id IN
    (SELECT id FROM offline WHERE stamp < ? ORDER BY stamp LIMIT ?)"""


class SqliteOffline:
    """See `Offline`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(
        self,
        owner: JID,
        sender: JID,
        stanza: str,
        stamp: datetime,
        *,
        limit_count: int,
        limit_bytes: int,
    ) -> bool:
        (id,) = await self.add_all(
            owner,
            [New(sender, stanza, stamp)],
            limit_count=limit_count,
            limit_bytes=limit_bytes,
        )
        return id is not None

    async def add_all(
        self, owner: JID, rows: Sequence[New], *, limit_count: int, limit_bytes: int
    ) -> list[int | None]:
        limits = {"owner": key(owner), "limit_count": limit_count, "limit_bytes": limit_bytes}
        texts = [
            {
                **limits,
                "sender": row.sender.text,
                "stamp": to_ms(row.stamp),
                "size": size(row.stanza),
                "stanza": row.stanza,
            }
            for row in rows
        ]
        return await self._engine.write(lambda db: [_added(db, text) for text in texts])

    async def count(self, owner: JID) -> int:
        row = (key(owner),)
        found = await self._engine.read(lambda db: db.execute(COUNT, row).fetchone())
        return found[0] if found else 0

    async def headers(self, owner: JID) -> list[Header]:
        row = (key(owner),)
        found = await self._engine.read(lambda db: db.execute(HEADERS, row).fetchall())
        return [Header(id, to_jid(sender), from_ms(stamp)) for id, sender, stamp in found]

    async def load(
        self, owner: JID, ids: Sequence[int] | None = None, *, after: int = 0, limit: int = -1
    ) -> list[Waiting]:
        statement, chosen = (LOAD, ()) if ids is None else (LOAD_SOME, (id_set(ids),))
        row = (key(owner), after, *chosen, limit)
        found = await self._engine.read(lambda db: db.execute(statement, row).fetchall())
        return [Waiting(id, from_ms(stamp), stanza) for id, stamp, stanza in found]

    async def remove(self, owner: JID, ids: Sequence[int] | None = None) -> int:
        statement, chosen = (REMOVE, ()) if ids is None else (REMOVE_SOME, (id_set(ids),))
        row = (key(owner), *chosen)
        return await self._engine.write(lambda db: db.execute(statement, row).rowcount)

    async def purge(self, before: datetime, limit: int = 1000) -> int:
        row = (to_ms(before), limit)
        return await self._engine.write(lambda db: db.execute(PURGE, row).rowcount)


def _added(database: sqlite3.Connection, row: dict[str, Any]) -> int | None:
    """The id of what is added, if it is."""
    done = database.execute(ADD, row)
    return done.lastrowid if done.rowcount > 0 else None
