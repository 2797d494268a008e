"""What modules get without a schema, and the totals that every quota stands on."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Stores
from pyrite.server.store.activity import LastActivity
from pyrite.server.store.clients import Token, Visit
from pyrite.server.store.privacy import PrivacyList
from pyrite.server.store.roster import Item
from pyrite.server.store.vcards import VCard
from pyrite.store.errors import QuotaExceeded
from pyrite.store.shapes import Entry, Quota

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")
STAMP = datetime(2026, 3, 1, tzinfo=UTC)


async def test_values_are_apart_by_module_and_owner(stores: Stores) -> None:
    mine, yours = stores.values("mine"), stores.values("yours")
    assert await mine.put(ROMEO, "b", "ä")
    assert await mine.put(ROMEO.at("x"), "a", "1")
    assert await mine.put(ROMEO, "a", "2")
    assert await mine.load(ROMEO) == {"a": "2", "b": "ä"}
    assert list(await mine.load(ROMEO)) == ["a", "b"]
    assert await mine.find(ROMEO, "a") == "2"
    assert await yours.find(ROMEO, "a") is None
    assert await mine.load(JULIET) == {}
    await yours.put(ROMEO, "a", "9")
    assert await mine.remove(ROMEO, "b")
    assert not await mine.remove(ROMEO, "b")
    assert await mine.clear(ROMEO) == 1
    assert await yours.load(ROMEO) == {"a": "9"}


async def test_values_are_limited(stores: Stores) -> None:
    values, quota = stores.values("mine"), Quota(2, 4)
    assert await values.put(ROMEO, "a", "ä", quota)
    assert await values.put(ROMEO, "b", "12", quota)
    assert not await values.put(ROMEO, "c", "", quota)
    assert not await values.put(ROMEO, "b", "123", quota)
    assert await values.put(ROMEO, "b", "1", quota)
    assert await values.load(ROMEO) == {"a": "ä", "b": "1"}
    assert await stores.values("yours").put(ROMEO, "c", "1234", quota)


async def test_a_log_keeps_the_newest(stores: Stores) -> None:
    log, quota = stores.log("mine"), Quota(3, 100)
    ids = [
        await log.append(ROMEO, str(n), STAMP + timedelta(seconds=n), quota) for n in range(5)
    ]  # fmt: skip
    expected = [Entry(ids[n], STAMP + timedelta(seconds=n), str(n)) for n in (2, 3, 4)]
    assert await log.load(ROMEO) == expected
    assert await log.load(ROMEO, after=ids[2], limit=1) == expected[1:2]
    assert await log.count(ROMEO) == 3
    assert await log.count(JULIET) == await stores.log("yours").count(ROMEO) == 0
    assert await log.remove(ROMEO, [ids[3], ids[0]]) == 1
    assert await log.remove(ROMEO) == 2
    assert await log.load(ROMEO) == []


async def test_a_log_drops_as_many_as_it_must(stores: Stores) -> None:
    log, quota = stores.log("mine"), Quota(100, 10)
    for value in ("1111", "22", "33"):
        await log.append(ROMEO, value, STAMP, quota)
    await log.append(ROMEO, "4" * 7, STAMP, quota)
    assert [entry.value for entry in await log.load(ROMEO)] == ["33", "4" * 7]
    await log.append(ROMEO, "55", STAMP, quota)
    await log.append(ROMEO, "6", STAMP, Quota(1, 10))
    assert [entry.value for entry in await log.load(ROMEO)] == ["6"]
    for impossible in (Quota(100, 1), Quota(0, 100)):
        with pytest.raises(QuotaExceeded):
            await log.append(ROMEO, "77", STAMP, impossible)
    assert await log.count(ROMEO) == 1


async def test_totals_are_what_counting_would_find(stores: Stores, folder: Path) -> None:
    random = Random(1)
    values, log = stores.values("v"), stores.log("l")

    async def act(owner: JID, text: str, name: str) -> None:
        match random.randrange(8):
            case 0:
                await values.put(owner, name, text)
            case 1:
                await values.remove(owner, name)
            case 2:
                await log.append(owner, text, STAMP, Quota(5, 40))
            case 3:
                await stores.private.put(owner, "ns", name, text, Quota(3, 60))
            case 4:
                await stores.private.remove(owner, "ns", name)
            case 5 | 6:
                await stores.offline.add(
                    owner, JULIET, text, STAMP, limit_count=9, limit_bytes=90
                )  # fmt: skip
            case 7:
                ids = [header.id for header in await stores.offline.headers(owner)]
                await stores.offline.remove(owner, ids[:2])

    for _ in range(300):
        await act(random.choice([ROMEO, JULIET]), "ä" * random.randrange(9), random.choice("abcd"))
    await stores.offline.purge(STAMP + timedelta(1))
    database = sqlite3.connect(folder / "pyrite.db")
    counted = []
    for table, kind in (
        ("key_values", "'values ' || namespace"),
        ("log_entries", "'log ' || namespace"),
        ("private_elements", "'private'"),
        ("offline", "'offline'"),
    ):
        counted += database.execute(
            f"SELECT owner, {kind}, count(*), sum(size) FROM {table} GROUP BY 1, 2"
        ).fetchall()
    kept = database.execute("SELECT owner, kind, count, bytes FROM totals").fetchall()
    database.close()
    assert sorted(kept) == sorted(counted)
    assert {kind for _, kind, _, _ in kept} >= {"values v", "log l", "private"}


async def fill(stores: Stores, owner: JID) -> None:
    """Keep something of every kind for `owner`."""
    await stores.roster.put(owner, Item(JULIET))
    await stores.roster.put(owner, Item(ROMEO))
    await stores.roster.remove(owner, ROMEO)
    await stores.offline.add(owner, JULIET, "<m/>", STAMP, limit_count=9, limit_bytes=99)
    await stores.private.put(owner, "ns", "a", "<a/>", Quota())
    await stores.vcards.put(owner, VCard("<vCard/>", "ab"))
    await stores.privacy.put(owner, PrivacyList("l", ""), limit=9)
    await stores.privacy.set_default(owner, "l")
    await stores.activity.put(owner, LastActivity(STAMP, None))
    token = Token("HT-SHA-256-NONE", b"salt", STAMP, STAMP)
    await stores.clients.enter(owner, Visit("id", STAMP, issued=token), limit=9, since=STAMP)
    await stores.values("plugin").put(owner, "a", "1")
    await stores.log("plugin").append(owner, "x", STAMP)
    await stores.archive.add(stores.archive.next_id(), owner, JULIET, STAMP, "<m/>")


def rows(folder: Path, owner: JID) -> dict[str, int]:
    """How many rows each table has for `owner`."""
    database = sqlite3.connect(folder / "pyrite.db")
    names = database.execute(
        """SELECT t.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND c.name = 'owner'"""
    ).fetchall()
    counts = {
        name: database.execute(
            f"SELECT count(*) FROM {name} WHERE owner = ?", (owner.text,)
        ).fetchone()[0]
        for (name,) in names
    }
    database.close()
    return counts


async def test_all_of_an_account_goes_with_it(
    stores: Stores, folder: Path, clock: ManualClock
) -> None:
    for owner in (ROMEO, JULIET):
        await stores.accounts.create(owner, [], clock.now())
        await fill(stores, owner)
    before = rows(folder, JULIET)
    assert {name for name, count in before.items() if not count} == {"account_keys"}
    await stores.accounts.delete(ROMEO)
    assert not any(rows(folder, ROMEO).values())
    assert rows(folder, JULIET) == before


async def test_a_new_account_finds_nothing_of_an_old_one(
    stores: Stores, folder: Path, clock: ManualClock
) -> None:
    await fill(stores, ROMEO)  # such as a message that arrived while the account was deleted
    await stores.accounts.create(ROMEO, [], clock.now())
    assert not any(rows(folder, ROMEO).values())
    await fill(stores, ROMEO)
    kept = rows(folder, ROMEO)
    assert not await stores.accounts.create(ROMEO, [], clock.now())
    assert rows(folder, ROMEO) == kept
