"""Accounts: who has one, by what they are known, and that nothing of them stays."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyrite.core.jid import JID
from pyrite.core.sasl.keys import Keys
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Stores
from pyrite.server.store.accounts import Account
from pyrite.server.store.recent import Recent
from pyrite.server.store.sqlite.accounts import OWNED

CREATED = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")
SHA1 = Keys("SCRAM-SHA-1", b"salt", 4096, b"\0stored", b"\xffserver")
SHA256 = Keys("SCRAM-SHA-256", b"pepper", 10_000, b"stored", b"server")


async def test_what_is_created_is_found(stores: Stores) -> None:
    assert await stores.accounts.create(ROMEO.at("orchard"), [SHA1, SHA256], CREATED)
    assert await stores.accounts.find(ROMEO) == Account(ROMEO, CREATED, False, (SHA1, SHA256))
    assert await stores.accounts.exists(ROMEO)
    assert not await stores.accounts.exists(JULIET)
    assert await stores.accounts.find(JULIET) is None


async def test_a_second_account_of_the_name_changes_nothing(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [SHA1], CREATED)
    assert not await stores.accounts.create(ROMEO, [SHA256], CREATED + timedelta(days=1))
    assert await stores.accounts.find(ROMEO) == Account(ROMEO, CREATED, False, (SHA1,))


async def test_an_account_may_have_no_keys(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [], CREATED)
    assert await stores.accounts.find(ROMEO) == Account(ROMEO, CREATED, False, ())


async def test_new_keys_replace_all_old_ones(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [SHA1, SHA256], CREATED)
    assert await stores.accounts.set_keys(ROMEO, [SHA256])
    assert await stores.accounts.find(ROMEO) == Account(ROMEO, CREATED, False, (SHA256,))
    assert not await stores.accounts.set_keys(JULIET, [SHA1])


async def test_disabling_shuts_out_and_lets_in(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [], CREATED)
    for disabled in (True, False):
        assert await stores.accounts.set_disabled(ROMEO, disabled)
        assert await stores.accounts.find(ROMEO) == Account(ROMEO, CREATED, disabled, ())
    assert not await stores.accounts.set_disabled(JULIET, True)


async def test_domains_do_not_see_each_other(stores: Stores) -> None:
    names = ["b@one.example", "a@one.example", "a@two.example", "ä@one.example"]
    for name in names:
        assert await stores.accounts.create(JID.parse(name), [], CREATED)

    async def listed(domain: str, after: str | None = None, limit: int = 10) -> list[str]:
        return [str(jid) for jid in await stores.accounts.list(domain, after=after, limit=limit)]

    assert await listed("one.example") == ["a@one.example", "b@one.example", "ä@one.example"]
    assert await listed("one.example", limit=1) == ["a@one.example"]
    assert await listed("one.example", after="a@one.example") == ["b@one.example", "ä@one.example"]
    assert await listed("two.example") == ["a@two.example"]
    assert await stores.accounts.count("one.example") == 3
    assert await stores.accounts.delete(JID.parse("b@one.example"))
    assert await stores.accounts.count("one.example") == 2
    assert await stores.accounts.count("three.example") == 0


async def test_deletion_leaves_a_tombstone(stores: Stores, clock: ManualClock) -> None:
    assert not await stores.accounts.delete(ROMEO)
    assert await stores.accounts.deleted_at(ROMEO) is None
    await stores.accounts.create(ROMEO, [SHA1], CREATED)
    clock.advance(60)
    assert await stores.accounts.delete(ROMEO)
    assert not await stores.accounts.exists(ROMEO)
    assert await stores.accounts.deleted_at(ROMEO) == clock.now()
    assert await stores.accounts.create(ROMEO, [], CREATED)
    assert await stores.accounts.deleted_at(ROMEO) is None


def owned_tables(path: Path) -> set[str]:
    database = sqlite3.connect(path)
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master")]
    columns = {name: database.execute(f"PRAGMA table_info({name})").fetchall() for name in tables}
    database.close()
    return {name for name in tables if any(column[1] == "owner" for column in columns[name])}


def test_deletion_knows_every_table_that_has_an_owner(template: Path) -> None:
    assert set(OWNED) == owned_tables(template)
    assert OWNED[-1] == "totals"


# --- what was found a moment ago -------------------------------------------------------


async def test_what_was_found_is_known_without_a_look(stores: Stores, folder: Path) -> None:
    await stores.accounts.create(ROMEO, [SHA1], CREATED)
    found = await stores.accounts.find(ROMEO)
    with sqlite3.connect(folder / "pyrite.db") as database:  # nobody else writes, in truth
        database.execute("DELETE FROM accounts")
    database.close()
    assert await stores.accounts.find_again(ROMEO) == found
    assert await stores.accounts.find(ROMEO) is None


async def test_every_change_is_seen_at_once(stores: Stores) -> None:
    accounts = stores.accounts
    account = Account(ROMEO, CREATED, False, (SHA1,))
    assert await accounts.find_again(ROMEO) is None
    await accounts.create(ROMEO, [SHA1], CREATED)
    assert await accounts.find_again(ROMEO) == account
    await accounts.set_disabled(ROMEO, True)
    assert await accounts.find_again(ROMEO) == replace(account, disabled=True)
    await accounts.set_disabled(ROMEO, False)
    assert await accounts.find_again(ROMEO) == account
    await accounts.complete_keys(ROMEO, SHA256)
    assert await accounts.find_again(ROMEO) == replace(account, keys=(SHA1, SHA256))
    await accounts.set_keys(ROMEO, [SHA256])
    assert await accounts.find_again(ROMEO) == replace(account, keys=(SHA256,))
    await stores.portable.create(replace(account, keys=()), lambda: (), replace=True)
    assert await accounts.find_again(ROMEO) == replace(account, keys=())
    await accounts.delete(ROMEO)
    assert await accounts.find_again(ROMEO) is None


async def test_what_is_read_while_it_changes_is_not_remembered() -> None:
    recent = Recent[str]()
    read, written = asyncio.Event(), asyncio.Event()

    async def load() -> str:
        await read.wait()
        return "old"

    async def write() -> None:
        await written.wait()

    early = asyncio.ensure_future(recent.read("romeo", load))
    await asyncio.sleep(0)
    writing = asyncio.ensure_future(recent.change("romeo", write()))
    await asyncio.sleep(0)
    late = asyncio.ensure_future(recent.read("romeo", load))
    await asyncio.sleep(0)
    writing.cancel()  # who waits for it; the change is under way all the same
    read.set()
    assert await early == await late == "old"
    assert recent.find("romeo") is None
    assert await recent.read("romeo", load) == "old"
    assert recent.find("romeo") is None
    written.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await recent.read("romeo", load) == "old"
    assert recent.find("romeo") == "old"
