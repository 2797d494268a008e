"""Finding entries: the index proposes, in order, and each is looked at before it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final

from .....core.jid import JID
from .....store.texts import EPOCH, MILLISECOND, from_ms, id_set, key, to_ms
from ...archive import END, Entry, Query
from .index import (
    BARE,
    COLUMNS,
    IS_GROUPCHAT,
    IS_SENT,
    Row,
    kind_term,
    name_term,
    peer_term,
    word_term,
)
from .words import asked, words

ID_BITS: Final = 8  # of an id, below the microseconds, that are random
COUNTED: Final = 5000  # entries that are looked at to count some: 20 ms of a reader
SEARCHED: Final = 4_000_000  # characters of stanzas in which words are looked for, to count them

STATE: Final = "SELECT mark, skew, floor FROM archive_state WHERE one = 1"
OWNER: Final = "SELECT number, count, first FROM archive_owners WHERE owner = ?"
INDEXED: Final = f"""SELECT {COLUMNS} FROM archive_terms t CROSS JOIN archive_entries e
    ON e.id = t.rowid WHERE archive_terms MATCH ? AND t.rowid > ? AND t.rowid < ?
    ORDER BY t.rowid"""  # noqa: S608
INDEXED_BACK: Final = f"{INDEXED} DESC"
BEHIND: Final = f"""SELECT {COLUMNS} FROM archive_entries e
    WHERE e.id > ? AND e.id < ? AND e.number = ? ORDER BY e.id"""  # noqa: S608
BEHIND_BACK: Final = f"{BEHIND} DESC"
CHOSEN: Final = f"""SELECT {COLUMNS} FROM archive_entries e WHERE e.number = ?
    AND e.id IN (SELECT value FROM json_each(?)) ORDER BY e.id"""  # noqa: S608
CHOSEN_BACK: Final = f"{CHOSEN} DESC"
TAIL: Final = "SELECT count(*) FROM archive_entries WHERE id > ? AND number = ?"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in one archive, and within which ids, both exclusive."""

    owner: str
    query: Query
    low: int = 0
    high: int = END
    name: str | None = None
    is_sent: bool | None = None

    @classmethod
    def of(
        cls, owner: JID, query: Query, after: int | None = None, before: int | None = None
    ) -> Search:
        """`after` and `before` as for `Archive.page`."""
        low = max(query.after or 0, after or 0)
        high = min(END if one is None else one for one in (query.before, before))
        return cls(key(owner), query, _clamped(low), _clamped(high))


def found(
    database: sqlite3.Connection, search: Search, most: int, *, newest: bool = False
) -> list[Row]:
    """The first `most` entries, in order, or the newest ones, the newest first."""
    if (looking := _begun(database, search, newest=newest)) is None:
        return []
    look, proposed = looking
    with closing(proposed):
        return list(islice(filter(look.sees, proposed), most))


def counted_some(database: sqlite3.Connection, search: Search, most: int) -> int | None:
    """How many entries there are; `None` if more than `most`, or too many to look at."""
    if (looking := _begun(database, search, is_bare=not search.query.text)) is None:
        return 0
    look, proposed = looking
    count = octets = 0
    with closing(proposed):
        for looked, row in enumerate(proposed, 1):
            count += look.sees(row)
            octets += len(row.stanza)
            if count > most or looked > COUNTED or octets > SEARCHED:
                return None
    return count


def _begun(
    database: sqlite3.Connection, search: Search, *, newest: bool = False, is_bare: bool = False
) -> tuple[_Look, Generator[Row]] | None:
    """How to look at entries, and those to look at; `None` if there are none in any case."""
    owner = database.execute(OWNER, (search.owner,)).fetchone()
    if owner is None:
        return None
    number, _, first = owner
    look = _Look(number, search)
    if look.is_vain:
        return None
    mark, skew, floor = database.execute(STATE).fetchone()
    low, high = look.bounds(max(floor, first), skew)
    return look, _proposed(database, look, low, high, mark, newest, is_bare)


def counted(database: sqlite3.Connection, owner: str) -> int:
    """How many entries there are."""
    row = database.execute(OWNER, (owner,)).fetchone()
    if row is None:
        return 0
    mark, *_ = database.execute(STATE).fetchone()
    behind: tuple[int] = database.execute(TAIL, (mark, row[0])).fetchone()
    return int(row[1]) + behind[0]


def to_entry(row: Row) -> Entry:
    return Entry(row.id, from_ms(row.stamp), row.stanza)


def in_range(ids: Iterable[int]) -> list[int]:
    """Those of `ids` that can be some: the database takes no greater numbers."""
    return [id for id in ids if 0 < id < END]


class _Look:
    """One search as it looks at an entry."""

    def __init__(self, number: int, search: Search) -> None:
        query = search.query
        self.number, self.search, self.query = number, search, query
        self.words = asked(query.text) if query.text else set()
        self.is_vain = bool(query.text) and not self.words
        self.start = None if query.start is None else -((EPOCH - query.start) // MILLISECOND)
        self.end = None if query.end is None else to_ms(query.end)
        self.peer = None if query.peer is None else query.peer.text
        self.resources = None if query.peer is None or query.peer.resource else f"{self.peer}/"

    def bounds(self, first: int, skew: int) -> tuple[int, int]:
        """Between which ids it can be; `skew`: milliseconds that ids have been ahead of stamps."""
        low, high = max(self.search.low, first), self.search.high
        if self.start is not None:
            low = max(low, _clamped(id_at(self.start) - 1))
        if self.end is not None:
            high = min(high, _clamped(id_at(self.end + skew + 1)))
        return low, high

    def expression(self) -> str:
        """What an entry has in the index: terms, each quoted, and none has a quote in it."""
        number, query = self.number, self.query
        terms = [word_term(number, word) for word in self.words]
        if self.peer is not None:
            terms.append(peer_term(number, self.peer))
        if self.search.name is not None:
            terms.append(name_term(number, self.search.name))
        if query.is_groupchat is not None:
            terms.append(kind_term(number, query.is_groupchat))
        if not terms:
            return " OR ".join(f'"{kind_term(number, kind)}"' for kind in (False, True))
        return " AND ".join(f'"{term}"' for term in terms)

    def sees(self, row: Row) -> bool:
        """Whether `row` is what is looked for."""
        return (
            row.number == self.number
            and (self.start is None or row.stamp >= self.start)
            and (self.end is None or row.stamp <= self.end)
            and (self.peer is None or self._is_peer(row.peer))
            and (self.search.name is None or row.name == self.search.name)
            and self.search.is_sent in (None, bool(row.flags & IS_SENT))
            and self.query.is_groupchat in (None, bool(row.flags & IS_GROUPCHAT))
            and (not self.words or self.words <= words(row.text))
        )

    def _is_peer(self, peer: str) -> bool:
        return peer == self.peer or (self.resources is not None and peer.startswith(self.resources))


def _clamped(id: int) -> int:
    """`id`, or the next number that the database takes."""
    return min(max(id, 0), END)


def id_at(stamp: int) -> int:
    """The lowest id of the millisecond `stamp`."""
    return (stamp * 1000) << ID_BITS


def _proposed(
    database: sqlite3.Connection,
    look: _Look,
    low: int,
    high: int,
    mark: int,
    newest: bool,
    is_bare: bool,
) -> Generator[Row]:
    columns = BARE if is_bare else COLUMNS
    if look.query.ids is not None:
        values = (look.number, id_set(id for id in in_range(look.query.ids) if low < id < high))
        chosen = (CHOSEN_BACK if newest else CHOSEN).replace(COLUMNS, columns)
        yield from map(Row._make, database.execute(chosen, values))
        return
    steps: list[tuple[str, tuple[str | int, ...]]] = [
        (INDEXED_BACK if newest else INDEXED, (look.expression(), low, min(high, mark + 1))),
        (BEHIND_BACK if newest else BEHIND, (max(low, mark), high, look.number)),
    ]
    for statement, bounds in reversed(steps) if newest else steps:
        with closing(database.execute(statement.replace(COLUMNS, columns), bounds)) as rows:
            yield from map(Row._make, rows)
