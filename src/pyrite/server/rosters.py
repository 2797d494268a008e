"""The rosters that are in use: kept in memory, changed through the store, pushed to clients.

Everything here is by bare JID. A roster in memory is only ever what is committed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.jid import JID
from ..core.stanza import Iq
from ..kit.meter import Meter
from ..wire import roster as wire
from .session import Key
from .store.roster import Edit, Edited, Item

if TYPE_CHECKING:
    from .app import Server

MAX_ROSTERS = 20_000  # rosters in memory
MAX_ITEMS = 500_000  # items of all of them

#: Whether a session has asked for its roster, and so hears of changes (RFC 6121 §2.2).
INTERESTED = Key("roster", default=False)


class Roster:
    """One account's contacts in memory: contact's bare JID -> item, the unlisted too."""

    __slots__ = ("_sources", "_watchers", "items", "owner", "version")

    def __init__(self, owner: JID, version: int, items: dict[JID, Item]) -> None:
        self.owner = owner
        self.version = version
        self.items = items
        self._watchers: tuple[JID, ...] | None = None
        self._sources: tuple[JID, ...] | None = None

    @property
    def watchers(self) -> tuple[JID, ...]:
        """Contacts that see the owner's presence."""
        if self._watchers is None:
            self._watchers = tuple(
                i.jid for i in self.items.values() if i.subscription in ("from", "both")
            )
        return self._watchers

    @property
    def sources(self) -> tuple[JID, ...]:
        """Contacts whose presence the owner sees."""
        if self._sources is None:
            self._sources = tuple(
                i.jid for i in self.items.values() if i.subscription in ("to", "both")
            )
        return self._sources

    def is_watched_by(self, contact: JID) -> bool:
        """Whether `contact` (bare) may see the owner's presence."""
        item = self.items.get(contact)
        return item is not None and item.subscription in ("from", "both")

    def _apply(self, edited: Edited) -> None:
        if edited.after is None:
            self.items.pop(edited.contact, None)
        else:
            self.items[edited.contact] = edited.after
        self.version = max(self.version, edited.version)
        self._watchers = self._sources = None


@dataclass(slots=True)
class _Loading:
    """A roster that is being read."""

    readers: int = 0
    changes: int = 0  # since the first began


class Rosters:
    """All rosters of the server's accounts."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._store = server.stores.roster
        self._kept: OrderedDict[JID, Roster] = OrderedDict()  # the longest unused first
        self._items = 0
        self._loading: dict[JID, _Loading] = {}
        self._hits = self._misses = 0
        self._count(server.meter)

    def _count(self, meter: Meter) -> None:
        meter.gauge("rosters_kept", "Rosters in memory.", lambda: len(self._kept))
        meter.gauge("rosters_kept_items", "Contacts in them.", lambda: self._items)
        meter.counter("roster_hits", "Rosters found in memory.", lambda: self._hits)
        meter.counter("roster_misses", "Rosters read from the store.", lambda: self._misses)

    async def of(self, owner: JID) -> Roster:
        """The roster of the account `owner`. Raises `StoreError`."""
        kept = self._kept.get(owner)
        if kept is not None:
            self._kept.move_to_end(owner)
            self._hits += 1
            return kept
        self._misses += 1
        return await self._load(owner)

    async def _load(self, owner: JID) -> Roster:
        """Read it, and again if it was changed on the way."""
        loading = self._loading.setdefault(owner, _Loading())
        loading.readers += 1
        try:
            while True:
                changes = loading.changes
                stored = await self._store.load(owner)
                if (kept := self._kept.get(owner)) is not None:
                    return kept
                if loading.changes == changes:
                    break
        finally:
            loading.readers -= 1
            if not loading.readers:
                del self._loading[owner]
        roster = Roster(owner, stored.version, {item.jid: item for item in stored.items})
        self._kept[owner] = roster
        self._items += len(roster.items)
        while len(self._kept) > 1 and (len(self._kept) > MAX_ROSTERS or self._items > MAX_ITEMS):
            _, dropped = self._kept.popitem(last=False)
            self._items -= len(dropped.items)
        return roster

    async def edit(self, *edits: Edit) -> tuple[Edited, ...]:
        """Change items, all or none, and tell the owners' clients what they can see of it.

        Raises `StoreError`, and `QuotaExceeded` for a roster that is full.
        """
        done = await self.commit(*edits)
        for edited in done:
            self.push(edited)
        return done

    async def commit(self, *edits: Edit) -> tuple[Edited, ...]:
        """As `edit`, for who has something to say before each `push`.

        It must push all of them before it waits for anything: clients take what they are
        pushed last for what is (§2.6.3).
        """
        done = await self._store.edit(*edits)
        for edited in done:
            self._changed(edited.owner)
            kept = self._kept.get(edited.owner)
            if kept is not None:
                self._items -= len(kept.items)
                kept._apply(edited)
                self._items += len(kept.items)
        return done

    def forget(self, owner: JID) -> None:
        """Let go of a roster: its account is gone, or somebody else changed the store."""
        self._changed(owner)
        kept = self._kept.pop(owner, None)
        if kept is not None:
            self._items -= len(kept.items)

    def _changed(self, owner: JID) -> None:
        """Who is just reading it is to read it again."""
        if (loading := self._loading.get(owner)) is not None:
            loading.changes += 1

    def push(self, edited: Edited) -> None:
        """Tell every interested resource (RFC 6121 §2.1.6), in the account's own name."""
        item = shown(edited.after)
        if item is None:
            if shown(edited.before) is None:
                return
            item = wire.Item(edited.contact, subscription="remove")
        elif item == shown(edited.before):
            return
        query = wire.Query(items=(item,), ver=str(edited.version))
        for session in self._server.sessions.of(edited.owner).values():
            if session[INTERESTED]:
                push = Iq("set", session.jid, None, self._server.ids()).add(query)
                session.send(push)  # its answer says nothing


def shown(item: Item | None) -> wire.Item | None:
    """What clients see of `item`: nothing of one that is there for a request alone (§2.1.6)."""
    if item is None or not item.listed:
        return None
    return wire.Item(
        item.jid,
        name=item.name,
        subscription=item.subscription,
        ask="subscribe" if item.ask else None,
        approved=item.approved,
        groups=item.groups,
    )
