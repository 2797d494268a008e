"""Offline messages where time and order decide."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.stanza import Message, Presence
from pyrite.kit.config import DAY, HOUR
from pyrite.wire.chatstates import Composing
from pyrite.wire.delay import Delay
from pyrite.wire.message import Body

ROMEO = JID.parse("romeo@verona.lit/garden")
JULIET = JID.parse("juliet@verona.lit")
BALCONY = JULIET.at("balcony")


def story(**settings: str) -> Script:
    return Script(
        modules=("offline",),
        hosts=("verona.lit",),
        settings={"offline": settings},
        extras=[JULIET, ROMEO.bare],
    )


def message(text: str) -> Message:
    return Message("chat", JULIET, ROMEO).add(Body(text))


async def bodies(scene: Memory) -> list[str | None]:
    """What Juliet has received by now, in order."""
    received: list[str | None] = []
    while (element := await scene.receive(BALCONY)) is not None:
        if element.name.tag == "message":
            received.append(next(element.elements).text)
    return received


async def test_what_nobody_came_for_is_deleted(tmp_path: Path) -> None:
    async with in_memory(story(keep='"7d"'), tmp_path, 0) as scene:
        store = scene.server.stores.offline
        now = scene.clock.now()
        for age in (1, 6, 8, 100):
            stamp = now - timedelta(days=age)
            await store.add(JULIET, ROMEO, "<message/>", stamp, limit_count=9, limit_bytes=999)
        async with asyncio.timeout(PATIENCE):
            await asyncio.sleep(0)  # let the purge begin to wait
            scene.clock.advance(HOUR)
            while await store.count(JULIET) > 2:
                continue
            scene.clock.advance(2 * DAY)
            while await store.count(JULIET) > 1:
                scene.clock.advance(HOUR)  # whether or not it waits again already


@pytest.mark.parametrize("order", range(4))
async def test_nothing_is_left_behind_by_who_comes_meanwhile(tmp_path: Path, order: int) -> None:
    """A message that is being kept while its receiver comes is handed over all the same."""
    async with in_memory(story(), tmp_path, 0) as scene:
        await scene.join(BALCONY)
        session = scene.sessions[BALCONY]
        router = scene.server.router
        doings = [
            router.message(message("one"), JULIET),
            router.receive(Presence(sender=BALCONY), session),
            router.message(message("two"), JULIET),
            router.message(message("three"), JULIET),
        ]
        await asyncio.gather(*doings[order:], *doings[:order])
        assert sorted(map(str, await bodies(scene))) == ["one", "three", "two"]
        assert await scene.server.stores.offline.count(JULIET) == 0


async def test_many_come_in_order(tmp_path: Path) -> None:
    texts = [str(number) for number in range(250)]
    async with in_memory(story(), tmp_path, 0) as scene:
        for text in texts:
            await scene.server.router.message(message(text), JULIET)
        await scene.join(BALCONY)
        await scene.send(BALCONY, "<presence/>")
        assert await bodies(scene) == texts


async def test_no_more_waits_than_a_client_can_be_given(tmp_path: Path) -> None:
    """However much the operator allows, handing it over must not overflow the client's queue."""
    async with in_memory(story(count="5000"), tmp_path, 0) as scene:
        module = scene.server.hosts["verona.lit"].modules["offline"]
        room = scene.server.settings.limits.send_queue
        text = message("x").write()
        store, now = scene.server.stores.offline, scene.clock.now()
        for _ in range(room // 2):
            await store.add(JULIET, ROMEO, text, now, limit_count=room, limit_bytes=1 << 30)
        assert not await module.keep(message("one too many"), JULIET)
        await scene.join(BALCONY)
        await scene.send(BALCONY, "<presence/>")
        assert scene.sessions[BALCONY].ended is None
        assert len(await bodies(scene)) == room // 2


async def test_what_cannot_be_read_any_more_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        store, now = scene.server.stores.offline, scene.clock.now()
        for text in ("<message", "<presence/>", "<message to='@'/>", message("well").write()):
            await store.add(JULIET, ROMEO, text, now, limit_count=9, limit_bytes=9999)
        await scene.join(BALCONY)
        await scene.send(BALCONY, "<presence/>")
        assert await bodies(scene) == ["well"]
        assert await store.count(JULIET) == 0
    assert "cannot be read" in caplog.text
    caplog.clear()


async def test_what_was_handed_over_and_not_taken_is_not_lost(tmp_path: Path) -> None:
    """Not even when another resource has come meanwhile: it was not given what had waited."""
    tomb = JULIET.at("tomb")
    async with in_memory(story(), tmp_path, 0) as scene:
        for text in ("one", "two"):
            await scene.server.router.message(message(text), JULIET)
        await scene.join(BALCONY)
        await scene.server.router.receive(Presence(sender=BALCONY), scene.sessions[BALCONY])
        scene.clock.advance(60)
        await scene.join(tomb)
        await scene.server.router.receive(Presence(sender=tomb), scene.sessions[tomb])
        await scene.server.unbind(scene.sessions[BALCONY])  # with all that it has not read
        received = [s for s in scene.sessions[tomb].take() if isinstance(s, Message)]
        assert [each.body for each in received] == ["one", "two"]
        stamps = [found.stamp for each in received if (found := each.get(Delay))]
        assert stamps == [scene.clock.now() - timedelta(seconds=60)] * 2


async def test_a_second_try_keeps_the_first_stamp(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        came = scene.clock.now()
        await scene.server.router.message(message("one"), JULIET)
        for _ in range(2):
            scene.clock.advance(60)
            session = await scene.server.bind(JULIET, "balcony")
            await scene.server.router.receive(Presence(sender=BALCONY), session)
            await scene.server.unbind(session)
        (waiting,) = await scene.server.stores.offline.load(JULIET)
        assert waiting.stamp == came
        assert "delay" not in waiting.stanza


async def test_what_is_new_comes_behind_what_waited(tmp_path: Path) -> None:
    """RFC 6120 §10.1: between two entities there is an order, also while one of them comes."""
    waited = [str(number) for number in range(250)]
    fresh = [f"new {number}" for number in range(50)]
    async with in_memory(story(), tmp_path, 0) as scene:
        for text in waited:
            await scene.server.router.message(message(text), JULIET)
        await scene.join(BALCONY)
        coming = asyncio.create_task(scene.send(BALCONY, "<presence/>"))
        for text in fresh:
            await scene.server.router.message(message(text), JULIET)
        await coming
        assert await bodies(scene) == waited + fresh
        assert await scene.server.stores.offline.count(JULIET) == 0


async def test_who_comes_while_another_goes_gets_what_waits(tmp_path: Path) -> None:
    tomb = JULIET.at("tomb")
    texts = [str(number) for number in range(250)]
    async with in_memory(story(), tmp_path, 0) as scene:
        for text in texts:
            await scene.server.router.message(message(text), JULIET)
        for actor in (BALCONY, tomb):
            await scene.join(actor)
        served = asyncio.Event()
        session = scene.sessions[BALCONY]
        session.wake = lambda: len(session.queue) > 1 and served.set()
        first = asyncio.create_task(scene.send(BALCONY, "<presence/>"))
        async with asyncio.timeout(PATIENCE):
            await served.wait()
        second = asyncio.create_task(scene.send(tomb, "<presence/>"))
        await asyncio.sleep(0)
        await scene.server.unbind(scene.sessions[BALCONY])
        await first
        await second
        received = [s.body for s in scene.sessions[tomb].take() if isinstance(s, Message)]
        assert sorted(map(str, received)) == sorted(texts)
        async with asyncio.timeout(PATIENCE):
            while await scene.server.stores.offline.count(JULIET):
                continue


async def test_what_is_kept_is_not_refused(tmp_path: Path) -> None:
    """Its sender would send again what is there, if only handing it over has failed."""
    forbid = "CREATE TRIGGER t BEFORE DELETE ON offline BEGIN SELECT RAISE(FAIL, 'broken'); END"
    async with in_memory(story(), tmp_path, 0) as scene:
        await scene.join(BALCONY)
        await scene.send(BALCONY, "<presence/>")
        engine = scene.server.stores.engine
        await engine.write(lambda database: database.execute(forbid).fetchone())
        module = scene.server.hosts["verona.lit"].modules["offline"]
        assert await module.keep(message("one"), JULIET)
        assert await bodies(scene) == ["one"]


async def test_what_was_small_enough_to_come_can_be_read_again(tmp_path: Path) -> None:
    """It takes more room as it is kept: each `>` four octets, each namespace its full name."""
    body = "]]&gt;" + ">" * 200_000
    async with in_memory(story(), tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await scene.send(ROMEO, f'<message to="{JULIET}" type="chat"><body>{body}</body></message>')
        await scene.join(BALCONY)
        await scene.send(BALCONY, "<presence/>")
        (came,) = await bodies(scene)
        assert len(came or "") == 200_003


async def test_who_typed_is_not_kept_though_nobody_read_it(tmp_path: Path) -> None:
    """XEP-0085 §5.5: not even when it was on its way to a client that broke off."""
    async with in_memory(story(), tmp_path, 0) as scene:
        await scene.join(BALCONY)
        await scene.send(BALCONY, "<presence/>")
        session = scene.sessions.pop(BALCONY)
        session.take()
        typing = Message("chat", JULIET, ROMEO).add(Composing())
        await scene.server.router.message(typing, JULIET)
        await scene.server.router.message(message("hi"), JULIET)
        await scene.server.unbind(session)
        assert await scene.server.stores.offline.count(JULIET) == 1
