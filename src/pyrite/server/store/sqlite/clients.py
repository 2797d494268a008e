"""Clients and their tokens in SQLite."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

from ....core.jid import JID
from ....store.engine import Engine
from ....store.texts import from_ms, key, to_ms
from ..clients import Client, Token, Visit

SEEN: Final = """INSERT INTO clients
    (owner, id, software, device, address, password, first_seen, last_seen)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, id) DO UPDATE SET
    software = coalesce(excluded.software, software), device = coalesce(excluded.device, device),
    address = excluded.address, password = max(password, excluded.password),
    last_seen = excluded.last_seen"""
UNSEEN: Final = "DELETE FROM clients WHERE last_seen < ?"
BEYOND: Final = """DELETE FROM clients WHERE owner = ? AND id IN (SELECT id FROM clients
    WHERE owner = ? ORDER BY coalesce((SELECT max(used) FROM client_tokens AS t
    WHERE t.owner = clients.owner AND t.client = clients.id), -1) DESC, last_seen DESC, id
    LIMIT -1 OFFSET ?)"""
LIST: Final = """SELECT id, software, device, address, password, first_seen, last_seen, expires
    FROM clients LEFT JOIN client_tokens
    ON client_tokens.owner = clients.owner AND client = id
    WHERE clients.owner = ? ORDER BY first_seen, id, expires"""
FORGET: Final = "DELETE FROM clients WHERE owner = ? AND id = ?"
TOKENS: Final = """SELECT mechanism, salt, issued, expires, count, used, last_seen
    FROM client_tokens AS t JOIN clients AS c ON c.owner = t.owner AND c.id = t.client
    WHERE t.owner = ? AND t.client = ? AND mechanism = ? ORDER BY used"""
FIND: Final = """SELECT used, count FROM client_tokens
    WHERE owner = ? AND client = ? AND salt = ?"""
DROP: Final = "DELETE FROM client_tokens WHERE owner = ? AND client = ? AND used = ?"
DROP_ALL: Final = "DELETE FROM client_tokens WHERE owner = ? AND client = ?"
USE: Final = """UPDATE client_tokens SET used = 1, count = ?
    WHERE owner = ? AND client = ? AND salt = ?"""
ISSUE: Final = """INSERT INTO client_tokens
    (owner, client, used, mechanism, salt, issued, expires, count)
    VALUES (?, ?, 0, ?, ?, ?, ?, NULL)"""

#: What a change of the account's password leaves of what was granted for the old one.
REVOKE: Final = "DELETE FROM client_tokens WHERE owner = ?"
UNPROVE: Final = "UPDATE clients SET password = 0 WHERE owner = ?"


class SqliteClients:
    """See `Clients`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def enter(self, owner: JID, visit: Visit, *, limit: int, since: datetime) -> bool:
        name = key(owner)

        def enter(database: sqlite3.Connection) -> bool:
            if visit.used is not None and not _use(database, name, visit, visit.used):
                return False
            if visit.ends:
                database.execute(DROP_ALL, (name, visit.client))
            _see(database, name, visit)
            if visit.issued:
                _issue(database, name, visit.client, visit.issued)
            database.execute(UNSEEN, (to_ms(since),))
            database.execute(BEYOND, (name, name, limit))
            return True

        return await self._engine.write(enter)

    async def tokens(self, owner: JID, client: str, mechanism: str) -> list[Token]:
        row = (key(owner), client, mechanism)
        found = await self._engine.read(lambda db: db.execute(TOKENS, row).fetchall())
        return [
            Token(name, salt, from_ms(issued), from_ms(expires), count, bool(used), from_ms(seen))
            for name, salt, issued, expires, count, used, seen in found
        ]

    async def list(self, owner: JID) -> list[Client]:
        row = (key(owner),)
        found = await self._engine.read(lambda db: db.execute(LIST, row).fetchall())
        clients: dict[str, Client] = {}
        for id, software, device, address, password, first, last, expires in found:
            before = clients[id].tokens if id in clients else ()
            tokens = before if expires is None else (*before, from_ms(expires))
            told = software, device, address, bool(password)
            clients[id] = Client(id, *told, from_ms(first), from_ms(last), tokens)
        return [*clients.values()]

    async def forget(self, owner: JID, client: str) -> bool:
        row = (key(owner), client)
        return await self._engine.write(lambda db: db.execute(FORGET, row).rowcount > 0)


def _use(database: sqlite3.Connection, owner: str, visit: Visit, salt: bytes) -> bool:
    found = database.execute(FIND, (owner, visit.client, salt)).fetchone()
    if found is None:
        return False
    was_used, count = found
    if count is not None and (visit.count is None or visit.count <= count):
        return False
    if not was_used:
        database.execute(DROP, (owner, visit.client, True))
    highest = count if visit.count is None else visit.count
    database.execute(USE, (highest, owner, visit.client, salt))
    return True


def _see(database: sqlite3.Connection, owner: str, visit: Visit) -> None:
    told = (visit.software, visit.device, visit.address, visit.password)
    at = to_ms(visit.at)
    database.execute(SEEN, (owner, visit.client, *told, at, at))


def _issue(database: sqlite3.Connection, owner: str, client: str, token: Token) -> None:
    """A token that was never used makes way for it (XEP-0484 §3.5)."""
    database.execute(DROP, (owner, client, False))
    times = to_ms(token.issued), to_ms(token.expires)
    database.execute(ISSUE, (owner, client, token.mechanism, token.salt, *times))
