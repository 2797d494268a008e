"""Whole accounts in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Final

from ....core.jid import JID
from ....kit.clock import Clock
from ....store.engine import Engine
from ....store.sqlite_shapes import APPEND
from ....store.sqlite_shapes import PUT as PUT_VALUE
from ....store.texts import from_ms, key, size, to_jid, to_ms
from .. import portable as kinds
from ..accounts import Account
from ..portable import Thing, Things
from ..recent import Recent
from . import accounts, activity, clients, privacy, private, roster, vcards
from .archive.bringing import Bringing

PAGE: Final = 100  # rows that are read at a time

OFFLINE: Final = """SELECT id, sender, stamp, stanza FROM offline
    WHERE owner = ? AND id > ? ORDER BY id LIMIT ?"""
PRIVATE: Final = """SELECT namespace, name, element FROM private_elements
    WHERE owner = ? AND (namespace, name) > (?, ?) ORDER BY namespace, name LIMIT ?"""
LISTS: Final = """SELECT name, rules FROM privacy_lists
    WHERE owner = ? AND name > ? ORDER BY name LIMIT ?"""
DEFAULT: Final = "SELECT name FROM privacy_defaults WHERE owner = ?"
CLIENTS: Final = """SELECT id, software, device, address, first_seen, last_seen FROM clients
    WHERE owner = ? AND id > ? ORDER BY id LIMIT ?"""
VALUES: Final = """SELECT namespace, name, value FROM key_values
    WHERE owner = ? AND (namespace, name) > (?, ?) ORDER BY namespace, name LIMIT ?"""
ENTRIES: Final = """SELECT namespace, id, stamp, value FROM log_entries
    WHERE owner = ? AND (namespace, id) > (?, ?) ORDER BY namespace, id LIMIT ?"""
ADD_OFFLINE: Final = """INSERT INTO offline (owner, sender, stamp, size, stanza)
    VALUES (?, ?, ?, ?, ?)"""

#: What is no thing of its own, but known of others.
UNCOUNTED: Final = {"totals", "rosters", "roster_removals", "privacy_defaults", "archive_owners"}
#: What people call a table, where its name does not say it.
CALLED: Final = {
    "account_keys": "keys",
    "archive_owners": "archives",
    "key_values": "values of modules",
    "log_entries": "entries of modules",
    "offline": "offline messages",
    "roster_items": "contacts",
}


class SqlitePortable:
    """See `Portable`."""

    def __init__(self, engine: Engine, clock: Clock, recent: Recent[Account]) -> None:
        self._engine, self._clock, self._recent = engine, clock, recent

    async def things(self, owner: JID) -> AsyncIterator[Thing]:
        name = key(owner)
        items = [roster.read_item(*row) for row in await self._rows(roster.LOAD, name)]
        for item in items:
            if item.listed:
                yield kinds.Contact(replace(item, request=None))
        for item in items:
            if item.request is not None:
                yield kinds.Request(item.jid, item.request)
        async for _, sender, stamp, stanza in self._paged(OFFLINE, name, (0,), 1):
            yield kinds.Offline(to_jid(sender), from_ms(stamp), stanza)
        async for row in self._paged(PRIVATE, name, ("", ""), 2):
            yield kinds.Private(*row)
        for row in await self._rows(vcards.FIND, name):
            yield kinds.Card(*row)
        async for row in self._paged(LISTS, name, ("",), 1):
            yield kinds.PrivacyList(*row)
        for row in await self._rows(DEFAULT, name):
            yield kinds.DefaultList(*row)
        for stamp, status in await self._rows(activity.FIND, name):
            yield kinds.Last(from_ms(stamp), status)
        async for id, software, device, address, *seen in self._paged(CLIENTS, name, ("",), 1):
            first, last = map(from_ms, seen)
            yield kinds.Client(id, software, device, address, first, last)
        async for row in self._paged(VALUES, name, ("", ""), 2):
            yield kinds.Value(*row)
        async for module, _, stamp, value in self._paged(ENTRIES, name, ("", 0), 2):
            yield kinds.Entry(module, from_ms(stamp), value)

    async def _rows(self, statement: str, owner: str) -> list[Any]:
        return await self._page(statement, (owner,))

    async def _page(self, statement: str, row: tuple[Any, ...]) -> list[Any]:
        return await self._engine.read(lambda db: db.execute(statement, row).fetchall())

    async def _paged(
        self, statement: str, owner: str, after: tuple[Any, ...], width: int
    ) -> AsyncIterator[Any]:
        """All rows; the first `width` columns of one say which comes next."""
        while True:
            page = await self._page(statement, (owner, *after, PAGE))
            for found in page:
                yield found
            if len(page) < PAGE:
                return
            after = page[-1][:width]

    async def held(self, owner: JID) -> dict[str, int]:
        row = (key(owner),)

        def held(database: sqlite3.Connection) -> dict[str, int]:
            counts = {}
            for table in accounts.OWNED:
                count = f"SELECT count(*) FROM {table} WHERE owner = ?"  # noqa: S608
                counts[table] = database.execute(count, row).fetchone()[0]
            return {_called(t): n for t, n in counts.items() if n and t not in UNCOUNTED}

        return await self._engine.snapshot(held)

    async def create(self, account: Account, things: Things, *, replace: bool = False) -> bool:
        owner, created = key(account.jid), to_ms(account.created)
        now = to_ms(self._clock.now())

        def create(database: sqlite3.Connection) -> bool:
            version = roster.state_of(database, owner).version
            if replace:
                database.execute(accounts.DELETE, (owner,))
            row = (owner, account.jid.domain, created)
            if not database.execute(accounts.CREATE, row).rowcount:
                return False
            accounts.wipe(database, owner)
            database.execute(accounts.UNBURY, (owner,))
            database.execute(accounts.DISABLE, (account.disabled, owner))
            accounts.add_keys(database, owner, account.keys)
            roster.start(database, owner, max(version + 1, now))
            archive = Bringing(database, owner, now)
            for thing in things():
                if isinstance(thing, kinds.Archived):
                    archive.add(thing)
                else:
                    _ADD[type(thing)](database, owner, thing)
            archive.flush()
            return True

        return await self._recent.change(owner, self._engine.write(create))


def _called(table: str) -> str:
    return CALLED.get(table, table.replace("_", " "))


def _add_contact(database: sqlite3.Connection, owner: str, one: kinds.Contact) -> None:
    roster.add(database, owner, one.item)


def _add_request(database: sqlite3.Connection, owner: str, one: kinds.Request) -> None:
    roster.add_request(database, owner, one.contact, one.stanza)


def _add_offline(database: sqlite3.Connection, owner: str, one: kinds.Offline) -> None:
    row = (owner, one.sender.text, to_ms(one.stamp), size(one.stanza), one.stanza)
    database.execute(ADD_OFFLINE, row)


def _add_private(database: sqlite3.Connection, owner: str, one: kinds.Private) -> None:
    row = (owner, one.namespace, one.name, size(one.element), one.element)
    database.execute(private.PUT, row)


def _add_card(database: sqlite3.Connection, owner: str, one: kinds.Card) -> None:
    database.execute(vcards.PUT, (owner, one.element, one.photo))


def _add_list(database: sqlite3.Connection, owner: str, one: kinds.PrivacyList) -> None:
    database.execute(privacy.PUT, (owner, one.name, one.rules))


def _set_default(database: sqlite3.Connection, owner: str, one: kinds.DefaultList) -> None:
    database.execute(privacy.SET, (owner, one.name))


def _set_last(database: sqlite3.Connection, owner: str, one: kinds.Last) -> None:
    database.execute(activity.PUT, (owner, to_ms(one.stamp), one.status))


def _add_client(database: sqlite3.Connection, owner: str, one: kinds.Client) -> None:
    told = (one.id, one.software, one.device, one.address, False)
    database.execute(clients.SEEN, (owner, *told, to_ms(one.first_seen), to_ms(one.last_seen)))


def _add_value(database: sqlite3.Connection, owner: str, one: kinds.Value) -> None:
    database.execute(PUT_VALUE, (owner, one.module, one.name, size(one.value), one.value))


def _add_entry(database: sqlite3.Connection, owner: str, one: kinds.Entry) -> None:
    row = (owner, one.module, to_ms(one.stamp), size(one.value), one.value)
    database.execute(APPEND, row)


_ADD: Final[dict[type[Thing], Callable[[sqlite3.Connection, str, Any], None]]] = {
    kinds.Contact: _add_contact,
    kinds.Request: _add_request,
    kinds.Offline: _add_offline,
    kinds.Private: _add_private,
    kinds.Card: _add_card,
    kinds.PrivacyList: _add_list,
    kinds.DefaultList: _set_default,
    kinds.Last: _set_last,
    kinds.Client: _add_client,
    kinds.Value: _add_value,
    kinds.Entry: _add_entry,
}
