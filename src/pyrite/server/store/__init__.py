"""What the server keeps: one aggregate per file, one implementation per database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

from ...kit.clock import Clock
from ...store.connection import Options, make_file
from ...store.engine import DEFAULTS, Engine
from ...store.errors import StoreError
from ...store.migrate import Schema, upgrade
from ...store.shapes import KeyValues, Log
from ...store.sqlite_shapes import SqliteKeyValues, SqliteLog
from .accounts import Account, Accounts
from .activity import Activity
from .archive import Archive
from .clients import Clients
from .offline import Offline
from .portable import Portable
from .privacy import Privacy
from .private import Private
from .recent import Recent
from .roster import Rosters
from .settings import LiveSettings
from .sqlite.accounts import SqliteAccounts
from .sqlite.activity import SqliteActivity
from .sqlite.archive import BATCHING, SqliteArchive
from .sqlite.archive import Batching as Batching
from .sqlite.clients import SqliteClients
from .sqlite.offline import SqliteOffline
from .sqlite.portable import SqlitePortable
from .sqlite.privacy import SqlitePrivacy
from .sqlite.private import SqlitePrivate
from .sqlite.roster import SqliteRosters
from .sqlite.settings import SqliteSettings
from .sqlite.vcards import SqliteVCards
from .vcards import VCards

SCHEMA: Final = Schema(folder=Path(__file__).parent / "migrations", head="0006")
SQLITE: Final = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Stores:
    """All aggregates of one database; leaving its context closes it.

    `values` and `log` give a module, by its name, what it may keep without a schema.
    """

    engine: Engine
    accounts: Accounts
    roster: Rosters
    offline: Offline
    private: Private
    vcards: VCards
    privacy: Privacy
    activity: Activity
    archive: Archive
    clients: Clients
    settings: LiveSettings
    portable: Portable
    values: Callable[[str], KeyValues]
    log: Callable[[str], Log]

    async def close(self) -> None:
        """Finish what was accepted, then close the database."""
        await self.archive.close()
        await self.engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def open_stores(
    url: str,
    data_dir: Path,
    clock: Clock,
    options: Options = DEFAULTS,
    batching: Batching = BATCHING,
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
    try:
        archive = await SqliteArchive.open(engine, clock, batching)
    except BaseException:
        await engine.close()
        raise
    recent = Recent[Account]()
    return Stores(
        engine=engine,
        accounts=SqliteAccounts(engine, clock, recent),
        roster=SqliteRosters(engine, clock),
        offline=SqliteOffline(engine),
        private=SqlitePrivate(engine),
        vcards=SqliteVCards(engine),
        privacy=SqlitePrivacy(engine),
        activity=SqliteActivity(engine),
        archive=archive,
        clients=SqliteClients(engine),
        settings=SqliteSettings(engine),
        portable=SqlitePortable(engine, clock, recent),
        values=partial(SqliteKeyValues, engine),
        log=partial(SqliteLog, engine),
    )


def sqlite_path(url: str) -> Path:
    """The file that `url` names; raises `StoreError` for another database."""
    name = url.removeprefix(SQLITE)
    if name == url or not name:
        raise StoreError(f"cannot use {url!r}: the store is a file, as in {SQLITE}pyrite.db")
    return Path(name)
