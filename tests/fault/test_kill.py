"""The server is killed again and again under clients that talk: nothing acknowledged is lost.

``make fault`` does it a hundred times. What clients do, and when the server is killed, comes from
a seed, which is printed, so that it can be given once more: ``FAULT_SEED=1 make fault``. Not all
is the same then, for the machine has its own part in it.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from ..peer import PATIENCE
from ..process import running
from .test_stop import complaints
from .world import PLAIN, SETTINGS, World

KILLS = int(os.environ.get("FAULT_KILLS", "10"))
SEED = int(os.environ.get("FAULT_SEED") or random.randrange(1 << 32))
PEOPLE, RESTLESS = 50, 10
LIFE = 100, 1500  # messages that are acknowledged before it is killed: least and most

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    world = World(SEED, PEOPLE, RESTLESS)
    async with asyncio.timeout((1 + KILLS) * PATIENCE), asyncio.TaskGroup() as tasks:
        talking = [tasks.create_task(client.live()) for client in world.clients]
        for life in range(KILLS + 1):
            async with running(tmp_path, SETTINGS.format(modules="")) as server:
                if not life:
                    await world.populate(server)
                world.begin(server)
                if life < KILLS:
                    await world.later(world.chance.randint(*LIFE))
                    await world.kill(server)
                else:
                    await world.settle(talking)
                    await world.read_all()
            assert complaints(server) == []
    judge(world)
    assert world.counts["resumed"] > KILLS  # or nothing is shown of resumption


async def test_cut_connections_cost_nothing_where_there_is_no_archive(tmp_path: Path) -> None:
    """As long as the server lives, all is with a client, or waits for it."""
    world = World(SEED, PEOPLE, RESTLESS)
    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as tasks:
        async with running(tmp_path, SETTINGS.format(modules=PLAIN)) as server:
            await world.populate(server)
            world.begin(server)
            talking = [tasks.create_task(client.live()) for client in world.clients]
            await world.later(4 * LIFE[1])
            await world.settle(talking)
            await world.read_all(has_archive=False)
        assert complaints(server) == []
    judge(world)
    assert world.counts["resumed"] > 30


def judge(world: World) -> None:
    print(f"\nseed {SEED}: {len(world.history.sent)} messages, {dict(world.counts)}")
    faults = world.history.faults()
    assert not faults, world.history.tell(faults)
