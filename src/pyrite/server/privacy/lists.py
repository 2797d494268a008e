"""Changes privacy lists and block lists, and what contacts see because of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.jid import JID
from ...core.stanza import Presence
from ...wire import privacy as wire
from ..presence import DIRECTED
from ..session import Session
from ..store.privacy import PrivacyNames
from .guards import Guards
from .rules import ACTIVE, BlocksChanged, ListChanged, Rules, address_of, is_block

if TYPE_CHECKING:
    from ..app import Server

LOCKS = 64  # changes of different accounts that can be under way

BLOCKLIST = "blocklist"  # the name of the default list that a first block makes


@dataclass(slots=True)
class _View:
    """What a change means to one session: who of its contacts it shows and sees."""

    session: Session
    hidden: list[JID] = field(default_factory=list)  # see the session no more
    shown: list[JID] = field(default_factory=list)  # see it from now on
    lost: list[JID] = field(default_factory=list)  # resources that it sees no more
    found: list[JID] = field(default_factory=list)  # contacts that it sees from now on


class Privacy(Guards):
    """The lists of all accounts."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._locks = [asyncio.Lock() for _ in range(LOCKS)]

    # --- reading ---------------------------------------------------------------------

    async def blocked(self, owner: JID) -> tuple[JID, ...]:
        """Whom an account blocks."""
        rules = await self.default(owner)
        return rules.blocklist if rules else ()

    async def names(self, owner: JID) -> PrivacyNames:
        """The names of an account's lists, and of its default one."""
        return await self._store.names(owner)

    async def find(self, owner: JID, name: str) -> Rules:
        """A list by its name. Raises `StanzaError` ``item-not-found``."""
        stored = await self._store.find(owner, name)
        if stored is None:
            raise StanzaError("item-not-found", "no such list")
        return Rules.read(stored)

    # --- changing: by lists (XEP-0016) -----------------------------------------------

    async def activate(self, session: Session, name: str | None) -> None:
        """Let a list, or none, hold for this session (§2.4). Raises `StanzaError`."""
        owner = session.jid.bare
        async with self._lock(owner):
            rules = None if name is None else await self.find(owner, name)
            await self._turn(owner, await self.default(owner), {session: rules})

    async def set_default(self, session: Session, name: str | None) -> None:
        """Let a list, or none, hold for the account (§2.5).

        Raises `StanzaError`: ``item-not-found``, and ``conflict`` while another session is
        under the old one.
        """
        owner = session.jid.bare
        async with self._lock(owner):
            old = await self.default(owner)
            rules = None if name is None else await self.find(owner, name)
            if old is not None and old.name != name and await self._others_under(old, session):
                raise StanzaError("conflict", "another resource is under that list")
            await self._store.set_default(owner, name)
            await self._turn(owner, rules)
            await self._tell_blocks(owner, old, rules)

    async def put(self, session: Session, given: wire.List, limit: int, max_rules: int) -> None:
        """Add or replace a list (§2.6, §2.7), of at most `limit`.

        Raises `StanzaError`: ``not-acceptable`` for more than `max_rules` after the blocks that
        stand first, ``item-not-found`` for a group that is not in the roster.
        """
        owner = session.jid.bare
        rules = Rules(given.name, given.items)
        if len(rules.rest) > max_rules:
            raise StanzaError("not-acceptable", f"a list has at most {max_rules} rules")
        await self._check_groups(owner, rules)
        async with self._lock(owner):
            await self._store_list(owner, rules, limit)
            await self._replaced(owner, rules.name, rules)
            await self._tell(owner, ListChanged(owner, rules.name, by_blocking=False))

    async def remove(self, session: Session, name: str) -> None:
        """Remove a list (§2.8).

        Raises `StanzaError`: ``item-not-found``, and ``conflict`` while another session is
        under it.
        """
        owner = session.jid.bare
        async with self._lock(owner):
            if await self._others_under(await self.find(owner, name), session):
                raise StanzaError("conflict", "another resource is under that list")
            await self._store.remove(owner, name)
            await self._replaced(owner, name, None)

    # --- changing: by blocking (XEP-0191) --------------------------------------------

    async def block(self, owner: JID, jids: Sequence[JID], limit: int) -> None:
        """Deny everything to `jids`, before all other rules (XEP-0191 §6).

        Raises `StanzaError` ``resource-constraint`` if more than `limit` would be blocked.
        """
        async with self._lock(owner):
            old = await self.default(owner)
            known = set(old.blocklist) if old else set()
            new = [jid for jid in jids if jid not in known]
            if len(known) + len(new) > limit:
                raise StanzaError("resource-constraint", f"at most {limit} are blocked")
            if new:
                items = [wire.Item("deny", 0, "jid", str(jid)) for jid in new]
                name = old.name if old else await self._free_name(owner)
                await self._set_by_blocking(owner, old, name, [*items, *(old.items if old else ())])
            await self._tell(owner, BlocksChanged(owner, tuple(jids), ()))

    async def unblock(self, owner: JID, jids: Sequence[JID] | None) -> None:
        """Undo `block` for `jids`, or for all (§3.4, §3.5)."""
        async with self._lock(owner):
            old = await self.default(owner)
            if old is not None:
                free = set(old.blocklist if jids is None else jids)
                items = [i for i in old.items if not (is_block(i) and address_of(i) in free)]
                if len(items) < len(old.items):
                    await self._set_by_blocking(owner, old, old.name, items)
            unblocked = None if jids is None else tuple(jids)
            await self._tell(owner, BlocksChanged(owner, (), unblocked))

    async def _set_by_blocking(
        self, owner: JID, old: Rules | None, name: str, items: Sequence[wire.Item]
    ) -> None:
        """Let `items`, in this order, be the default list; without any there is none."""
        if not items:
            await self._store.remove(owner, name)
            await self._replaced(owner, name, None, tell_blocks=False)
            return
        rules = Rules(name, (replace(item, order=n) for n, item in enumerate(items, 1)))
        await self._store_list(owner, rules, limit=1 << 30)
        if old is None:
            await self._store.set_default(owner, name)
            await self._turn(owner, rules)
        else:
            await self._replaced(owner, name, rules, tell_blocks=False)
        await self._tell(owner, ListChanged(owner, name, by_blocking=True))

    async def _free_name(self, owner: JID) -> str:
        taken = (await self._store.names(owner)).names
        names = (f"{BLOCKLIST} {n}" if n else BLOCKLIST for n in range(len(taken) + 1))
        return next(name for name in names if name not in taken)

    # --- what changes bring about ----------------------------------------------------

    async def _store_list(self, owner: JID, rules: Rules, limit: int) -> None:
        if not await self._store.put(owner, rules.store(), limit=limit):
            raise StanzaError("resource-constraint", f"at most {limit} lists")

    async def _replaced(
        self, owner: JID, name: str, rules: Rules | None, *, tell_blocks: bool = True
    ) -> None:
        """Let `rules` hold wherever the list `name` did (§2.2)."""
        old = await self.default(owner)
        default = rules if old is not None and old.name == name else old
        sessions = self._sessions.of(owner).values()
        active = {s: rules for s in sessions if (own := s[ACTIVE]) and own.name == name}
        await self._turn(owner, default, active)
        if tell_blocks:
            await self._tell_blocks(owner, old, default)

    async def _turn(
        self,
        owner: JID,
        default: Rules | None,
        active: Mapping[Session, Rules | None] | None = None,
    ) -> None:
        """Put lists into force; contacts see what they may see from now on, and not more."""
        active = active or {}
        views: list[_View] = []
        presences = self._server.presences
        try:
            old = await self.default(owner)
            for session in tuple(self._sessions.of(owner).values()):
                before = session[ACTIVE] or old
                after = active.get(session, session[ACTIVE]) or default
                if before is not after and session.presence is not None:
                    views.append(await self._view(session, before, after))
            for view in views:
                for address in view.hidden:  # by the old rules: the new ones would not let it out
                    await presences.reply(Presence("unavailable", address, view.session.jid))
                for contact in view.lost:
                    view.session.send(Presence("unavailable", view.session.jid, contact))
        finally:  # they are stored: they hold, whoever could not be told
            self._keep(owner, default)
            for session, rules in active.items():
                if self._sessions.find(session.jid) is session:
                    self._choose(session, rules)
        for view in views:
            for address in view.shown:
                if view.session.presence is not None:
                    await presences.reply(view.session.presence.routed(to=address))
            for contact in view.found:
                await presences.reply(Presence("probe", contact, view.session.jid))

    async def _view(self, session: Session, before: Rules | None, after: Rules | None) -> _View:
        """What a change of rules changes in who sees whom."""
        owner = session.jid.bare
        roster = await self._server.rosters.of(owner)
        view = _View(session)
        for address in (*roster.watchers, *session[DIRECTED]):
            match await self._change(before, after, "presence-out", address, owner):
                case (True, False):
                    view.hidden.append(address)
                case (False, True) if address in roster.watchers:
                    view.shown.append(address)
        for contact in roster.sources:
            match await self._change(before, after, "presence-in", contact, owner):
                case (True, False):
                    view.lost += [s.jid for s in self._sessions.available(contact)]
                case (False, True):
                    view.found.append(contact)
        return view

    async def _change(
        self, before: Rules | None, after: Rules | None, kind: wire.Kind, other: JID, owner: JID
    ) -> tuple[bool, bool]:
        """Whether `other` was let through, and is; of who is not here it does not matter."""
        if other.domain in self._server.hosts and not self._sessions.of(other.bare):
            return True, True
        was = await self.allows(before, kind, other, owner)
        return was, await self.allows(after, kind, other, owner)

    async def _check_groups(self, owner: JID, rules: Rules) -> None:
        """Raises `StanzaError` ``item-not-found`` for a group that is not in the roster (§2.1)."""
        wanted = {item.value for item in rules.items if item.type == "group"}
        if wanted:
            roster = await self._server.rosters.of(owner)
            if not wanted.issubset(g for item in roster.items.values() for g in item.groups):
                raise StanzaError("item-not-found", "no such group in the roster")

    async def _others_under(self, rules: Rules, session: Session) -> bool:
        """Whether a list holds for another session of the account than this one."""
        default = await self.default(session.jid.bare)
        others = (s for s in self._sessions.of(session.jid.bare).values() if s is not session)
        return any((own := s[ACTIVE] or default) and own.name == rules.name for s in others)

    async def _tell_blocks(self, owner: JID, old: Rules | None, new: Rules | None) -> None:
        before = old.blocklist if old else ()
        after = new.blocklist if new else ()
        blocked = tuple(jid for jid in after if jid not in before)
        unblocked = tuple(jid for jid in before if jid not in after)
        if blocked or unblocked:
            await self._tell(owner, BlocksChanged(owner, blocked, unblocked))

    async def _tell(self, owner: JID, event: ListChanged | BlocksChanged) -> None:
        await self._server.hosts[owner.domain].events.tell(event)

    def _lock(self, owner: JID) -> asyncio.Lock:
        return self._locks[hash(owner) % LOCKS]
