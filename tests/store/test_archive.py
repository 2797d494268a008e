"""Archives: what was added comes back, in order, by every filter, and only to its owner."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Batching, Stores, open_stores
from pyrite.server.store.archive import ALL, END, Archive, Entry, Keep, Mark, Query

from .conftest import URL

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@capulet.lit")
BALCONY = JULIET.at("balcony")
CHAMBER = JULIET.at("Chamber ☂")
NURSE = JID.parse("nurse@capulet.lit/kitchen")
START = datetime(2026, 1, 1, tzinfo=UTC)
ONE_BY_ONE = Batching(window=0)


class Indexed:
    """An archive in which all is in the index before it is asked for anything."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._archive, name)
        if not iscoroutinefunction(method):
            return method

        async def when_indexed(*values: Any, **named: Any) -> Any:
            await self._archive.purge(Keep())
            return await method(*values, **named)

        return when_indexed


@pytest.fixture
async def stores(folder: Path, clock: ManualClock) -> AsyncIterator[Stores]:
    opened = await open_stores(URL, folder, clock, batching=ONE_BY_ONE)
    yield opened
    await opened.close()


@pytest.fixture(params=["indexed", "behind"])
def archive(request: pytest.FixtureRequest, stores: Stores) -> Archive:
    """Each test is done twice: with all in the index, and with all still waiting for it."""
    return Indexed(stores.archive) if request.param == "indexed" else stores.archive


class Talk:
    """Adds messages a second apart, and remembers them."""

    def __init__(self, archive: Archive, clock: ManualClock) -> None:
        self.archive, self.clock = archive, clock
        self.entries: list[Entry] = []
        self.last: asyncio.Future[None] | None = None

    def __call__(
        self,
        body: str = "",
        peer: JID = BALCONY,
        *,
        owner: JID = ROMEO,
        name: str | None = None,
        is_sent: bool = False,
        is_groupchat: bool = False,
    ) -> Entry:
        self.clock.advance(1)
        number = len(self.entries)
        id, stanza = self.archive.next_id(), f"<message n='{number}'>{body}</message>"
        self.last = self.archive.add(
            id, owner, peer, self.clock.now(), stanza,
            body=body or None, name=name, is_sent=is_sent, is_groupchat=is_groupchat,
        )  # fmt: skip
        self.entries.append(Entry(id, self.clock.now(), stanza))
        return self.entries[-1]


@pytest.fixture
def talk(archive: Archive, clock: ManualClock) -> Talk:
    return Talk(archive, clock)


async def found(archive: Archive, query: Query = ALL, owner: JID = ROMEO) -> list[Entry]:
    """All that `query` gives, the same from both ends and in pages of any size."""
    page = await archive.page(owner, query, limit=1000)
    assert page.is_last
    assert await archive.page(owner, query, limit=1000, before=END) == page
    assert await archive.count(owner, query) == len(page.entries)
    assert (await archive.page(owner, query, limit=0)).is_last == (not page.entries)
    return page.entries


async def test_messages_come_back_as_they_were_in_order(archive: Archive, talk: Talk) -> None:
    assert await found(archive) == []
    first, second = talk("Ay me!"), talk("O speak again ☂ <&>", NURSE)
    hers = talk("hers", ROMEO, owner=JULIET)
    assert await found(archive) == [first, second]
    assert await found(archive, owner=JULIET) == [hers]
    assert first.id < second.id < hers.id < END


async def test_pages_go_on_where_the_last_ended(archive: Archive, talk: Talk) -> None:
    entries = [talk() for _ in range(5)]
    ids = [entry.id for entry in entries]
    assert await archive.page(ROMEO, limit=2) == (entries[:2], False)
    assert await archive.page(ROMEO, limit=2, after=ids[1]) == (entries[2:4], False)
    assert await archive.page(ROMEO, limit=2, after=ids[3]) == (entries[4:], True)
    assert await archive.page(ROMEO, limit=2, before=END) == (entries[3:], False)
    assert await archive.page(ROMEO, limit=2, before=ids[3]) == (entries[1:3], False)
    assert await archive.page(ROMEO, limit=2, before=ids[2]) == (entries[:2], True)
    assert await archive.page(ROMEO, limit=2, before=ids[0]) == ([], True)
    assert await archive.page(ROMEO, limit=0, after=ids[3]) == ([], False)
    assert await archive.page(ROMEO, limit=9, after=ids[0] + 1) == (entries[1:], True)


async def test_a_peer_is_matched_bare_or_full(archive: Archive, talk: Talk) -> None:
    balcony, chamber, bare = talk("1", BALCONY), talk("2", CHAMBER), talk("3", JULIET)
    nurse, longer = talk("4", NURSE), talk("5", JID.parse("juliet@capulet.lit.example/balcony"))
    assert await found(archive, Query(peer=JULIET)) == [balcony, chamber, bare]
    assert await found(archive, Query(peer=BALCONY)) == [balcony]
    assert await found(archive, Query(peer=CHAMBER)) == [chamber]
    assert await found(archive, Query(peer=NURSE.bare)) == [nurse]
    assert await found(archive, Query(peer=longer_peer())) == [longer]
    assert await found(archive, Query(peer=JULIET.at("else"))) == []
    own = talk("to myself", ROMEO)
    assert await found(archive, Query(peer=ROMEO)) == [own]


def longer_peer() -> JID:
    return JID.parse("juliet@capulet.lit.example")


async def test_another_peer_of_the_same_checksum_is_not_taken(archive: Archive, talk: Talk) -> None:
    """Anybody can find two addresses with one CRC; these are "plumless" and "buckeroo"."""
    plumless, buckeroo = JID.parse("plumless"), JID.parse("buckeroo")
    one, other = talk("1", plumless), talk("2", buckeroo)
    assert await found(archive, Query(peer=plumless)) == [one]
    assert await found(archive, Query(peer=buckeroo)) == [other]


async def test_dates_are_inclusive(archive: Archive, talk: Talk) -> None:
    entries = [talk() for _ in range(5)]
    second, fourth = entries[1].stamp, entries[3].stamp
    assert await found(archive, Query(start=second)) == entries[1:]
    assert await found(archive, Query(end=fourth)) == entries[:4]
    assert await found(archive, Query(start=second, end=fourth)) == entries[1:4]
    later = timedelta(microseconds=1)
    assert await found(archive, Query(start=second + later)) == entries[2:]
    assert await found(archive, Query(end=fourth - later)) == entries[:3]
    assert await found(archive, Query(start=fourth, end=second)) == []
    first_year, last_year = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    assert await found(archive, Query(start=first_year, end=last_year)) == entries
    assert await found(archive, Query(end=first_year)) == []
    assert await found(archive, Query(start=last_year)) == []


async def test_ids_choose_and_bound(archive: Archive, talk: Talk) -> None:
    entries = [talk() for _ in range(5)]
    hers = talk(owner=JULIET)
    ids = [entry.id for entry in entries]
    assert await found(archive, Query(after=ids[0], before=ids[4])) == entries[1:4]
    assert await found(archive, Query(ids=[ids[3], ids[1], hers.id, 7])) == [entries[1], entries[3]]
    assert await found(archive, Query(ids=[])) == []
    assert await found(archive, Query(ids=ids, after=ids[2])) == entries[3:]
    assert await archive.has(ROMEO, ids)
    assert await archive.has(ROMEO, [ids[0], ids[0]])
    assert not await archive.has(ROMEO, [*ids, hers.id])
    assert await archive.get(ROMEO, ids[2]) == entries[2]
    assert await archive.get(ROMEO, hers.id) is None


@pytest.mark.parametrize("id", [-1, 0, 1 << 63, 1 << 80, -(1 << 80)])
async def test_any_number_may_be_asked_for(archive: Archive, talk: Talk, id: int) -> None:
    entry = talk()
    assert not await archive.has(ROMEO, [id])
    assert await archive.get(ROMEO, id) is None
    assert not await archive.replace(ROMEO, id, "x")
    assert (await archive.page(ROMEO, Query(ids=[id]), limit=9)).entries == []
    expected = [entry] if id < entry.id else []
    assert (await archive.page(ROMEO, limit=9, after=id)).entries == expected
    assert (await archive.page(ROMEO, Query(after=id), limit=9)).entries == expected
    expected = [entry] if id > entry.id else []
    assert (await archive.page(ROMEO, limit=9, before=id)).entries == expected
    assert (await archive.page(ROMEO, Query(before=id), limit=9)).entries == expected


async def test_groupchat_is_in_or_out(archive: Archive, talk: Talk) -> None:
    room = JID.parse("square@rooms.verona.lit/tybalt")
    said, chat = talk("a", room, is_groupchat=True), talk("b")
    assert await found(archive) == [said, chat]
    assert await found(archive, Query(is_groupchat=True)) == [said]
    assert await found(archive, Query(is_groupchat=False)) == [chat]


async def test_all_conditions_hold_at_once(archive: Archive, talk: Talk) -> None:
    entries = [talk(f"word{n % 2}", (BALCONY, NURSE)[n // 2 % 2]) for n in range(12)]
    query = Query(peer=NURSE, text="WORD1", start=entries[4].stamp, before=entries[11].id)
    assert await found(archive, query) == [entries[7]]


async def test_a_count_has_an_end(archive: Archive, talk: Talk) -> None:
    for _ in range(4):
        talk("x")
    assert await archive.count(ROMEO, Query(text="x"), most=3) is None
    assert await archive.count(ROMEO, Query(text="x"), most=4) == 4
    assert await archive.count(ROMEO, most=3) == 4
    assert await archive.count(JULIET) == 0


async def test_ends(archive: Archive, talk: Talk) -> None:
    assert await archive.ends(ROMEO) is None
    only = talk()
    assert await archive.ends(ROMEO) == (Mark(*only[:2]), Mark(*only[:2]))
    talk()
    last = talk()
    assert await archive.ends(ROMEO) == (Mark(*only[:2]), Mark(*last[:2]))


async def test_ends_are_those_of_the_moment_of_the_question(stores: Stores, talk: Talk) -> None:
    """XEP-0386 §3.2, "at the precise time": what comes while they are read is not among them."""
    last = talk()
    asked = asyncio.create_task(stores.archive.ends(ROMEO))
    await asyncio.sleep(0)
    talk()
    assert await asked == (Mark(*last[:2]), Mark(*last[:2]))


async def test_an_export_has_everything(archive: Archive, talk: Talk) -> None:
    entries = [talk() for _ in range(450)]
    assert [entry async for entry in archive.entries(ROMEO)] == entries
    assert [entry async for entry in archive.entries(JULIET)] == []


async def test_a_retraction_finds_what_its_sender_wrote(archive: Archive, talk: Talk) -> None:
    old, hers = talk("1", BALCONY, name="m1"), talk("2", CHAMBER, name="m1")
    his = talk("3", JULIET, name="m1", is_sent=True)
    nurses = talk("4", NURSE, name="m1")
    assert await archive.find(ROMEO, JULIET, "m1", is_sent=False) == hers
    assert await archive.find(ROMEO, BALCONY, "m1", is_sent=False) == old
    assert await archive.find(ROMEO, JULIET, "m1", is_sent=True) == his
    assert await archive.find(ROMEO, NURSE.bare, "m1", is_sent=False) == nurses
    assert await archive.find(ROMEO, JULIET, "m2", is_sent=False) is None
    assert await archive.find(JULIET, ROMEO, "m1", is_sent=False) is None


async def test_a_tombstone_takes_the_place(archive: Archive, talk: Talk) -> None:
    entry, other = talk("a secret", name="m1"), talk("no secret")
    assert await archive.replace(ROMEO, entry.id, "<retracted/>")
    tombstone = entry._replace(stanza="<retracted/>")
    assert await found(archive) == [tombstone, other]
    assert await found(archive, Query(text="secret")) == [other]
    assert await found(archive, Query(peer=JULIET)) == [tombstone, other]
    assert await archive.find(ROMEO, JULIET, "m1", is_sent=False) is None
    assert await archive.replace(ROMEO, entry.id, "<again/>")
    assert not await archive.replace(JULIET, entry.id, "<hers/>")
    assert not await archive.replace(ROMEO, entry.id + 1, "<none/>")
    assert (await archive.get(ROMEO, entry.id)) == entry._replace(stanza="<again/>")


async def test_what_is_cleared_is_gone_at_once(
    archive: Archive, stores: Stores, folder: Path, talk: Talk
) -> None:
    for n in range(700):
        talk(f"old {n}")
    hers = talk("hers", owner=JULIET)
    assert await archive.count(ROMEO) == 700  # and if it indexes at all, then now
    archive = stores.archive
    await archive.clear(ROMEO)
    assert await found(archive) == []
    new = talk("new")
    assert await found(archive) == [new]
    assert not await archive.has(ROMEO, [talk.entries[0].id])
    assert await archive.purge(Keep()) == 700
    assert await archive.purge(Keep()) == 0
    assert await found(archive) == [new]
    assert await found(archive, owner=JULIET) == [hers]
    assert counts(folder) == (2, {ROMEO.text: 1, JULIET.text: 1})


async def test_a_deleted_account_has_no_archive(
    archive: Archive, stores: Stores, clock: ManualClock, talk: Talk
) -> None:
    await stores.accounts.create(ROMEO, [], clock.now())
    talk("x")
    assert len(await found(archive)) == 1
    await stores.accounts.delete(ROMEO)
    await stores.accounts.create(ROMEO, [], clock.now())
    assert await found(archive) == []


async def test_the_old_are_purged(archive: Archive, folder: Path, talk: Talk) -> None:
    entries = [talk(f"x{n}") for n in range(600)]
    hers = talk("hers", owner=JULIET)
    assert await archive.purge(Keep(since=entries[550].stamp)) == 550
    assert await found(archive) == entries[550:]
    assert await archive.purge(Keep(since=entries[550].stamp)) == 0
    assert await found(archive, Query(text="x549")) == []
    assert await found(archive, Query(text="x550")) == [entries[550]]
    assert await archive.count(ROMEO) == 50
    assert await found(archive, owner=JULIET) == [hers]
    assert counts(folder) == (51, {ROMEO.text: 50, JULIET.text: 1})


@pytest.mark.parametrize(
    "keep", [Keep(count=50), Keep(octets=50 * len("<message n='550'>xx</message>"))]
)
async def test_archives_have_a_size(archive: Archive, folder: Path, talk: Talk, keep: Keep) -> None:
    hers = talk("hers", owner=JULIET)
    entries = [talk("xx") for _ in range(600)]
    assert await archive.purge(keep) == 550
    assert await found(archive) == entries[550:]
    assert await archive.purge(keep) == 0
    assert await found(archive, owner=JULIET) == [hers]
    assert counts(folder) == (51, {ROMEO.text: 50, JULIET.text: 1})
    more = talk("xx")
    assert await archive.purge(keep) == 1
    assert await found(archive) == [*entries[551:], more]


@pytest.mark.parametrize("limit", ["since", "count", "octets"])
async def test_one_domain_is_purged(archive: Archive, talk: Talk, limit: str) -> None:
    his = [talk("xx") for _ in range(20)]
    hers, theirs = ([talk("xx", owner=owner) for _ in range(20)] for owner in (JULIET, NURSE))
    his += [talk("xx") for _ in range(10)]
    size = sum(len(entry.stanza) for entry in his[10:])
    keep = {
        "since": Keep(since=his[10].stamp),
        "count": Keep(count=20),
        "octets": Keep(octets=size),
    }
    assert await archive.purge(keep[limit], ROMEO.domain) == 10
    assert await found(archive) == his[10:]
    assert await found(archive, owner=JULIET) == hers
    assert await found(archive, owner=NURSE) == theirs
    assert await archive.purge(Keep(since=theirs[5].stamp), JULIET.domain) == 25
    assert await found(archive) == his[10:]
    assert await found(archive, owner=JULIET) == []
    assert await found(archive, owner=NURSE) == theirs[5:]
    assert await archive.purge(Keep(count=0), "nobody.lit") == 0


async def test_ids_rise_whatever_the_clock_does(folder: Path, clock: ManualClock) -> None:
    ids, queried = [], []
    early = datetime(2025, 12, 31, 23, tzinfo=UTC)
    for start in (START, early, early, START + timedelta(hours=3)):
        here = ManualClock(start)
        async with await open_stores(URL, folder, here, batching=ONE_BY_ONE) as stores:
            ids += [stores.archive.next_id() for _ in range(3)]
            talk = Talk(stores.archive, here)
            queried += [talk(f"at {start}") for _ in range(2)]
            ids += [entry.id for entry in queried[-2:]]
            assert await found(stores.archive) == queried
            past = [entry for entry in queried if entry.stamp < START]
            assert await found(stores.archive, Query(end=START)) == past
            rest = [entry for entry in queried if entry.stamp >= START]
            assert await found(stores.archive, Query(start=START)) == rest
    assert ids == sorted(set(ids))


async def test_ids_of_a_moment_cannot_be_guessed(archive: Archive) -> None:
    ids = [archive.next_id() for _ in range(1000)]
    assert len({later - earlier for earlier, later in pairwise(ids)}) > 50


def counts(folder: Path) -> tuple[int, dict[str, int]]:
    """How many entries there are, and how many each archive is said to have."""
    database = sqlite3.connect(folder / "pyrite.db")
    (count,) = database.execute("SELECT count(*) FROM archive_entries").fetchone()
    totals = dict(database.execute("SELECT owner, count FROM archive_owners"))
    indexed = database.execute(
        "SELECT number, count(*), sum(length(CAST(stanza AS BLOB))) FROM archive_entries "
        "WHERE id <= (SELECT mark FROM archive_state) GROUP BY number ORDER BY number"
    ).fetchall()
    kept = database.execute(
        "SELECT number, count, bytes FROM archive_owners WHERE count ORDER BY number"
    ).fetchall()
    assert kept == indexed
    database.execute("INSERT INTO archive_terms (archive_terms) VALUES ('integrity-check')")
    database.close()
    return count, totals
