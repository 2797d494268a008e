"""Reads what is asked for out of an archive, and gives it (XEP-0313 §4, XEP-0059)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from ....core.errors import StanzaError, StreamError
from ....core.jid import JID
from ....core.stanza import NS as NS_CLIENT
from ....core.xml import KEPT, Element, parse
from ....wire import archive
from ....wire.archive import Filter, Fin
from ....wire.rsm import First, ResultSet
from ...naming import FETCHED, Fetched
from ...session import Session
from ...store.archive import END, Archive, Entry, Page, Query

log = logging.getLogger(__name__)

PAGE_SIZE = 1 << 20  # octets of the messages of a page, unless a single one has more
AT_ONCE = 16  # messages that are given before others get their turn
MAX_COUNTED = 10_000  # messages that are looked at to tell how many there are
MAX_FETCHED = 1000  # ids that are remembered of what a session was given


@dataclass(frozen=True, slots=True)
class Found:
    """What is given, in the order of the archive, and what is said behind it."""

    owner: JID
    entries: list[Entry]
    fin: Fin


class Reader:
    """Answers questions; `limit` is the size of a page at most."""

    def __init__(self, store: Archive, limit: int, is_searchable: bool) -> None:
        self._store, self._limit, self._is_searchable = store, limit, is_searchable

    async def read(self, query: archive.Query, owner: JID) -> Found:
        """The page that is asked for.

        Raises `StanzaError`, ``item-not-found`` for an id that is not there (§4.1.3, §4.3.2),
        and `StoreError`.
        """
        if query.node is not None:
            raise StanzaError("item-not-found", "an account's archive has no nodes")
        wanted = query.page or ResultSet()
        asked = archive.filter_of(query.form, is_searchable=self._is_searchable)
        after, before = _direction(wanted)
        chosen = _query(asked)
        named = [id for id in (after, before, chosen.after, chosen.before) if id not in (None, END)]
        ids = {*filter(None, named), *(chosen.ids or ())}
        if ids and not await self._store.has(owner, ids):
            raise StanzaError("item-not-found", "no such message in the archive")
        limit = self._limit if wanted.max is None else min(wanted.max, self._limit)
        page = await self._store.page(owner, chosen, limit=limit, after=after, before=before)
        page = bounded(page, PAGE_SIZE, is_from_end=before is not None)
        is_counted = wanted.max == 0 or chosen == Query()
        count = await self._store.count(owner, chosen, most=MAX_COUNTED) if is_counted else None
        entries = page.entries
        first = First(str(entries[0].id)) if entries else None
        last = str(entries[-1].id) if entries else None
        told = ResultSet(first=first, last=last, count=count)
        return Found(owner, entries, Fin(told, complete=page.is_last))

    async def give(self, found: Found, query: archive.Query, session: Session) -> int:
        """Send it as fast as the client takes it; how many messages there were.

        Raises `StanzaError` where the client takes no more: a page with a hole must not look
        whole, and it can ask for it again.
        """
        entries = reversed(found.entries) if query.flip_page else found.entries
        number = 0
        for number, (entry, message) in enumerate(_readable(entries), 1):
            if not await session.room():
                raise StanzaError("resource-constraint", "what was sent before comes first")
            session.send(
                archive.wrap(
                    str(entry.id),
                    entry.stamp,
                    message,
                    owner=found.owner,
                    to=session.jid,
                    queryid=query.queryid,
                )
            )
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        if session.presence is None:
            _remember(session, found.entries)
        return number


def bounded(page: Page, octets: int, *, is_from_end: bool) -> Page:
    """As much of `page` as fits, from where it was asked for, and one message in any case.

    Fewer than were asked for are a page all the same, and not the last (§4.3).
    """
    entries = page.entries[::-1] if is_from_end else page.entries
    sizes = accumulate(len(entry.stanza.encode()) for entry in entries)
    fit = max(1, sum(1 for size in sizes if size <= octets))
    if fit >= len(entries):
        return page
    return Page(page.entries[-fit:] if is_from_end else page.entries[:fit], is_last=False)


def _direction(wanted: ResultSet) -> tuple[int | None, int | None]:
    """What the page stands behind, or before. An empty `before` asks for the last page."""
    if wanted.index is not None:
        raise StanzaError("feature-not-implemented", "pages are asked for by id")
    if wanted.after is not None and wanted.before is not None:
        raise StanzaError("bad-request", "after or before, not both: see before-id and after-id")
    if wanted.before is not None:
        return None, _number(wanted.before) if wanted.before else END
    return (_number(wanted.after) if wanted.after else None), None


def _query(asked: Filter) -> Query:
    """As the store is asked. Of groupchat an account's archive has none in any case."""
    return Query(
        peer=asked.peer,
        start=asked.start,
        end=asked.end,
        after=_number(asked.after) if asked.after is not None else None,
        before=_number(asked.before) if asked.before is not None else None,
        ids=frozenset(map(_number, asked.ids)) if asked.ids is not None else None,
        text=asked.search,
    )


def _number(id: str) -> int:
    """Raises `StanzaError` ``item-not-found`` for what never was an id of ours."""
    if id.isascii() and id.isdecimal() and len(id) <= 19 and id[0] != "0" and int(id) < END:
        return int(id)
    raise StanzaError("item-not-found", "no such message in the archive")


def _readable(entries: Iterable[Entry]) -> Iterable[tuple[Entry, Element]]:
    for entry in entries:
        try:
            yield entry, parse(entry.stanza, NS_CLIENT, limits=KEPT)
        except StreamError as error:
            log.warning("an archived message cannot be read: %s: %s", entry.id, error)


def _remember(session: Session, entries: Iterable[Entry]) -> None:
    """What it has got by itself need not come from offline storage too (§6.1.1)."""
    known = session[FETCHED]
    ids = known.ids.union(str(entry.id) for entry in entries)
    session[FETCHED] = Fetched(ids if len(ids) <= MAX_FETCHED else frozenset(), known.told)
