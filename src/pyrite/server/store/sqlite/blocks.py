"""Block lists in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from ....core.jid import JID
from ....store.engine import Engine
from ....store.texts import key, to_jid

LOAD: Final = "SELECT jid FROM blocks WHERE owner = ? ORDER BY id"
ADD: Final = "INSERT INTO blocks (owner, jid) VALUES (?, ?) ON CONFLICT DO NOTHING"
REMOVE: Final = "DELETE FROM blocks WHERE owner = ? AND jid = ?"


class SqliteBlocks:
    """See `Blocks`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def load(self, owner: JID) -> tuple[JID, ...]:
        return await self._engine.read(lambda db: _load(db, key(owner)))

    async def add(self, owner: JID, jids: Iterable[JID], *, limit: int) -> bool:
        name, texts = key(owner), [jid.text for jid in jids]

        def add(database: sqlite3.Connection) -> bool:
            blocked = {jid.text for jid in _load(database, name)}
            new = [text for text in dict.fromkeys(texts) if text not in blocked]
            if new and len(blocked) + len(new) > limit:
                return False
            database.executemany(ADD, [(name, text) for text in new])
            return True

        return await self._engine.write(add)

    async def remove(self, owner: JID, jids: Iterable[JID] | None = None) -> tuple[JID, ...]:
        name, chosen = key(owner), None if jids is None else set(jids)

        def remove(database: sqlite3.Connection) -> tuple[JID, ...]:
            gone = tuple(j for j in _load(database, name) if chosen is None or j in chosen)
            database.executemany(REMOVE, [(name, jid.text) for jid in gone])
            return gone

        return await self._engine.write(remove)


def _load(database: sqlite3.Connection, owner: str) -> tuple[JID, ...]:
    return tuple(to_jid(text) for (text,) in database.execute(LOAD, (owner,)))
