"""A large archive is as quick as a small one, whatever is asked for, and is not held up long."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import process_time

import pytest

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Batching, Stores, open_stores
from pyrite.server.store.archive import END, Keep, Query

from .conftest import URL

MANY = 60_000
SOME = 4000
ROMEO = JID.parse("romeo@verona.lit")
PEERS = [JID(f"friend{n}", "capulet.lit", "x") for n in range(100)]
ROUNDS = 40
PAGE = 50


async def fill(stores: Stores, clock: ManualClock, start: int, count: int) -> float:
    """Archive messages, one a second; the CPU time of one, in seconds.

    Message `n` has the words `all`, `third0` to `third2`, `rareR` for each thousandth, and is
    of the friend `n % 100`.
    """
    began, archive = process_time(), stores.archive
    for number in range(start, start + count):
        clock.advance(1)
        body = f"all of it third{number % 3} {number} " + f"rare{number % 1000} " * 2
        stanza = (
            f"<message from='{PEERS[0]}' type='chat' id='{number}'><body>{body}</body></message>"
        )
        peer = PEERS[number % len(PEERS)]
        done = archive.add(
            archive.next_id(), ROMEO, peer, clock.now(), stanza, body=body, name=str(number)
        )
        if number % 200 == 199:
            await asyncio.shield(done)
    await asyncio.shield(done)
    return (process_time() - began) / count


def questions(stores: Stores, clock: ManualClock) -> dict[str, Callable[[int], Query]]:
    """What people ask for, differently each round."""

    def ago(n: int) -> timedelta:
        return timedelta(seconds=n * 1001 % MANY)

    return {
        "all": lambda _: Query(),
        "peer": lambda n: Query(peer=PEERS[n].bare),
        "resource": lambda n: Query(peer=PEERS[n]),
        "nobody": lambda n: Query(peer=JID(f"nobody{n}", "capulet.lit")),
        "since": lambda n: Query(start=clock.now() - ago(n)),
        "until": lambda n: Query(end=clock.now() - ago(n)),
        "a word of all": lambda _: Query(text="all"),
        "a rare word": lambda n: Query(text=f"rare{n}"),
        "words": lambda n: Query(text=f"all third{n % 3} rare{n}"),
        "words that do not meet": lambda n: Query(text=f"third0 third1 rare{n}"),
        "everything": lambda n: Query(
            PEERS[n].bare, clock.now() - ago(n), clock.now() - ago(n) / 2, text="all third1"
        ),
        "groupchat": lambda _: Query(is_groupchat=True),
    }


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_a_large_archive_is_as_quick_as_a_small_one(folder: Path, clock: ManualClock) -> None:
    async with await open_stores(URL, folder, clock, batching=Batching(window=1)) as stores:
        empty = await fill(stores, clock, 0, SOME)
        await fill(stores, clock, SOME, MANY - SOME)
        full = await fill(stores, clock, MANY, SOME)
        assert full < 2 * empty
        slow = {}
        for name, query in questions(stores, clock).items():
            taken = []
            for n in range(ROUNDS):
                before = END if n % 2 else None
                start = process_time()
                await stores.archive.page(ROMEO, query(n), limit=PAGE, before=before)
                taken.append(process_time() - start)
            slow[name] = sorted(taken)[ROUNDS * 19 // 20]
        assert not {name: seconds for name, seconds in slow.items() if seconds > 0.02}


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_who_writes_does_not_wait_for_a_purge(folder: Path, clock: ManualClock) -> None:
    async with await open_stores(URL, folder, clock, batching=Batching(window=1)) as stores:
        await fill(stores, clock, 0, MANY // 4)
        start = process_time()
        await stores.archive.clear(ROMEO)
        assert process_time() - start < 0.1
        purging = asyncio.create_task(stores.archive.purge(Keep()))
        waits = []
        while not purging.done():
            start = process_time()
            await stores.accounts.set_disabled(ROMEO, True)
            waits.append(process_time() - start)
        assert await purging == MANY // 4
        assert len(waits) > 10  # between its steps
        assert sorted(waits)[len(waits) * 19 // 20] < 0.3  # seconds of work for both
