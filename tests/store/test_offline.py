"""Messages that wait: in order, within bounds, and gone when they are taken."""

from datetime import UTC, datetime, timedelta

from pyrite.core.jid import JID
from pyrite.server.store import Stores
from pyrite.server.store.offline import Header, Waiting

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")
SENDER = JID.parse("nurse@verona.lit/Chamber ☂")
STAMP = datetime(2026, 3, 1, tzinfo=UTC)


async def add(
    stores: Stores, stanza: str, minute: int = 0, *, owner: JID = ROMEO, count: int = 100,
    octets: int = 10_000,
) -> bool:  # fmt: skip
    stamp = STAMP + timedelta(minutes=minute)
    return await stores.offline.add(
        owner, SENDER, stanza, stamp, limit_count=count, limit_bytes=octets
    )


async def test_messages_come_back_as_they_were_in_order(stores: Stores) -> None:
    stanzas = ["<message>1</message>", "<message>ä</message>", "<message/>"]
    for minute, stanza in enumerate(stanzas):
        assert await add(stores, stanza, -minute)
    found = await stores.offline.load(ROMEO)
    assert [waiting.stanza for waiting in found] == stanzas
    assert [waiting.stamp for waiting in found] == [
        STAMP - timedelta(minutes=minute) for minute in range(3)
    ]
    ids = [waiting.id for waiting in found]
    assert await stores.offline.headers(ROMEO) == [
        Header(id, SENDER, waiting.stamp) for id, waiting in zip(ids, found, strict=True)
    ]
    assert await stores.offline.count(ROMEO) == 3
    assert await stores.offline.load(ROMEO, after=ids[0], limit=1) == found[1:2]


async def test_some_are_taken_and_the_rest_stays(stores: Stores) -> None:
    for text in ("1", "2", "3"):
        await add(stores, text)
    await add(stores, "hers", owner=JULIET)
    ids = [header.id for header in await stores.offline.headers(ROMEO)]
    (hers,) = await stores.offline.headers(JULIET)
    chosen = [ids[2], ids[0], hers.id, 12345]
    assert [w.stanza for w in await stores.offline.load(ROMEO, chosen)] == ["1", "3"]
    assert await stores.offline.remove(ROMEO, chosen) == 2
    assert await stores.offline.load(ROMEO) == [Waiting(ids[1], STAMP, "2")]
    assert await stores.offline.remove(ROMEO, []) == 0
    assert await stores.offline.remove(ROMEO) == 1
    assert await stores.offline.count(ROMEO) == 0
    assert await stores.offline.count(JULIET) == 1


async def test_ids_are_not_given_out_twice(stores: Stores) -> None:
    await add(stores, "1")
    (first,) = await stores.offline.headers(ROMEO)
    await stores.offline.remove(ROMEO)
    await add(stores, "2")
    (second,) = await stores.offline.headers(ROMEO)
    assert second.id > first.id


async def test_the_number_is_limited(stores: Stores) -> None:
    assert not await add(stores, "x", count=0)
    assert await add(stores, "x", count=2)
    assert await add(stores, "x", count=2)
    assert not await add(stores, "x", count=2)
    assert await add(stores, "x", count=2, owner=JULIET)
    (first, _) = await stores.offline.headers(ROMEO)
    await stores.offline.remove(ROMEO, [first.id])
    assert await add(stores, "x", count=2)


async def test_the_octets_are_limited(stores: Stores) -> None:
    assert not await add(stores, "ää", octets=3)
    assert await add(stores, "ää", octets=4)
    assert not await add(stores, "x", octets=4)
    assert await add(stores, "x", octets=5)
    await stores.offline.remove(ROMEO)
    assert await add(stores, "1234", octets=4)


async def test_the_old_are_purged(stores: Stores) -> None:
    for minute in range(5):
        await add(stores, str(minute), minute)
        await add(stores, str(minute), minute, owner=JULIET)
    before = STAMP + timedelta(minutes=3)
    assert await stores.offline.purge(before, limit=4) == 4
    assert await stores.offline.purge(before, limit=4) == 2
    assert await stores.offline.purge(before, limit=4) == 0
    assert [w.stanza for w in await stores.offline.load(ROMEO)] == ["3", "4"]
    assert await stores.offline.count(JULIET) == 2
