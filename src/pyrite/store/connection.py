"""Opening an SQLite file so that what is committed stays."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from .errors import StoreError

OLDEST_SQLITE: Final = (3, 35, 0)  # the first with RETURNING
STATEMENTS: Final = 256  # prepared statements that a connection keeps
MODE: Final = 0o600  # of a new file: it holds what proves passwords


@dataclass(frozen=True, slots=True)
class Options:
    """How an engine works; the defaults suit a server.

    `window`: milliseconds that a group waits for more writes once none is queued. `group`: the
    most writes in one commit. `queue`: the most writes, and the most reads, that are under way;
    who comes then is held back for up to `patience` seconds. `readers`: threads that read.
    `busy`: seconds to wait for a lock that another process holds. `pages`: the most pages that
    the file may have. `synchronous`: only "FULL" survives a power failure without a loss.
    """

    window: float = 0.0
    group: int = 512
    queue: int = 4096
    patience: float = 10.0
    readers: int = 2
    busy: float = 5.0
    pages: int | None = None
    synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL"


def make_file(path: Path) -> None:
    """Make an empty database at `path`, for its owner alone, unless there is a file.

    Its name is on the disk when this returns: SQLite cares for the content alone.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, MODE))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"cannot make {path}: {error.strerror}") from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def connect(path: Path, options: Options, *, reading: bool = False) -> sqlite3.Connection:
    """A connection to the file at `path`, in autocommit mode; raises `StoreError`.

    It may be handed to another thread, but is used by one at a time.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(f"SQLite is {sqlite3.sqlite_version}, but {needed} is needed")
    database = None
    try:
        database = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=options.busy,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
        for pragma in _pragmas(options, reading):
            database.execute(f"PRAGMA {pragma}").fetchall()
    except sqlite3.Error as error:
        if database is not None:
            database.close()
        raise StoreError(f"cannot open {path}: {error}") from error
    return database


def _pragmas(options: Options, reading: bool) -> list[str]:
    pragmas = [
        "page_size = 8192",  # of a new file; twice the default: half as many writes of a group
        "journal_mode = WAL",
        f"synchronous = {options.synchronous}",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
        "secure_delete = ON",  # what somebody deletes is not to lie about; costs under 5 %
    ]
    if options.pages is not None:
        pragmas.append(f"max_page_count = {options.pages}")
    if reading:
        pragmas.append("query_only = ON")
    return pragmas
