"""Of who is gone nothing is kept any more, whoever has not heard of it yet."""

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pyrite.core.jid import JID
from pyrite.core.sasl.keys import Keys
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Stores, open_stores
from pyrite.server.store.activity import LastActivity
from pyrite.server.store.archive import Keep
from pyrite.server.store.clients import Token, Visit
from pyrite.server.store.privacy import PrivacyList
from pyrite.server.store.roster import Edit, Item
from pyrite.server.store.sqlite.accounts import OWNED
from pyrite.server.store.vcards import VCard
from pyrite.store.shapes import Quota

from .conftest import URL
from .test_migrations import DATA, restore

ROMEO, JULIET = JID.parse("romeo@verona.lit"), JID.parse("juliet@verona.lit")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLENTY = Quota(100, 1 << 20)
KEYS = Keys("SCRAM-SHA-256", b"salt", 4096, bytes(32), bytes(32))
SAID = "<message><body>a secret</body></message>"

Write = Callable[[Stores], Awaitable[object]]


async def enter(stores: Stores) -> None:
    issued = Token("HT-SHA-256-NONE", b"salt", NOW, NOW)
    visit = Visit("phone", NOW, "software", "device", "::1", password=True, issued=issued)
    await stores.clients.enter(ROMEO, visit, limit=9, since=NOW)


async def archive(stores: Stores) -> None:
    archive = stores.archive
    for peer, owner in ((ROMEO, JULIET), (JULIET, ROMEO), (ROMEO, JULIET)):
        kept = archive.add(archive.next_id(), owner, peer, None, SAID, body="a secret")
    await kept


async def choose(stores: Stores) -> None:
    await stores.privacy.put(ROMEO, PrivacyList("a", "<item/>"), limit=9)
    await stores.privacy.set_default(ROMEO, "a")


async def befriend(stores: Stores) -> None:
    """With what is removed, and in one change with another's roster."""
    await stores.roster.put(ROMEO, Item(JULIET, "a secret"))
    await stores.roster.remove(ROMEO, JULIET)
    await stores.roster.edit(
        Edit(ROMEO, JULIET, lambda _: Item(JULIET)), Edit(JULIET, ROMEO, lambda _: Item(ROMEO))
    )


WRITES: dict[str, Write] = {
    "keys": lambda stores: stores.accounts.set_keys(ROMEO, [KEYS]),
    "more keys": lambda stores: stores.accounts.complete_keys(ROMEO, KEYS),
    "archive": archive,
    "client": enter,
    "value": lambda stores: stores.values("m").put(ROMEO, "a", "b", PLENTY),
    "entry": lambda stores: stores.log("m").append(ROMEO, "a", NOW),
    "activity": lambda stores: stores.activity.put(ROMEO, LastActivity(NOW, "gone")),
    "offline": lambda stores: stores.offline.add(
        ROMEO, JULIET, SAID, NOW, limit_count=9, limit_bytes=1 << 20
    ),
    "lists": choose,
    "private": lambda stores: stores.private.put(ROMEO, "urn:a", "a", "<a/>", PLENTY),
    "roster": befriend,
    "card": lambda stores: stores.vcards.put(ROMEO, VCard("<vCard/>", None)),
}


def held(folder: Path, owner: JID) -> dict[str, int]:
    """How many rows of each table are the owner's."""
    database = sqlite3.connect(folder / "pyrite.db")
    counts = {
        table: database.execute(f"SELECT count(*) FROM {table} WHERE owner = ?", [str(owner)])
        for table in OWNED
    }
    found = {table: count for table, rows in counts.items() if (count := rows.fetchone()[0])}
    database.close()
    return found


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_what_was_still_under_way_is_not_kept(
    write: Write, stores: Stores, folder: Path
) -> None:
    await stores.accounts.create(ROMEO, [KEYS], NOW)
    await stores.accounts.delete(ROMEO)
    await write(stores)
    assert held(folder, ROMEO) == {}


async def test_the_others_copy_is_kept(stores: Stores, folder: Path) -> None:
    """What comes with it in one group is there, and the index fits to it."""
    await stores.accounts.create(ROMEO, [KEYS], NOW)
    await archive(stores)
    await stores.accounts.delete(ROMEO)
    await archive(stores)
    assert await stores.archive.count(JULIET) == 4
    assert await stores.archive.purge(Keep()) == 1  # what he had before
    said = await stores.archive.page(JULIET, limit=9)
    assert [entry.stanza for entry in said.entries] == [SAID] * 4
    assert await stores.archive.count(ROMEO) == 0
    assert held(folder, JULIET) == {"archive_owners": 1}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_who_comes_again_is_kept_again(write: Write, stores: Stores, folder: Path) -> None:
    await stores.accounts.create(ROMEO, [], NOW)
    before = held(folder, ROMEO)
    await stores.accounts.delete(ROMEO)
    await stores.accounts.create(ROMEO, [], NOW)
    await write(stores)
    assert held(folder, ROMEO) != before


def test_each_table_that_belongs_to_accounts_looks(template: Path) -> None:
    """And each such table is known to who deletes an account."""
    database = sqlite3.connect(template)
    tables = {
        name
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if "owner" in [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
    }
    triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    database.close()
    assert tables == set(OWNED)
    guarded = {name.removesuffix("_buried") for (name,) in triggers if name.endswith("_buried")}
    assert guarded == tables - {"totals"}  # which the others' rows bring


async def test_what_earlier_versions_left_behind_goes(tmp_path: Path) -> None:
    restore(DATA / "server-0005.sql", tmp_path / "pyrite.db")
    paris = JID.parse("paris@verona.lit")
    assert held(tmp_path, paris).keys() == {"archive_owners", "clients", "key_values", "totals"}
    async with await open_stores(URL, tmp_path, ManualClock()) as stores:
        assert held(tmp_path, paris) == {}
        (entry,) = (await stores.archive.page(ROMEO, limit=9)).entries
        assert "But soft" in entry.stanza
        assert await stores.archive.purge(Keep()) == 1
        await stores.engine.settle()
        assert b"unforgotten" not in (tmp_path / "pyrite.db").read_bytes()
