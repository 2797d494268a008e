"""Rosters in memory: what is read is what is stored, whatever changes on the way."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.scene import in_memory
from tests.stage import Contact, Script

from pyrite.core.jid import JID
from pyrite.server.store.roster import Edit, Item
from pyrite.store.errors import StoreError

JULIET, ROMEO = JID.parse("juliet@verona.lit"), JID.parse("romeo@verona.lit")
STORY = Script(modules=(), hosts=("verona.lit",), contacts=[Contact(JULIET, ROMEO, "both")])
OTHERS = [JID.parse(f"p{number}@verona.lit") for number in range(50)]


async def test_a_roster_that_changes_while_it_is_read(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        rosters = scene.server.rosters
        for other in OTHERS:
            rosters.forget(JULIET)
            edit = Edit(JULIET, other, lambda _, jid=other: Item(jid))
            await asyncio.gather(rosters.of(JULIET), rosters.edit(edit), rosters.of(JULIET))
            stored = await scene.server.stores.roster.load(JULIET)
            kept = await rosters.of(JULIET)
            assert set(kept.items) == {item.jid for item in stored.items}
            assert kept.version == stored.version


async def test_a_roster_of_who_is_deleted_while_it_is_read(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        server = scene.server
        for _ in range(20):
            await server.rosters.edit(Edit(JULIET, ROMEO, lambda _: Item(ROMEO)))
            server.rosters.forget(JULIET)
            await asyncio.gather(server.rosters.of(JULIET), server.accounts.delete(JULIET))
            assert not (await server.rosters.of(JULIET)).items
            await server.stores.accounts.create(JULIET, (), server.clock.now())


async def test_nothing_is_left_of_a_read_that_failed(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:

        def rename(database: sqlite3.Connection) -> None:
            database.execute("ALTER TABLE roster_items RENAME TO broken")

        await scene.server.stores.engine.write(rename)
        for other in OTHERS:
            with pytest.raises(StoreError):
                await scene.server.rosters.of(other)
        assert not scene.server.rosters._loading
