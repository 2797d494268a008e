"""What leaves the archive: from its old end, in short steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final

from .....store.engine import Engine
from .....store.texts import size, to_ms
from ...archive import END, Keep
from .index import COLUMNS, Fresh, Row, index_some, kind_term, remove
from .reading import INDEXED, id_at

STEP: Final = 1000  # entries that go at once: some 15 ms of the writer
MUCH: Final = 50_000  # entries struck out of the index that make it slow to read from its start
OWNERS: Final = 1000  # archives that are looked at at once

REWRITTEN: Final = 100  # pages of the index that are written anew at once

OLDEST: Final = f"""SELECT {COLUMNS} FROM archive_entries e WHERE e.id < ?
    ORDER BY e.id LIMIT ?"""  # noqa: S608
SET_FLOOR: Final = "UPDATE archive_state SET floor = max(floor, ?) WHERE one = 1"
OF_OWNER: Final = f"{INDEXED} LIMIT ?"
DOMAIN: Final = "substr(owner, instr(owner, '@') + 1)"
TOTALS: Final = f"""SELECT number, count, bytes, first FROM archive_owners
    WHERE number > ? AND (? IS NULL OR {DOMAIN} = ?) ORDER BY number LIMIT ?"""  # noqa: S608
OTHERS: Final = f"SELECT 1 FROM archive_owners WHERE {DOMAIN} != ? LIMIT 1"  # noqa: S608
TOTAL: Final = "SELECT count, bytes, first FROM archive_owners WHERE number = ?"
SET_FIRST: Final = "UPDATE archive_owners SET first = ? WHERE number = ?"
ORPHAN: Final = """SELECT number, first FROM archive_orphans WHERE number > 0
    ORDER BY number LIMIT 1"""
SET_ORPHAN: Final = "UPDATE archive_orphans SET first = ? WHERE number = ?"
MERGE: Final = "INSERT INTO archive_terms (archive_terms, rank) VALUES ('merge', ?)"
DROP_ORPHAN: Final = "DELETE FROM archive_orphans WHERE number = ?"

Total = tuple[int, int, int, int]  # number, count, octets, all up to which is removed


async def purge(engine: Engine, keep: Keep, batch: int, fresh: Fresh, domain: str | None) -> int:
    """See `Archive.purge`."""
    while await engine.write(lambda database: index_some(database, batch, fresh)) == batch:
        pass  # until all is in the index
    removed, since = 0, None if keep.since is None else id_at(to_ms(keep.since))
    end = min(max(0, since), END) if since is not None else 0
    if end and (domain is None or await engine.read(partial(_is_all, domain=domain))):
        removed += await _until_none(engine, partial(_drop_before, end=end))
        end = 0
    if end or keep.count is not None or keep.octets is not None:
        for number in await _too_much(engine, keep, end, domain):
            step = partial(_shorten, number=number, keep=keep, end=end)
            removed += await _until_none(engine, step)
    orphaned = await _until_none(engine, _drop_orphans)
    if orphaned or removed >= MUCH:
        await _rewrite(engine)
    return removed + orphaned


def _is_all(database: sqlite3.Connection, domain: str) -> bool:
    """Whether all archives are those of `domain`, so that no other has to be stepped over."""
    return database.execute(OTHERS, (domain,)).fetchone() is None


async def _rewrite(engine: Engine) -> None:
    """Write the index anew, without the words of those who have gone: it only strikes them out."""
    pages = -REWRITTEN  # below zero: begin
    while await engine.write(partial(_merge, pages=pages)):
        pages = REWRITTEN


def _merge(database: sqlite3.Connection, pages: int) -> bool:
    """Merge so many pages of the index; whether there is more to do."""
    before = database.total_changes
    database.execute(MERGE, (pages,))
    return database.total_changes - before > 1


async def _until_none(engine: Engine, step: Callable[[sqlite3.Connection], int]) -> int:
    removed = 0
    while done := await engine.write(step):
        removed += done
    return removed


def _drop_before(database: sqlite3.Connection, end: int) -> int:
    rows = [Row._make(row) for row in database.execute(OLDEST, (end, STEP))]
    if rows:
        remove(database, rows)
        database.execute(SET_FLOOR, (rows[-1].id,))
    return len(rows)


async def _too_much(engine: Engine, keep: Keep, end: int, domain: str | None) -> list[int]:
    """The archives that have more than they may, or entries before `end`."""
    found: list[int] = []
    last, is_more = 0, True
    while is_more:
        totals = await engine.read(partial(_totals, after=last, domain=domain))
        found += await engine.read(partial(_wanting, totals=totals, keep=keep, end=end))
        is_more, last = len(totals) == OWNERS, totals[-1][0] if totals else last
    return found


def _totals(database: sqlite3.Connection, after: int, domain: str | None) -> list[Total]:
    return database.execute(TOTALS, (after, domain, domain, OWNERS)).fetchall()


def _wanting(database: sqlite3.Connection, totals: list[Total], keep: Keep, end: int) -> list[int]:
    """The numbers of those of `totals` of which something has to go."""
    return [
        number
        for number, count, octets, first in totals
        if _excess(keep, count, octets) or (end and _oldest_of(database, number, first, end, 1))
    ]


def _excess(keep: Keep, count: int, octets: int) -> bool:
    return (keep.count is not None and count > keep.count) or (
        keep.octets is not None and octets > keep.octets
    )


def _shorten(database: sqlite3.Connection, number: int, keep: Keep, end: int) -> int:
    """Remove some of the oldest entries of an archive: too many, or before `end`."""
    total = database.execute(TOTAL, (number,)).fetchone()
    if total is None:
        return 0
    count, octets, first = total
    chosen: list[Row] = []
    for row in _oldest_of(database, number, first):
        if row.id >= end and not _excess(keep, count, octets):
            break
        chosen.append(row)
        count, octets = count - 1, octets - size(row.stanza)
    if chosen:
        remove(database, chosen)
        database.execute(SET_FIRST, (chosen[-1].id, number))
    return len(chosen)


def _drop_orphans(database: sqlite3.Connection) -> int:
    """Remove some of an archive that has been cleared."""
    while orphan := database.execute(ORPHAN).fetchone():
        number, first = orphan
        if rows := _oldest_of(database, number, first):
            remove(database, rows)
            database.execute(SET_ORPHAN, (rows[-1].id, number))
            return len(rows)
        database.execute(DROP_ORPHAN, (number,))
    return 0


def _oldest_of(
    database: sqlite3.Connection, number: int, first: int, end: int = END, most: int = STEP
) -> list[Row]:
    expression = " OR ".join(f'"{kind_term(number, kind)}"' for kind in (False, True))
    found = database.execute(OF_OWNER, (expression, first, end, most))
    return [row for row in map(Row._make, found) if row.number == number]
