"""Privacy lists in SQLite."""

from __future__ import annotations

import sqlite3
from typing import Final

from ....core.jid import JID
from ....store.engine import Engine
from ....store.texts import key
from ..privacy import PrivacyList, PrivacyNames

NAMES: Final = """SELECT name, (SELECT name FROM privacy_defaults WHERE owner = lists.owner)
    FROM privacy_lists AS lists WHERE owner = ? ORDER BY name"""
FIND: Final = "SELECT name, rules FROM privacy_lists WHERE owner = ? AND name = ?"
DEFAULT: Final = """SELECT name, rules FROM privacy_defaults
    JOIN privacy_lists USING (owner, name) WHERE owner = ?"""
COUNT: Final = "SELECT count(*) FROM privacy_lists WHERE owner = ? AND name != ?"
PUT: Final = """INSERT INTO privacy_lists (owner, name, rules) VALUES (?, ?, ?)
    ON CONFLICT (owner, name) DO UPDATE SET rules = excluded.rules"""
REMOVE: Final = "DELETE FROM privacy_lists WHERE owner = ? AND name = ?"
UNSET_THIS: Final = "DELETE FROM privacy_defaults WHERE owner = ? AND name = ?"
UNSET: Final = "DELETE FROM privacy_defaults WHERE owner = ?"
SET: Final = """INSERT INTO privacy_defaults (owner, name)
    SELECT owner, name FROM privacy_lists WHERE owner = ? AND name = ?
    ON CONFLICT (owner) DO UPDATE SET name = excluded.name"""


class SqlitePrivacy:
    """See `Privacy`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def names(self, owner: JID) -> PrivacyNames:
        row = (key(owner),)
        found = await self._engine.read(lambda db: db.execute(NAMES, row).fetchall())
        return PrivacyNames(tuple(name for name, _ in found), found[0][1] if found else None)

    async def find(self, owner: JID, name: str) -> PrivacyList | None:
        return await self._one(FIND, key(owner), name)

    async def default(self, owner: JID) -> PrivacyList | None:
        return await self._one(DEFAULT, key(owner))

    async def put(self, owner: JID, entry: PrivacyList, *, limit: int) -> bool:
        name = key(owner)

        def put(database: sqlite3.Connection) -> bool:
            others = database.execute(COUNT, (name, entry.name)).fetchone()[0]
            if others >= limit:
                return False
            database.execute(PUT, (name, *entry))
            return True

        return await self._engine.write(put)

    async def remove(self, owner: JID, name: str) -> bool:
        row = (key(owner), name)

        def remove(database: sqlite3.Connection) -> bool:
            database.execute(UNSET_THIS, row)
            return database.execute(REMOVE, row).rowcount > 0

        return await self._engine.write(remove)

    async def set_default(self, owner: JID, name: str | None) -> bool:
        def set_default(database: sqlite3.Connection) -> bool:
            if name is None:
                database.execute(UNSET, (key(owner),))
                return True
            return database.execute(SET, (key(owner), name)).rowcount > 0

        return await self._engine.write(set_default)

    async def _one(self, statement: str, *row: str) -> PrivacyList | None:
        found = await self._engine.read(lambda db: db.execute(statement, row).fetchone())
        return PrivacyList(*found) if found else None
