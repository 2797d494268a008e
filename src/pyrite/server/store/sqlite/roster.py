"""Rosters in SQLite."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from ....core.jid import JID
from ....kit.clock import Clock
from ....store.engine import Engine
from ....store.errors import QuotaExceeded
from ....store.texts import key, to_jid, to_ms
from ..roster import (
    LIMITS,
    Change,
    Changes,
    Edit,
    Edited,
    Item,
    Limits,
    Roster,
    Subscription,
)

#: One string for each, rather than one for each item.
SUBSCRIPTIONS: Final[dict[str, Subscription]] = {
    "none": "none",
    "to": "to",
    "from": "from",
    "both": "both",
}
UNLIMITED: Final = Limits(1 << 40, 1 << 40)
REMOVALS: Final = 200  # removed contacts per account that `changes_since` remembers

ITEM: Final = "jid, name, group_names, subscription, ask, approved, request, listed"
LOAD: Final = f"SELECT {ITEM} FROM roster_items WHERE owner = ? ORDER BY jid"  # noqa: S608
FIND: Final = f"SELECT {ITEM}, version FROM roster_items WHERE owner = ? AND jid = ?"  # noqa: S608
SAVE: Final = f"""INSERT INTO roster_items (owner, version, {ITEM})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, jid) DO UPDATE SET
    version = excluded.version, name = excluded.name, group_names = excluded.group_names,
    subscription = excluded.subscription, ask = excluded.ask, approved = excluded.approved,
    request = excluded.request, listed = excluded.listed"""  # noqa: S608
DELETE: Final = "DELETE FROM roster_items WHERE owner = ? AND jid = ?"

STATE: Final = "SELECT version, floor, listed, waiting FROM rosters WHERE owner = ?"
SAVE_STATE: Final = """INSERT INTO rosters (owner, version, floor, listed, waiting)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT (owner) DO UPDATE SET version = excluded.version,
    floor = excluded.floor, listed = excluded.listed, waiting = excluded.waiting"""

REMEMBER: Final = """INSERT INTO roster_removals (owner, jid, version) VALUES (?, ?, ?)
    ON CONFLICT (owner, jid) DO UPDATE SET version = excluded.version"""
RECALL: Final = "DELETE FROM roster_removals WHERE owner = ? AND jid = ?"
OLDEST: Final = """SELECT version FROM roster_removals WHERE owner = ?
    ORDER BY version DESC LIMIT 1 OFFSET ?"""
FORGET: Final = "DELETE FROM roster_removals WHERE owner = ? AND version <= ?"

CHANGED: Final = f"""SELECT version, {ITEM} FROM roster_items
    WHERE owner = ? AND version > ? AND listed"""  # noqa: S608
REMOVED: Final = "SELECT version, jid FROM roster_removals WHERE owner = ? AND version > ?"


class State(NamedTuple):
    """What is known of a roster as a whole. Changes since before `floor` are forgotten."""

    version: int = 0
    floor: int = 0
    listed: int = 0
    waiting: int = 0


class SqliteRosters:
    """See `Rosters`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    async def load(self, owner: JID) -> Roster:
        row = (key(owner),)

        def load(database: sqlite3.Connection) -> Roster:
            items = tuple(read_item(*found) for found in database.execute(LOAD, row))
            return Roster(state_of(database, row[0]).version, items)

        return await self._engine.snapshot(load)

    async def version(self, owner: JID) -> int:
        return (await self._engine.read(lambda db: state_of(db, key(owner)))).version

    async def find(self, owner: JID, contact: JID) -> Item | None:
        return (await self._engine.read(lambda db: _find(db, key(owner), key(contact))))[0]

    async def put(self, owner: JID, item: Item, limits: Limits = LIMITS) -> int:
        (edited,) = await self.edit(Edit(owner, item.jid, lambda _: item), limits=limits)
        return edited.version

    async def remove(self, owner: JID, contact: JID) -> int | None:
        (edited,) = await self.edit(Edit(owner, contact, lambda _: None))
        return None if edited.before is None else edited.version

    async def edit(self, *edits: Edit, limits: Limits = LIMITS) -> tuple[Edited, ...]:
        def edit_all(database: sqlite3.Connection) -> tuple[Edited, ...]:
            return tuple(self._edit(database, edit, limits) for edit in edits)

        return await self._engine.write(edit_all)

    async def changes_since(self, owner: JID, version: int) -> Changes | None:
        name = key(owner)

        def changes(database: sqlite3.Connection) -> Changes | None:
            state = state_of(database, name)
            if version == state.version:
                return Changes(version, ())
            if not 0 < state.floor <= version < state.version:
                return None
            return Changes(state.version, _changes(database, name, version))

        return await self._engine.snapshot(changes)

    def _edit(self, database: sqlite3.Connection, edit: Edit, limits: Limits) -> Edited:
        owner, contact = key(edit.owner), key(edit.contact)
        before, version = _find(database, owner, contact)
        after = _under(edit.contact.bare, edit.change(before))
        state = state_of(database, owner)
        if after != before:
            state = _counted(state, before, after, limits)
            if _shown(after) != _shown(before):
                version = max(state.version + 1, to_ms(self._clock.now()))
                state = state._replace(version=version, floor=state.floor or version)
                state = _remembered(database, owner, contact, state, _shown(after) is None)
            _save(database, owner, contact, after, version)
            database.execute(SAVE_STATE, (owner, *state))
        return Edited(edit.owner.bare, edit.contact.bare, before, after, state.version)


def start(database: sqlite3.Connection, owner: str, version: int) -> None:
    """Let a roster that is to be filled be empty; what clients know of an older one is void."""
    database.execute(SAVE_STATE, (owner, *State(version, version)))


def add(database: sqlite3.Connection, owner: str, item: Item) -> None:
    """Add an item to a roster that has begun, at its version."""
    state = state_of(database, owner)
    _save(database, owner, key(item.jid), item, state.version if item.listed else 0)
    counted = _counted(state, None, item, UNLIMITED)
    database.execute(SAVE_STATE, (owner, *counted))


def add_request(database: sqlite3.Connection, owner: str, contact: JID, stanza: str) -> None:
    """Add a request that waits, unless its sender has what it asks for."""
    before, version = _find(database, owner, key(contact))
    if before is None:
        add(database, owner, Item(contact.bare, request=stanza, listed=False))
    elif before.subscription in ("none", "to") and not before.approved:
        _save(database, owner, key(contact), replace(before, request=stanza), version)


def state_of(database: sqlite3.Connection, owner: str) -> State:
    """What is known of a roster."""
    found = database.execute(STATE, (owner,)).fetchone()
    return State(*found) if found else State()


def _find(database: sqlite3.Connection, owner: str, contact: str) -> tuple[Item | None, int]:
    """The item and its version, which is 0 if nobody was ever shown it."""
    found = database.execute(FIND, (owner, contact)).fetchone()
    return (read_item(*found[:-1]), found[-1]) if found else (None, 0)


def _save(
    database: sqlite3.Connection, owner: str, contact: str, item: Item | None, version: int
) -> None:
    if item is None:
        database.execute(DELETE, (owner, contact))
        return
    groups = json.dumps(item.groups, ensure_ascii=False) if item.groups else ""
    shown = (item.name, groups, item.subscription, item.ask, item.approved)
    database.execute(SAVE, (owner, version, contact, *shown, item.request, item.listed))


def _remembered(
    database: sqlite3.Connection, owner: str, contact: str, state: State, is_removed: bool
) -> State:
    """Note that `contact` is removed, or is there again; `state` after old notes are dropped."""
    if not is_removed:
        database.execute(RECALL, (owner, contact))
        return state
    database.execute(REMEMBER, (owner, contact, state.version))
    oldest = database.execute(OLDEST, (owner, REMOVALS)).fetchone()
    if oldest is None:
        return state
    database.execute(FORGET, (owner, *oldest))
    return state._replace(floor=max(state.floor, *oldest))


def _changes(database: sqlite3.Connection, owner: str, version: int) -> tuple[Change, ...]:
    row = (owner, version)
    changes = [
        Change(changed, to_jid(columns[0]), read_item(*columns))
        for changed, *columns in database.execute(CHANGED, row)
    ]
    changes += [Change(at, to_jid(jid), None) for at, jid in database.execute(REMOVED, row)]
    return tuple(sorted(changes, key=lambda change: change.version))


def read_item(
    jid: str,
    name: str | None,
    groups: str,
    subscription: str,
    ask: int,
    approved: int,
    request: str | None,
    listed: int,
) -> Item:
    """The item of a row."""
    return Item(
        to_jid(jid),
        name,
        _groups(groups),
        SUBSCRIPTIONS[subscription],
        bool(ask),
        bool(approved),
        request,
        bool(listed),
    )


@lru_cache(maxsize=4096)
def _groups(text: str) -> tuple[str, ...]:
    """The names in a stored list of groups; most contacts share few of them."""
    return tuple(json.loads(text)) if text else ()


def _under(contact: JID, item: Item | None) -> Item | None:
    """`item` with the address that it is kept under."""
    return item if item is None or item.jid == contact else replace(item, jid=contact)


def _shown(item: Item | None) -> Item | None:
    """What the owner's clients can see of `item`."""
    return replace(item, request=None) if item is not None and item.listed else None


def _counted(state: State, before: Item | None, after: Item | None, limits: Limits) -> State:
    """`state` with the items after the change; raises `QuotaExceeded` if too many are added."""
    was_listed, is_listed = (one is not None and one.listed for one in (before, after))
    was_waiting, is_waiting = (one is not None and not one.listed for one in (before, after))
    listed = state.listed + is_listed - was_listed
    waiting = state.waiting + is_waiting - was_waiting
    if limits.listed < listed > state.listed or limits.waiting < waiting > state.waiting:
        raise QuotaExceeded("the roster is full")
    return state._replace(listed=listed, waiting=waiting)
