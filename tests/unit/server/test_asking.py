"""What a host asks in its own name is answered once: by whom it asked, by the router or by time."""

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Iq
from pyrite.kit.hooks import Stage
from pyrite.server import asking
from pyrite.wire.ping import Ping

ROMEO = JID.parse("romeo@verona.lit/garden")
MALLORY = JID.parse("mallory@verona.lit/cell")
STORY = Script(modules=("offline",), hosts=("verona.lit",), extras=[ROMEO.bare, MALLORY.bare])


class Answers:
    """The answers to what was asked, as they came."""

    def __init__(self, scene: Memory) -> None:
        self.asking = scene.server.hosts["verona.lit"].asking
        self.got: list[Iq] = []

    async def ask(self, to: JID | str) -> None:
        whom = to if isinstance(to, JID) else JID.parse(to)
        self.forget = await self.asking.ask("get", whom, Ping(), self.got.append)

    @property
    def conditions(self) -> list[str]:
        """Of errors the condition, and of results nothing."""
        errors = [iq.error for iq in self.got]
        assert not len(self.asking)
        return [error.condition if error else "" for error in errors]


async def asked(scene: Memory) -> Iq:
    """What Romeo was asked."""
    element = await scene.receive(ROMEO)
    assert element is not None
    assert element.attrs["from"] == "verona.lit"
    return Iq("get", ROMEO, JID.parse("verona.lit"), element.attrs["id"])


async def test_an_answer(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await scene.join(ROMEO)
        await answers.ask(ROMEO)
        request = await asked(scene)
        result = request.answer().write()
        await scene.send(ROMEO, result)
        assert answers.conditions == [""]
        await scene.send(ROMEO, result)
        scene.clock.advance(asking.PATIENCE)
        assert answers.conditions == [""]


async def test_an_error(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await scene.join(ROMEO)
        await answers.ask(ROMEO)
        request = await asked(scene)
        await scene.send(ROMEO, request.refuse(StanzaError("forbidden")).write())
        assert answers.conditions == ["forbidden"]


async def test_nobody_answers_for_another(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await scene.join(ROMEO)
        await scene.join(MALLORY)
        await answers.ask(ROMEO)
        request = await asked(scene)
        await scene.send(MALLORY, request.answer().write())
        assert answers.got == []
        scene.clock.advance(asking.PATIENCE - 1)
        assert answers.got == []
        scene.clock.advance(1)
        assert answers.conditions == ["remote-server-timeout"]


@pytest.mark.parametrize(
    ("to", "condition"),
    [
        ("romeo@verona.lit/gone", "service-unavailable"),
        ("romeo@verona.lit", "service-unavailable"),
        ("verona.lit", "service-unavailable"),
        ("push.example", "remote-server-not-found"),
    ],
)
async def test_what_the_router_refuses(to: str, condition: str, tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await answers.ask(to)
        assert answers.conditions == [condition]


async def test_who_goes_before_reading_it(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await scene.join(ROMEO)
        await answers.ask(ROMEO)
        await scene.server.unbind(scene.sessions.pop(ROMEO))
        assert answers.conditions == ["recipient-unavailable"]


async def test_what_is_forgotten_is_not_answered(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await scene.join(ROMEO)
        await answers.ask(ROMEO)
        answers.forget()
        answers.forget()
        await scene.send(ROMEO, (await asked(scene)).answer().write())
        scene.clock.advance(asking.PATIENCE)
        assert answers.conditions == []


async def test_no_more_than_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST", 3)
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await scene.join(ROMEO)
        for _ in range(5):
            await answers.ask(ROMEO)
        assert [iq.error and iq.error.condition for iq in answers.got] == 2 * [
            "resource-constraint"
        ]
        scene.clock.advance(asking.PATIENCE)
        assert len(answers.conditions) == 5


async def test_who_asks_and_is_cancelled_hears_nothing(tmp_path: Path) -> None:
    """Also while a guard of the one who is asked is waited for."""
    async with in_memory(STORY, tmp_path, 0) as scene:
        answers = Answers(scene)
        await scene.join(ROMEO)
        host = scene.server.hosts["verona.lit"]
        begun, never = asyncio.Event(), asyncio.Event()

        async def guard(*_: object) -> None:
            begun.set()
            await never.wait()

        host.delivering.add(Stage.GUARD, guard, Iq)
        task = asyncio.create_task(answers.ask(ROMEO))
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        assert answers.conditions == []
