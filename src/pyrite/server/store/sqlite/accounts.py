"""Accounts in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ....core.jid import JID
from ....core.sasl.keys import Keys
from ....kit.clock import Clock
from ....store.engine import Engine
from ....store.texts import from_ms, key, to_jid, to_ms
from ..accounts import Account
from ..recent import Recent
from .clients import REVOKE, UNPROVE

#: Every table whose rows belong to an account by ``owner``. Totals are last: triggers of the
#: others change them.
OWNED: Final = (
    "account_keys",
    "archive_owners",
    "client_tokens",
    "clients",
    "key_values",
    "last_activity",
    "log_entries",
    "offline",
    "privacy_defaults",
    "privacy_lists",
    "private_elements",
    "roster_items",
    "roster_removals",
    "rosters",
    "vcards",
    "totals",
)

CREATE: Final = """INSERT INTO accounts (jid, domain, created, disabled) VALUES (?, ?, ?, 0)
    ON CONFLICT DO NOTHING"""
DELETE: Final = "DELETE FROM accounts WHERE jid = ?"
BURY: Final = """INSERT INTO tombstones (jid, deleted) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET deleted = excluded.deleted"""
DELETED: Final = "SELECT deleted FROM tombstones WHERE jid = ?"
UNBURY: Final = "DELETE FROM tombstones WHERE jid = ?"
EXISTS: Final = "SELECT 1 FROM accounts WHERE jid = ?"
FIND: Final = """SELECT created, disabled, mechanism, salt, iterations, stored_key, server_key
    FROM accounts LEFT JOIN account_keys ON owner = jid WHERE jid = ?"""
DROP_KEYS: Final = "DELETE FROM account_keys WHERE owner = ?"
ADD_KEYS: Final = """INSERT INTO account_keys
    (owner, mechanism, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?)"""
COMPLETE: Final = """INSERT INTO account_keys
    (owner, mechanism, salt, iterations, stored_key, server_key) SELECT ?, ?, ?, ?, ?, ?
    WHERE EXISTS (SELECT 1 FROM accounts WHERE jid = ?) ON CONFLICT DO NOTHING"""
DISABLE: Final = "UPDATE accounts SET disabled = ? WHERE jid = ?"
LIST: Final = "SELECT jid FROM accounts WHERE domain = ? AND jid > ? ORDER BY jid LIMIT ?"
COUNT: Final = "SELECT count FROM account_counts WHERE domain = ?"


class SqliteAccounts:
    """See `Accounts`."""

    def __init__(self, engine: Engine, clock: Clock, recent: Recent[Account]) -> None:
        """`recent` is told of all who write here; so must be who else does."""
        self._engine, self._clock, self._recent = engine, clock, recent

    async def create(self, jid: JID, keys: Sequence[Keys], created: datetime) -> bool:
        owner, row = key(jid), (key(jid), jid.domain, to_ms(created))

        def create(database: sqlite3.Connection) -> bool:
            if not database.execute(CREATE, row).rowcount:
                return False
            wipe(database, owner)
            database.execute(UNBURY, (owner,))
            add_keys(database, owner, keys)
            return True

        return await self._recent.change(owner, self._engine.write(create))

    async def delete(self, jid: JID) -> bool:
        owner = key(jid)

        def delete(database: sqlite3.Connection) -> bool:
            if not database.execute(DELETE, (owner,)).rowcount:
                return False
            wipe(database, owner)
            database.execute(BURY, (owner, to_ms(self._clock.now())))
            return True

        return await self._recent.change(owner, self._engine.write(delete))

    async def clear(self, jid: JID) -> None:
        owner = key(jid)

        def clear(database: sqlite3.Connection) -> None:
            if database.execute(EXISTS, (owner,)).fetchone() is None:
                wipe(database, owner)

        await self._engine.write(clear)

    async def exists(self, jid: JID) -> bool:
        row = (key(jid),)
        return await self._engine.read(lambda db: db.execute(EXISTS, row).fetchone() is not None)

    async def find(self, jid: JID) -> Account | None:
        return await self._recent.read(key(jid), lambda: self._find(jid))

    async def find_again(self, jid: JID) -> Account | None:
        return self._recent.find(key(jid)) or await self.find(jid)

    async def _find(self, jid: JID) -> Account | None:
        row = (key(jid),)
        found = await self._engine.read(lambda db: db.execute(FIND, row).fetchall())
        if not found:
            return None
        created, disabled = found[0][:2]
        keys = tuple(Keys(*columns) for _, _, *columns in found if columns[0] is not None)
        return Account(jid.bare, from_ms(created), bool(disabled), keys)

    async def set_keys(self, jid: JID, keys: Sequence[Keys]) -> bool:
        owner = key(jid)

        def set_keys(database: sqlite3.Connection) -> bool:
            if database.execute(EXISTS, (owner,)).fetchone() is None:
                return False
            database.execute(DROP_KEYS, (owner,))
            database.execute(REVOKE, (owner,))
            database.execute(UNPROVE, (owner,))
            add_keys(database, owner, keys)
            return True

        return await self._recent.change(owner, self._engine.write(set_keys))

    async def complete_keys(self, jid: JID, keys: Keys) -> bool:
        owner = key(jid)
        row = (owner, *_columns(keys), owner)
        write = self._engine.write(lambda db: db.execute(COMPLETE, row).rowcount > 0)
        return await self._recent.change(owner, write)

    async def set_disabled(self, jid: JID, disabled: bool) -> bool:
        owner = key(jid)

        def set_disabled(database: sqlite3.Connection) -> bool:
            if disabled:
                database.execute(REVOKE, (owner,))
            return database.execute(DISABLE, (disabled, owner)).rowcount > 0

        return await self._recent.change(owner, self._engine.write(set_disabled))

    async def list(self, domain: str, *, after: str | None, limit: int) -> list[JID]:
        row = (domain, after or "", limit)
        found = await self._engine.read(lambda db: db.execute(LIST, row).fetchall())
        return [to_jid(text) for (text,) in found]

    async def count(self, domain: str) -> int:
        def count(database: sqlite3.Connection) -> int:
            found: tuple[int] | None = database.execute(COUNT, (domain,)).fetchone()
            return found[0] if found else 0

        return await self._engine.read(count)

    async def deleted_at(self, jid: JID) -> datetime | None:
        row = (key(jid),)
        found = await self._engine.read(lambda db: db.execute(DELETED, row).fetchone())
        return from_ms(found[0]) if found else None


def wipe(database: sqlite3.Connection, owner: str) -> None:
    """Delete all that belongs to `owner`."""
    for table in OWNED:
        database.execute(f"DELETE FROM {table} WHERE owner = ?", (owner,))  # noqa: S608


def add_keys(database: sqlite3.Connection, owner: str, keys: Sequence[Keys]) -> None:
    """Add keys to an account that has none."""
    database.executemany(ADD_KEYS, [(owner, *_columns(one)) for one in keys])


def _columns(keys: Keys) -> tuple[str, bytes, int, bytes, bytes]:
    return keys.mechanism, keys.salt, keys.iterations, keys.stored_key, keys.server_key
