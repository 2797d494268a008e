"""What an operation costs does not depend on how much is stored."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from types import ModuleType

import pytest

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Stores, open_stores
from pyrite.server.store.roster import Edit, Item
from pyrite.server.store.sqlite import (
    accounts,
    activity,
    offline,
    privacy,
    private,
    roster,
    settings,
    vcards,
)
from pyrite.server.store.sqlite import archive as archive_store
from pyrite.server.store.sqlite.archive import index, intake, purging, reading
from pyrite.store import sqlite_shapes

from .conftest import URL

MODULES = [
    *(accounts, activity, offline, privacy, private, roster, settings, vcards),
    *(archive_store, index, intake, purging, reading),
    sqlite_shapes,
]
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
MAY_SCAN = (
    *("SCAN CONSTANT ROW", "SCAN json_each VIRTUAL TABLE"),  # what the caller has given
    # what the full-text index has between two ids, and in their order, up or down
    *("SCAN t VIRTUAL TABLE INDEX 64:M1><", "SCAN t VIRTUAL TABLE INDEX 192:M1><"),
)
#: Settings are few; and once an hour, in a thread that reads, all archives are looked at.
MAY_READ_ALL = {(settings, "LOAD"), (purging, "OTHERS")}

ACCOUNTS = 100_000
CONTACTS = 5000
ROMEO = JID.parse("romeo@verona.lit")


def statements() -> list[tuple[ModuleType, str, str]]:
    found = [
        (module, name, value)
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, str) and value.startswith(VERBS) and not value.endswith("VALUES ")
    ]
    found += [
        (accounts, f"wipe {table}", f"DELETE FROM {table} WHERE owner = ?")
        for table in accounts.OWNED
    ]
    return found


@pytest.mark.parametrize(
    ("module", "name", "statement"),
    statements(),
    ids=lambda value: value.__name__.split(".")[-1] if isinstance(value, ModuleType) else None,
)
def test_every_statement_uses_an_index(
    module: ModuleType, name: str, statement: str, template: Path
) -> None:
    database = sqlite3.connect(template)
    if ":owner" in statement:
        names = ("owner", "sender", "stamp", "size", "stanza", "limit_count", "limit_bytes")
        plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", dict.fromkeys(names))
    else:
        plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))
    steps = [step for *_, step in plan.fetchall()]
    database.close()
    if (module, name) not in MAY_READ_ALL:
        scans = [step for step in steps if step.startswith("SCAN")]
        assert not [step for step in scans if not step.startswith(MAY_SCAN)]
    assert not [step for step in steps if "TEMP B-TREE" in step]


def fill_with_accounts(path: Path) -> None:
    database = sqlite3.connect(path)
    rows = [(f"user{n}@verona.lit", "verona.lit", n) for n in range(ACCOUNTS)]
    with database:
        database.executemany("INSERT INTO accounts VALUES (?, ?, ?, 0)", rows)
        database.executemany(
            "INSERT INTO account_keys VALUES (?, 'SCRAM-SHA-256', x'00', 4096, x'01', x'02')",
            [row[:1] for row in rows],
        )
    database.close()


async def look_up(stores: Stores, number: int) -> float:
    """Seconds of one round of the lookups that a login makes."""
    start = perf_counter()
    jid = JID("user" + str(number), "verona.lit")
    await stores.accounts.find(jid)
    await stores.accounts.exists(jid)
    await stores.roster.load(jid)
    await stores.offline.count(jid)
    await stores.privacy.default(jid)
    await stores.accounts.list("verona.lit", after=jid.text, limit=20)
    await stores.accounts.count("verona.lit")
    return perf_counter() - start


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_100_000_accounts_are_as_quick_as_none(folder: Path) -> None:
    path = folder / "pyrite.db"
    async with await open_stores(URL, folder, ManualClock()) as stores:
        empty = min([await look_up(stores, number) for number in range(50)])
    fill_with_accounts(path)
    start = process_time()
    async with await open_stores(URL, folder, ManualClock()) as stores:
        assert await stores.accounts.count("verona.lit") == ACCOUNTS
        assert process_time() - start < 1
        found = await stores.accounts.find(JID("user4711", "verona.lit"))
        assert found
        assert found.created == datetime(1970, 1, 1, 0, 0, 4, 711_000, tzinfo=UTC)
        full = min([await look_up(stores, number * 1999) for number in range(50)])
    assert full < 5 * empty


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_a_roster_of_5_000_loads_and_changes_quickly(stores: Stores) -> None:
    contacts = [JID(f"contact{n:04}", "capulet.lit") for n in range(CONTACTS)]
    await stores.roster.edit(
        *(Edit(ROMEO, jid, lambda _, jid=jid: Item(jid, "Name", ("Friends",))) for jid in contacts)  # type: ignore[misc]
    )
    start = process_time()
    loaded = await stores.roster.load(ROMEO)
    middle = process_time()
    version = await stores.roster.put(ROMEO, Item(contacts[77], "Other"))
    changes = await stores.roster.changes_since(ROMEO, version - 1)
    end = process_time()
    assert [item.jid for item in loaded.items] == contacts
    assert changes
    assert [change.item for change in changes.changes] == [Item(contacts[77], "Other")]
    assert middle - start < 0.5
    assert end - middle < 0.1
