"""Too many stanzas wait, and none is lost."""

import asyncio
from pathlib import Path

from tests.peer import PATIENCE
from tests.scene import in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.wire.message import Body

ROMEO = JID.parse("romeo@verona.lit/garden")
JULIET = JID.parse("juliet@verona.lit/balcony")

STORY = Script(
    modules=("rate",),
    hosts=("verona.lit",),
    settings={"rate": {"stanzas": "10.0", "burst": "20"}},
    extras=[ROMEO.bare, JULIET.bare],
)


async def test_a_flood_is_slowed_down_and_kept_in_order(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await scene.join(JULIET)
        romeo, juliet = scene.sessions[ROMEO], scene.sessions[JULIET]

        async def flood() -> None:
            for number in range(40):
                message = Message("chat", JULIET, ROMEO).add(Body(str(number)))
                await scene.server.router.receive(message, romeo)

        async with asyncio.TaskGroup() as tasks:
            flooding = tasks.create_task(flood())
            await asyncio.sleep(0)
            assert len(juliet.queue) == 20
            async with asyncio.timeout(PATIENCE):
                for seconds in range(1, 3):
                    for _ in range(10):
                        scene.clock.advance(0.1)
                        await asyncio.sleep(0)
                        await asyncio.sleep(0)
                    assert len(juliet.queue) == 20 + 10 * seconds
                await flooding
        assert [message.body for message in juliet.take()] == [str(n) for n in range(40)]


async def test_others_do_not_wait(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await scene.join(JULIET)
        romeo, juliet = scene.sessions[ROMEO], scene.sessions[JULIET]

        async def flood() -> None:
            for _ in range(30):
                await scene.server.router.receive(Message("chat", JULIET, ROMEO), romeo)

        flooding = asyncio.ensure_future(flood())
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await scene.server.router.receive(Message("chat", ROMEO, JULIET), juliet)
        assert len(romeo.queue) == 1
        flooding.cancel()
        await asyncio.wait([flooding])
