"""The index of the archive: by which terms an entry is found, and how it gets there and out.

Entries are indexed in batches, after they were committed: one by one it would cost three times
as much. What is not indexed yet, behind the ``mark``, is looked through; it is little. The index
only proposes: whoever reads an entry looks whether it is what was asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple
from zlib import crc32

from .....store.texts import id_set, size
from .words import words

CHUNK: Final = 256  # rows in one statement
IS_SENT, IS_GROUPCHAT = 1, 2  # flags
BODY_BITS: Final = 32  # of ``body_at``: the length, below the start

COLUMNS: Final = "e.id, e.number, e.stamp, e.flags, e.peer, e.name, e.body_at, e.body, e.stanza"
#: The same of a row of which nobody needs to know what it says: then that is not read.
BARE: Final = "e.id, e.number, e.stamp, e.flags, e.peer, e.name, NULL, NULL, ''"
UNINDEXED: Final = "SELECT id FROM archive_entries WHERE id > ? ORDER BY id LIMIT ?"
WAITING: Final = f"""SELECT {COLUMNS} FROM archive_entries e WHERE e.id > ?
    ORDER BY e.id LIMIT ?"""  # noqa: S608
MARK: Final = "SELECT mark FROM archive_state WHERE one = 1"
SET_MARK: Final = "UPDATE archive_state SET mark = ? WHERE one = 1"
COUNTED: Final = """UPDATE archive_owners SET count = count + ?, bytes = bytes + ?
    WHERE number = ?"""
DROP: Final = "DELETE FROM archive_entries WHERE id IN (SELECT value FROM json_each(?))"
INDEX: Final = "INSERT INTO archive_terms (rowid, terms) VALUES "
UNINDEX: Final = "INSERT INTO archive_terms (archive_terms, rowid, terms) VALUES "


class Row(NamedTuple):
    """An entry with all that it is found by."""

    id: int
    number: int
    stamp: int
    flags: int
    peer: str
    name: str | None
    body_at: int | None
    body: str | None
    stanza: str

    @property
    def text(self) -> str:
        """The body that is searched."""
        if self.body_at is None:
            return self.body or ""
        start = self.body_at >> BODY_BITS
        return self.stanza[start : start + (self.body_at & ((1 << BODY_BITS) - 1))]


def kind_term(number: int, is_groupchat: bool) -> str:
    """Each entry has one of these two, so that both together are an archive."""
    return f"{number}g" if is_groupchat else f"{number}c"


def peer_term(number: int, peer: str) -> str:
    return f"{number}@{crc32(peer.encode())}"


def name_term(number: int, name: str) -> str:
    return f"{number}#{crc32(name.encode())}"


def word_term(number: int, word: str) -> str:
    """Digits, then the word: no word of one archive is one of another."""
    return f"{number}_{word}"


@lru_cache(maxsize=8192)
def _frame(number: int, peer: str, is_groupchat: bool) -> tuple[str, str]:
    """The terms that most entries of a conversation share, and what stands before each word."""
    terms = [kind_term(number, is_groupchat), peer_term(number, peer)]
    bare, slash, _ = peer.partition("/")
    if slash:
        terms.append(peer_term(number, bare))
    return " ".join(terms), f" {word_term(number, '')}"


def terms(number: int, peer: str, flags: int, name: str | None, text: str | None) -> str:
    """All by which an entry is found, apart by spaces, which no term has."""
    found, apart = _frame(number, peer, flags & IS_GROUPCHAT != 0)
    if name is not None:
        found = f"{found} {name_term(number, name)}"
    return apart.join((found, *words(text))) if text else found


#: What the index has of an entry, and what is counted: id, number, octets of the stanza, terms.
#: A plain tuple, as there may be thousands, and nobody but the index has them.
Posting = tuple[int, int, int, str]


def posting(row: Row) -> Posting:
    """What there is to find `row` by."""
    number, peer, flags = row.number, row.peer, row.flags
    return row.id, number, size(row.stanza), terms(number, peer, flags, row.name, row.text)


def insert(
    database: sqlite3.Connection, start: str, rows: Sequence[tuple[Any, ...]], places: str
) -> None:
    """Insert `rows`, each as `places` says, many by one statement.

    For each statement the thread gives up its turn, and has to get it back from a busy loop.
    """
    done, chunk = 0, CHUNK
    while done < len(rows):
        if len(rows) - done < chunk:
            chunk //= 4
            continue
        values = [*chain.from_iterable(rows[done : done + chunk])]
        database.execute(start + ", ".join([places] * chunk), values)
        done += chunk


class Fresh:
    """Postings of what was written lately, so that the index need not read it again.

    Only the writer's thread has it. What is in it need not be in the database, for its
    transaction may have failed; but if it is there, it is the same.
    """

    def __init__(self, most: int) -> None:
        self._most = most  # characters of terms
        self._size = 0
        self._postings: dict[int, Posting] = {}  # by id

    def put(self, postings: Iterable[Posting]) -> None:
        """Remember `postings`; if that is too much, nothing: the index is far behind."""
        for one in postings:
            if one[0] not in self._postings:  # else the group is tried again
                self._postings[one[0]] = one
                self._size += len(one[3])
        if self._size > self._most:
            self._postings, self._size = {}, 0

    def forget(self, id: int) -> None:
        """It is not the same any more."""
        self.take([id])

    def take(self, ids: Sequence[int]) -> list[Posting] | None:
        """Those of `ids`, which are then forgotten; `None` unless all are there."""
        found = [one for id in ids if (one := self._postings.pop(id, None)) is not None]
        self._size -= sum([len(one[3]) for one in found])
        return found if len(found) == len(ids) else None


def index_some(database: sqlite3.Connection, batch: int, fresh: Fresh) -> int:
    """Index the next entries that wait for it; how many, less than `batch` if that is all."""
    (mark,) = database.execute(MARK).fetchone()
    ids = [id for (id,) in database.execute(UNINDEXED, (mark, batch)).fetchall()]
    postings = fresh.take(ids)
    if postings is None:
        rows = map(Row._make, database.execute(WAITING, (mark, batch)).fetchall())
        postings = [posting(row) for row in rows]
    if postings:
        add_to_index(database, postings)
        database.execute(SET_MARK, (postings[-1][0],))
    return len(postings)


def add_to_index(database: sqlite3.Connection, postings: Sequence[Posting]) -> None:
    """Have `postings` in the index, and what they are of counted."""
    insert(database, INDEX, [(id, terms) for id, _, _, terms in postings], "(?, ?)")
    _count(database, postings, 1)


def take_from_index(database: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Take those of `rows` that are in the index out of it, and out of the count."""
    mark = database.execute(MARK).fetchone()[0]
    known = [posting(row) for row in rows if row.id <= mark]
    insert(database, UNINDEX, [(id, terms) for id, _, _, terms in known], "('delete', ?, ?)")
    _count(database, known, -1)


def remove(database: sqlite3.Connection, rows: Sequence[Row]) -> None:
    take_from_index(database, rows)
    database.execute(DROP, (id_set(row.id for row in rows),))


def _count(database: sqlite3.Connection, postings: Sequence[Posting], sign: int) -> None:
    totals: dict[int, tuple[int, int]] = {}
    for _, number, octets, _ in postings:
        count, bytes = totals.get(number, (0, 0))
        totals[number] = count + sign, bytes + sign * octets
    changes = [(*total, number) for number, total in totals.items()]
    database.executemany(COUNTED, changes)
