"""What waits for a client that goes, and what is under way to it meanwhile."""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE
from tests.scene import Memory, in_memory, over_sockets
from tests.stage import Contact, Script

from pyrite.core.jid import JID
from pyrite.core.stanza import Message, Presence, Stanza
from pyrite.core.xml import Element
from pyrite.kit.hooks import Stage
from pyrite.server.app import Server
from pyrite.server.session import Session

ONE_LOOP = pytest.mark.asyncio(loop_factories=["asyncio"])
ROMEO, STREET = JID.parse("romeo@verona.lit/garden"), JID.parse("romeo@verona.lit/street")
JULIET, TOMB = JID.parse("juliet@verona.lit/balcony"), JID.parse("juliet@verona.lit/tomb")
NURSE = JID.parse("nurse@verona.lit/home")


def story(*modules: str) -> Script:
    """Romeo, Juliet and the nurse are all friends."""
    people = [ROMEO.bare, JULIET.bare, NURSE.bare]
    contacts = [Contact(one, other, "both") for one in people for other in people if one != other]
    return Script(modules=modules, hosts=("verona.lit",), contacts=contacts)


class Gate:
    """Holds up what is delivered, as a slow store would."""

    def __init__(self, server: Server, kind: type[Stanza], type: str | None = None) -> None:
        self.type = type
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        server.hosts["verona.lit"].delivering.add(Stage.GUARD, self.hold, kind)

    async def hold(self, stanza: Stanza, owner: JID, targets: Sequence[Session]) -> None:
        if stanza.type == self.type and not self.opened.is_set():
            self.reached.set()
            await self.opened.wait()


async def reached(gate: Gate, under_way: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """`under_way`, started and held up."""
    task = asyncio.create_task(under_way)
    async with asyncio.timeout(PATIENCE):
        await gate.reached.wait()
    return task


async def received(scene: Memory, actor: JID) -> list[Element]:
    elements: list[Element] = []
    while (element := await scene.receive(actor)) is not None:
        elements.append(element)
    return elements


async def types(scene: Memory, actor: JID, sender: JID) -> list[str | None]:
    found = await received(scene, actor)
    return [e.attrs.get("type") for e in found if e.attrs.get("from") == str(sender)]


async def stored(scene: Memory) -> int:
    return await scene.server.stores.offline.count(JULIET.bare)


async def die(scene: Memory, actor: JID) -> None:
    """`actor` is gone, and has read nothing of what waits for it."""
    await scene.server.unbind(scene.sessions.pop(actor))


@ONE_LOOP
async def test_a_push_that_nobody_reads_is_no_failure(tmp_path: Path) -> None:
    async with in_memory(story("roster"), tmp_path, 0) as scene:
        for actor in (ROMEO, STREET):
            await scene.join(actor)
            await scene.send(actor, '<iq type="get" id="r"><query xmlns="jabber:iq:roster"/></iq>')
        item = f'<item jid="{JULIET.bare}" name="J"/>'
        query = f'<query xmlns="jabber:iq:roster">{item}</query>'
        await scene.send(ROMEO, f'<iq type="set" id="s">{query}</iq>')
        await die(scene, STREET)
        assert STREET.resource not in scene.server.sessions.of(ROMEO.bare)


@ONE_LOOP
async def test_a_request_that_nobody_reads_is_answered(tmp_path: Path) -> None:
    """RFC 6120 §8.2.3: there is always an answer."""
    async with in_memory(story(), tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await scene.join(JULIET)
        await scene.send(ROMEO, f'<iq type="get" to="{JULIET}" id="q"><q xmlns="urn:x"/></iq>')
        await die(scene, JULIET)
        (answer,) = await received(scene, ROMEO)
        assert answer.attrs["type"] == "error"
        assert answer.attrs["id"] == "q"
        assert next(next(answer.elements).elements).name.tag == "recipient-unavailable"


@ONE_LOOP
@pytest.mark.parametrize("to", [JULIET, JULIET.bare], ids=str)
async def test_a_message_that_nobody_reads_waits(to: JID, tmp_path: Path) -> None:
    """Another resource is connected, and does not take messages."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        for actor in (ROMEO, JULIET, TOMB):
            await scene.join(actor)
        await scene.send(JULIET, "<presence/>")
        await scene.send(TOMB, "<presence><priority>-1</priority></presence>")
        await scene.send(ROMEO, f'<message to="{to}" type="chat"><body>1</body></message>')
        await die(scene, JULIET)
        assert await stored(scene) == 1


@ONE_LOOP
async def test_a_message_that_another_was_given_does_not_wait(tmp_path: Path) -> None:
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        for actor in (ROMEO, JULIET, TOMB):
            await scene.join(actor)
        for actor in (JULIET, TOMB):
            await scene.send(actor, "<presence/>")
        await scene.send(ROMEO, f'<message to="{JULIET.bare}"><body>1</body></message>')
        await die(scene, JULIET)
        assert await stored(scene) == 0
        await die(scene, TOMB)
        assert await stored(scene) == 1


@ONE_LOOP
async def test_a_message_under_way_to_who_goes_is_not_lost(tmp_path: Path) -> None:
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        for actor in (ROMEO, JULIET):
            await scene.join(actor)
        gate = Gate(scene.server, Message, "chat")
        sending = await reached(
            gate, scene.send(ROMEO, f'<message to="{JULIET}" type="chat"><body>1</body></message>')
        )
        await die(scene, JULIET)
        gate.opened.set()
        async with asyncio.timeout(PATIENCE):
            await sending
            while await stored(scene) == 0:  # the store's own thread is at work
                continue


@ONE_LOOP
async def test_who_comes_again_comes_after_having_gone(tmp_path: Path) -> None:
    """The old session's end is told before the new one's beginning."""
    async with in_memory(story("roster"), tmp_path, 0) as scene:
        for actor in (JULIET, ROMEO):
            await scene.join(actor)
            await scene.send(actor, "<presence/>")
        gate = Gate(scene.server, Presence, "unavailable")
        going = await reached(gate, die(scene, ROMEO))
        coming = asyncio.create_task(scene.join(ROMEO))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not coming.done()
        gate.opened.set()
        async with asyncio.timeout(PATIENCE):
            await going
            await coming
        await scene.send(ROMEO, "<presence/>")
        assert await types(scene, JULIET, ROMEO) == [None, "unavailable", None]


@ONE_LOOP
@pytest.mark.parametrize("say", ["<presence/>", f'<presence to="{JULIET.bare}"/>'])
async def test_who_goes_while_it_says_hello_is_gone(say: str, tmp_path: Path) -> None:
    """Some friends have heard of it and some not: none of them hears hello after goodbye."""
    async with in_memory(story("roster"), tmp_path, 0) as scene:
        for actor in (JULIET, NURSE):
            await scene.join(actor)
            await scene.send(actor, "<presence/>")
            await received(scene, actor)
        await scene.join(ROMEO)
        gate = Gate(scene.server, Presence)
        hello = await reached(gate, scene.send(ROMEO, say))
        goodbye = asyncio.create_task(die(scene, ROMEO))
        await asyncio.sleep(0)
        gate.opened.set()
        async with asyncio.timeout(PATIENCE):
            await hello
            await goodbye
        for actor in (JULIET, NURSE):
            assert (await types(scene, actor, ROMEO) or ["unavailable"])[-1] == "unavailable"


async def test_order_is_kept_while_one_stanza_waits(tmp_path: Path) -> None:
    """RFC 6120 §10.1: between two entities, whatever their server does meanwhile."""
    async with over_sockets(story("ping", "roster"), tmp_path, 0) as scene:
        for actor in (ROMEO, NURSE, JULIET):
            await scene.join(actor)
        gate = Gate(scene.server, Message)
        romeo = scene.peers[ROMEO]
        await romeo.send(f'<message to="{JULIET}"><body>1</body></message>')
        async with asyncio.timeout(PATIENCE):
            await gate.reached.wait()
        await romeo.send(f'<message to="{JULIET}" type="chat"><body>2</body></message>')
        await romeo.send(f'<presence to="{JULIET}"/>')
        await romeo.send(f'<iq type="get" to="{JULIET}" id="3"><q xmlns="urn:x"/></iq>')
        await scene.send(NURSE, f'<message to="{JULIET}" type="chat"><body>0</body></message>')
        first = await scene.receive(JULIET)
        assert first is not None
        assert first.attrs["from"] == str(NURSE)  # nobody else waits for him
        assert await scene.receive(JULIET) is None
        gate.opened.set()
        await romeo.barrier()
        came = [await scene.receive(JULIET) for _ in range(4)]
        tags = [e and (e.name.tag, e.text or next(e.elements, e).text) for e in came]
        assert tags == [("message", "1"), ("message", "2"), ("presence", ""), ("iq", "")]


@ONE_LOOP
async def test_who_takes_a_place_and_gives_up_stops_nothing(tmp_path: Path) -> None:
    """What the old session has yet to hear of is kept, though the new one is cancelled."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        for actor in (ROMEO, JULIET):
            await scene.join(actor)
            await scene.send(actor, "<presence/>")
        await scene.send(ROMEO, f'<message to="{JULIET}" type="chat"><body>1</body></message>')
        gate = Gate(scene.server, Presence, "unavailable")
        coming = await reached(gate, scene.server.bind(JULIET.bare, JULIET.resource))
        coming.cancel()
        await asyncio.wait([coming])
        gate.opened.set()
        async with asyncio.timeout(PATIENCE):
            while await stored(scene) == 0:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert "unavailable" in await types(scene, ROMEO, JULIET)
