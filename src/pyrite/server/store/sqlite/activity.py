"""Last activity in SQLite."""

from __future__ import annotations

from typing import Final

from ....core.jid import JID
from ....store.engine import Engine
from ....store.texts import from_ms, key, to_ms
from ..activity import LastActivity

FIND: Final = "SELECT stamp, status FROM last_activity WHERE owner = ?"
PUT: Final = """INSERT INTO last_activity (owner, stamp, status) VALUES (?, ?, ?)
    ON CONFLICT (owner) DO UPDATE SET stamp = excluded.stamp, status = excluded.status"""
PUT_OWNED: Final = """INSERT INTO last_activity (owner, stamp, status) SELECT ?, ?, ?
    WHERE EXISTS (SELECT 1 FROM accounts WHERE jid = ?)
    ON CONFLICT (owner) DO UPDATE SET stamp = excluded.stamp, status = excluded.status"""


class SqliteActivity:
    """See `Activity`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def find(self, owner: JID) -> LastActivity | None:
        row = (key(owner),)
        found = await self._engine.read(lambda db: db.execute(FIND, row).fetchone())
        return LastActivity(from_ms(found[0]), found[1]) if found else None

    async def put(self, owner: JID, last: LastActivity) -> None:
        name = key(owner)
        row = (name, to_ms(last.stamp), last.status, name)
        await self._engine.write(lambda db: db.execute(PUT_OWNED, row).rowcount)
