"""Private elements in SQLite."""

from __future__ import annotations

import sqlite3
from typing import Final

from ....core.jid import JID
from ....store.engine import Engine
from ....store.shapes import Quota
from ....store.sqlite_shapes import has_room
from ....store.texts import key, size

_THIS: Final = "FROM private_elements WHERE owner = ? AND namespace = ? AND name = ?"
FIND: Final = f"SELECT element {_THIS}"
SIZE: Final = f"SELECT size {_THIS}"
REMOVE: Final = f"DELETE {_THIS}"
PUT: Final = """INSERT INTO private_elements (owner, namespace, name, size, element)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT (owner, namespace, name)
    DO UPDATE SET size = excluded.size, element = excluded.element"""


class SqlitePrivate:
    """See `Private`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def find(self, owner: JID, namespace: str, name: str) -> str | None:
        row = (key(owner), namespace, name)
        found = await self._engine.read(lambda db: db.execute(FIND, row).fetchone())
        return found[0] if found else None

    async def put(self, owner: JID, namespace: str, name: str, element: str, quota: Quota) -> bool:
        row, octets = (key(owner), namespace, name), size(element)

        def put(database: sqlite3.Connection) -> bool:
            old = database.execute(SIZE, row).fetchone()
            if not has_room(database, row[0], "private", old, octets, quota):
                return False
            database.execute(PUT, (*row, octets, element))
            return True

        return await self._engine.write(put)

    async def remove(self, owner: JID, namespace: str, name: str) -> bool:
        row = (key(owner), namespace, name)
        return await self._engine.write(lambda db: db.execute(REMOVE, row).rowcount > 0)
