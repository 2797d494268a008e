"""What the server keeps: one aggregate per file, one implementation per database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...kit.clock import Clock
from ...store.connection import Options, make_file
from ...store.engine import DEFAULTS, Engine
from ...store.errors import StoreError
from ...store.migrate import Schema, upgrade
from .accounts import Accounts
from .offline import Offline
from .roster import Rosters
from .sqlite.accounts import SqliteAccounts
from .sqlite.offline import SqliteOffline
from .sqlite.roster import SqliteRosters

SCHEMA: Final = Schema(folder=Path(__file__).parent / "migrations", head="0001")
SQLITE: Final = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Stores:
    """All aggregates of one database."""

    engine: Engine
    accounts: Accounts
    roster: Rosters
    offline: Offline

    async def close(self) -> None:
        """Finish what was accepted, then close the database."""
        await self.engine.close()


async def open_stores(
    url: str, data_dir: Path, clock: Clock, options: Options = DEFAULTS
) -> Stores:
    """The stores of the database at `url`, made or upgraded as needed.

    ``sqlite:///pyrite.db`` is a file below `data_dir`, ``sqlite:////srv/pyrite.db`` one
    anywhere. Raises `StoreError`; `SchemaError` if the database is a newer version's.
    """
    path = data_dir / sqlite_path(url)

    def prepare() -> None:
        make_file(path)
        upgrade(path, SCHEMA, options)

    await asyncio.to_thread(prepare)
    engine = await Engine.open(path, options)
    return Stores(
        engine=engine,
        accounts=SqliteAccounts(engine, clock),
        roster=SqliteRosters(engine, clock),
        offline=SqliteOffline(engine),
    )


def sqlite_path(url: str) -> Path:
    """The file that `url` names; raises `StoreError` for another database."""
    name = url.removeprefix(SQLITE)
    if name == url or not name:
        raise StoreError(f"cannot use {url!r}: the store is a file, as in {SQLITE}pyrite.db")
    return Path(name)
