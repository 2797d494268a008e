"""A stanza counts as handled once all that it leaves behind is kept, and all before it."""

import asyncio
from asyncio import Future
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.peer import PATIENCE
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.stanza import NS, Message, Stanza
from pyrite.core.xml import write
from pyrite.kit.hooks import Stage
from pyrite.server.debts import MOST, owe
from pyrite.server.session import Session
from pyrite.store.errors import StoreError

ROMEO = JID.parse("romeo@verona.lit/garden")
MESSAGE = '<message to="juliet@verona.lit" id="{}" type="chat"><body>hi</body></message>'
STORY = Script(modules=(), hosts=("verona.lit",), extras=[JID.parse("juliet@verona.lit")])
JULIET = JID.parse("juliet@verona.lit/balcony")


@asynccontextmanager
async def owing(folder: Path, owed: list[Future[None]]) -> AsyncIterator[tuple[Memory, Session]]:
    """Romeo, for each of whose messages the next of `owed` is owed."""
    async with in_memory(STORY, folder, 0) as scene:
        for jid in (ROMEO, JULIET):
            await scene.join(jid)
        await scene.send(JULIET, "<presence/>")
        session = scene.sessions[ROMEO]
        coming: Iterator[Future[None]] = iter(owed)

        def keep(_: Stanza, __: Session) -> None:
            owe(next(coming))

        session.host.sending.add(Stage.RECORD, keep, Message)
        yield scene, session


def promises(number: int) -> list[Future[None]]:
    loop = asyncio.get_running_loop()
    return [loop.create_future() for _ in range(number)]


async def say(scene: Memory, *ids: str) -> None:
    for id in ids:
        await scene.send(ROMEO, MESSAGE.format(id))


async def settled(session: Session) -> int:
    await asyncio.sleep(0)  # what waited for a promise is told of it
    return session.handled if session.debts is None else session.debts.settled


async def test_it_counts_only_when_all_before_it_do(tmp_path: Path) -> None:
    first, second, third = owed = promises(3)
    async with owing(tmp_path, owed) as (scene, session):
        await say(scene, "a", "b", "c")
        assert (session.handled, await settled(session)) == (3, 0)
        second.set_result(None)
        assert await settled(session) == 0
        first.set_result(None)
        assert await settled(session) == 2
        third.set_result(None)
        assert await settled(session) == 3
        assert not session.debts


async def test_what_leaves_nothing_behind_waits_for_what_came_before(tmp_path: Path) -> None:
    (promise,) = owed = promises(1)
    async with owing(tmp_path, owed) as (scene, session):
        await scene.send(ROMEO, "<presence/>")
        await say(scene, "a")
        await scene.send(ROMEO, "<presence/>")
        assert await settled(session) == 1
        promise.set_result(None)
        assert await settled(session) == 3


async def test_many_wait_for_one_commit_and_are_told_once(tmp_path: Path) -> None:
    (promise,) = promises(1)
    told = []
    async with owing(tmp_path, [promise] * 5) as (scene, session):
        await say(scene, *"abcde")
        debts = session.debts
        assert debts is not None
        debts.on_paid = lambda: told.append(debts.settled)
        promise.set_result(None)
        assert await settled(session) == 5
        assert told == [5]


async def test_the_sender_hears_once_what_could_not_be_kept(tmp_path: Path) -> None:
    first, second = promises(2)
    async with owing(tmp_path, [first, first, second]) as (scene, session):
        await say(scene, "a", "b", "c")
        first.set_exception(StoreError("the disk is full"))
        assert await settled(session) == 2  # handled, though refused
        errors = [await scene.receive(ROMEO) for _ in range(3)]
        assert [error and error.attrs["id"] for error in errors] == ["a", "b", None]
        assert errors[0] is not None
        assert "resource-constraint" in write(errors[0], NS)
        second.set_result(None)
        assert await settled(session) == 3


async def test_nobody_is_far_ahead_of_the_disk(tmp_path: Path) -> None:
    (promise,) = promises(1)
    async with owing(tmp_path, [promise] * (MOST + 1)) as (scene, session):
        await say(scene, *map(str, range(MOST)))
        assert session.debts
        await asyncio.wait_for(session.debts.room(), PATIENCE)
        await say(scene, "one more")
        waiting = asyncio.ensure_future(session.debts.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        promise.set_result(None)
        await asyncio.wait_for(waiting, PATIENCE)
        await asyncio.wait_for(session.debts.paid(), PATIENCE)
