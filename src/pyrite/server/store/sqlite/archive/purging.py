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
TOTALS: Final = """SELECT number, count, bytes FROM archive_owners WHERE number > ?
    ORDER BY number LIMIT ?"""
TOTAL: Final = "SELECT count, bytes, first FROM archive_owners WHERE number = ?"
SET_FIRST: Final = "UPDATE archive_owners SET first = ? WHERE number = ?"
ORPHAN: Final = """SELECT number, first FROM archive_orphans WHERE number > 0
    ORDER BY number LIMIT 1"""
SET_ORPHAN: Final = "UPDATE archive_orphans SET first = ? WHERE number = ?"
MERGE: Final = "INSERT INTO archive_terms (archive_terms, rank) VALUES ('merge', ?)"
DROP_ORPHAN: Final = "DELETE FROM archive_orphans WHERE number = ?"


async def purge(engine: Engine, keep: Keep, batch: int, fresh: Fresh) -> int:
    """See `Archive.purge`."""
    while await engine.write(lambda database: index_some(database, batch, fresh)) == batch:
        pass  # until all is in the index
    removed = 0
    if keep.since is not None:
        end = min(max(0, id_at(to_ms(keep.since))), END)
        removed += await _until_none(engine, partial(_drop_before, end=end))
    if keep.count is not None or keep.octets is not None:
        for number in await _too_large(engine, keep):
            removed += await _until_none(engine, partial(_shorten, number=number, keep=keep))
    orphaned = await _until_none(engine, _drop_orphans)
    if orphaned or removed >= MUCH:
        await _rewrite(engine)
    return removed + orphaned


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


async def _too_large(engine: Engine, keep: Keep) -> list[int]:
    """The archives that have more than they may."""
    found: list[int] = []
    last = 0
    while True:
        totals = await engine.read(partial(_totals, after=last))
        found += [number for number, count, octets in totals if _excess(keep, count, octets)]
        if len(totals) < OWNERS:
            return found
        last = totals[-1][0]


def _totals(database: sqlite3.Connection, after: int) -> list[tuple[int, int, int]]:
    return database.execute(TOTALS, (after, OWNERS)).fetchall()


def _excess(keep: Keep, count: int, octets: int) -> bool:
    return (keep.count is not None and count > keep.count) or (
        keep.octets is not None and octets > keep.octets
    )


def _shorten(database: sqlite3.Connection, number: int, keep: Keep) -> int:
    """Remove some of the oldest entries of an archive, while it has more than it may."""
    total = database.execute(TOTAL, (number,)).fetchone()
    if total is None:
        return 0
    count, octets, first = total
    chosen: list[Row] = []
    for row in _oldest_of(database, number, first):
        if not _excess(keep, count, octets):
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


def _oldest_of(database: sqlite3.Connection, number: int, first: int) -> list[Row]:
    expression = " OR ".join(f'"{kind_term(number, kind)}"' for kind in (False, True))
    found = database.execute(OF_OWNER, (expression, first, END, STEP))
    return [row for row in map(Row._make, found) if row.number == number]
