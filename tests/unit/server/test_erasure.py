"""Of who has gone, no octet is left in the files of the store."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.service import ROMEO, VERONA, settings, template

from pyrite.core.jid import JID
from pyrite.server.app import Server
from pyrite.server.store.activity import LastActivity
from pyrite.server.store.privacy import PrivacyList
from pyrite.server.store.roster import Item
from pyrite.server.store.vcards import VCard
from pyrite.store.shapes import Quota

STAMP = datetime(2026, 5, 1, tzinfo=UTC)
PLENTY = Quota(1 << 20, 1 << 30)
PEOPLE = [JID(f"person{n}", VERONA) for n in range(30)]
GONE = PEOPLE[::3]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    folder = tmp_path / "server"
    shutil.copytree(await template(), folder)
    server = Server(settings(folder))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server.opened())
        yield server


def secret(person: JID, of: str) -> str:
    """What only this person has said, and what a search of the disk would find."""
    return f"<a>secret of {person.local}, {of}</a>"


def word(person: JID) -> str:
    """What stands in the index of the archive."""
    return f"besought{person.local}too"


def traces(server: Server, person: JID) -> int:
    """How often the files of the store have something that the person has said."""
    data = server.settings.data
    files = [path for path in data.iterdir() if path.name.startswith("pyrite.db")]
    assert data / "pyrite.db" in files
    octets = b"".join(path.read_bytes() for path in files)
    wanted = f"secret of {person.local},", word(person)
    return sum(octets.count(one.encode()) for one in wanted)


async def live(server: Server, person: JID, rounds: int) -> None:
    """Write, change and take away all that there can be."""
    stores, chance = server.stores, random.Random(person.local)
    for number in range(rounds):
        text = secret(person, f"{number}" + "x" * chance.randrange(900))
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda text=text: stores.offline.add(
                person, person, text, STAMP, limit_count=1 << 20, limit_bytes=1 << 30
            ),
            lambda text=text: stores.private.put(
                person, f"urn:{chance.randrange(9)}", "a", text, PLENTY
            ),
            lambda text=text: stores.vcards.put(person, VCard(text, None)),
            lambda text=text: stores.privacy.put(person, PrivacyList("l", text), limit=9),
            lambda text=text: stores.activity.put(person, LastActivity(STAMP, text)),
            lambda text=text: stores.values("m").put(
                person, str(chance.randrange(9)), text, PLENTY
            ),
            lambda text=text: stores.log("m").append(person, text, STAMP),
            lambda text=text: stores.roster.put(person, Item(ROMEO, text)),
            lambda text=text: stores.archive.add(
                stores.archive.next_id(), person, ROMEO, STAMP, text, body=word(person)
            ),
        ]
        await chance.choice(steps)()
        await stores.archive.count(person)  # what it collects is on the disk
        if number % 10 == 9:
            await stores.offline.remove(person)


async def test_what_was_deleted_is_overwritten(server: Server) -> None:
    person = PEOPLE[0]
    await server.accounts.create(person, "wherefore")
    await live(server, person, 48)
    assert traces(server, person)
    deleted = await server.commands.run("account-delete", {"jid": str(person)})
    assert deleted.removed["keys"] == 3
    assert deleted.overwritten
    assert deleted.removed["offline messages"]
    assert deleted.removed["archived messages"]
    assert traces(server, person) == 0


async def test_a_store_that_is_written_anew_has_no_trace(server: Server) -> None:
    """Among many, the database copies what stands on a full page; the copies are not deleted."""
    for person in PEOPLE:
        await server.stores.accounts.create(person, [], STAMP)
    await asyncio.gather(*(live(server, person, 60) for person in PEOPLE))
    for person in GONE:
        await server.commands.run("account-delete", {"jid": str(person)})
    stay = [person for person in PEOPLE if person not in GONE]
    sizes = await server.commands.run("store-compact")
    assert sizes.after < sizes.before
    assert [traces(server, person) for person in GONE] == [0] * len(GONE)
    assert all(traces(server, person) for person in stay)
