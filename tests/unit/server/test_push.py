"""Push notifications where time, bounds and endings decide."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.scene import Memory, in_memory, quiet
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.stanza import Iq, Message
from pyrite.core.xml import Element, parse
from pyrite.kit.clock import ManualClock
from pyrite.kit.config import DAY, HOUR
from pyrite.kit.hooks import Stage
from pyrite.server import asking
from pyrite.server.app import Server
from pyrite.server.mod.push import Push, devices, registrations
from pyrite.wire import pubsub, push
from pyrite.wire.message import Body

ROMEO = JID.parse("romeo@verona.lit/garden")
JULIET = JID.parse("juliet@verona.lit")
PHONE = JULIET.at("phone")
APP = JID.parse("push@verona.lit/app")

SECRET = (
    '<x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>'
    "http://jabber.org/protocol/pubsub#publish-options</value></field>"
    '<field var="secret"><value>{}</value></field></x>'
)


def story(**settings: str) -> Script:
    return Script(
        modules=("push", "offline"),
        hosts=("verona.lit",),
        settings={"push": settings},
        extras=[JULIET, ROMEO.bare, APP.bare],
    )


@asynccontextmanager
async def staged(folder: Path, **settings: str) -> AsyncIterator[Memory]:
    """The push service is there."""
    async with in_memory(story(**settings), folder, 0) as scene:
        await scene.join(APP)
        yield scene


def module(scene: Memory) -> Push:
    found = scene.server.hosts["verona.lit"].modules["push"]
    assert isinstance(found, Push)
    return found


def counted(scene: Memory, name: str) -> float:
    samples = scene.server.meter.samples()
    return sum(each.value for each in samples if each.name.startswith(f"push_{name}"))


async def enable(scene: Memory, node: str = "n", inside: str = "", jid: JID = APP) -> Element:
    """Juliet's phone asks for it and goes; what it was answered."""
    await scene.join(PHONE)
    xml = f'<enable xmlns="{push.NS}" jid="{jid}" node="{node}">{inside}</enable>'
    await scene.send(PHONE, f'<iq type="set" id="e">{xml}</iq>')
    answer = await scene.receive(PHONE)
    assert answer is not None
    await scene.leave(PHONE, cleanly=True)
    return answer


async def say(scene: Memory, text: str = "hi") -> None:
    await scene.server.router.message(Message("chat", JULIET, ROMEO).add(Body(text)), JULIET)


async def published(scene: Memory) -> tuple[str, str] | None:
    """The node and the id of what the service is asked next."""
    element = await scene.receive(APP)
    if element is None:
        return None
    publish = next(element.elements).child(pubsub.NS, "publish")
    assert publish is not None
    return publish.attrs["node"], element.attrs["id"]


async def answer(scene: Memory, id: str, condition: str = "", type: str = "cancel") -> None:
    ns = "urn:ietf:params:xml:ns:xmpp-stanzas"
    error = f'<error type="{type}"><{condition} xmlns="{ns}"/></error>' if condition else ""
    kind = "error" if condition else "result"
    await scene.send(APP, f'<iq type="{kind}" to="verona.lit" id="{id}">{error}</iq>')


async def asked(scene: Memory) -> str:
    """The id of what the service must be asked now."""
    found = await published(scene)
    assert found is not None
    return found[1]


async def kept(scene: Memory) -> int:
    return len(await module(scene).values.load(JULIET))


# --- as long as they are wanted ----------------------------------------------------------


async def test_registrations_survive_the_server(tmp_path: Path) -> None:
    async with staged(tmp_path) as scene:
        await enable(scene, inside=SECRET.format("s"))
        settings = scene.server.settings
    server = Server(settings, clock=ManualClock())
    async with server.opened():
        again = Memory(server, ManualClock())
        await again.join(APP)
        await say(again)
        element = await again.receive(APP)
        assert element is not None
        made = next(element.elements)
        options = made.child(pubsub.NS, "publish-options")
        assert options is not None
        assert next(options.elements) == parse(SECRET.format("s"))


async def test_they_go_with_the_account(tmp_path: Path) -> None:
    """Also from memory: who gets the name next wakes nobody."""
    async with staged(tmp_path) as scene:
        await enable(scene)
        await say(scene)
        await asked(scene)
        await say(scene)
        await scene.server.delete_account(JULIET)
        assert await kept(scene) == 0
        scene.clock.advance(DAY)
        assert await published(scene) is None
        await scene.server.accounts.create(JULIET, "a rose by any other name")
        await say(scene)
        assert await published(scene) is None


async def test_without_the_module_nobody_is_woken(tmp_path: Path) -> None:
    """Nor is who waits for another try."""
    async with staged(tmp_path) as scene:
        host = scene.server.hosts["verona.lit"]
        await enable(scene)
        await say(scene)
        await answer(scene, await asked(scene), "recipient-unavailable", "wait")
        await host.unload("push")
        scene.clock.advance(DAY)
        assert await published(scene) is None
        await host.load("push")
        await say(scene)
        assert await published(scene) is not None


async def test_nothing_comes_after_the_end(tmp_path: Path) -> None:
    """§6: not even what was wanted before."""
    async with staged(tmp_path) as scene:
        await enable(scene)
        await say(scene)
        first = await asked(scene)
        await say(scene)
        await scene.join(PHONE)
        await scene.send(
            PHONE, f'<iq type="set" id="d"><disable xmlns="{push.NS}" jid="{APP}"/></iq>'
        )
        assert await scene.receive(PHONE) is not None
        await scene.leave(PHONE, cleanly=True)
        await answer(scene, first)
        scene.clock.advance(DAY)
        await say(scene)
        assert await published(scene) is None
        assert len(scene.server.hosts["verona.lit"].asking) == 0


async def test_the_last_word_about_an_old_secret(tmp_path: Path) -> None:
    """It is none about a new one, which the service has not seen yet."""
    async with staged(tmp_path) as scene:
        await enable(scene, inside=SECRET.format("old"))
        await say(scene)
        first = await asked(scene)
        await enable(scene, inside=SECRET.format("new"))
        await answer(scene, first, "forbidden", "auth")
        await quiet(scene.server)
        assert await kept(scene) == 1
        await say(scene)
        await answer(scene, await asked(scene), "forbidden", "auth")
        await quiet(scene.server)
        assert await kept(scene) == 0
        assert counted(scene, "ended") == 2


async def test_a_client_that_comes_again_writes_nothing(tmp_path: Path) -> None:
    """Phones ask for it each time, and what counts of it is the day."""
    async with staged(tmp_path) as scene:
        seen = []
        for age in (0, DAY - 1, 1):
            scene.clock.advance(age)
            await enable(scene)
            seen.append(await module(scene).values.load(JULIET))
        assert seen[0] == seen[1]
        assert seen[1] != seen[2]


async def test_how_large_one_may_be(tmp_path: Path) -> None:
    async with staged(tmp_path) as scene:
        size = registrations.SIZE
        for inside, node in (("x" * size, "n"), ("", "n" * size), ("", "&lt;" * size)):
            refused = await enable(scene, node, SECRET.format(inside))
            assert refused.attrs["type"] == "error"
        assert await kept(scene) == 0
        assert (await enable(scene, "&#10;&lt;")).attrs["type"] == "result"


# --- when it is wanted -------------------------------------------------------------------


async def test_what_a_client_was_not_given_wakes_it(tmp_path: Path) -> None:
    """Its connection was gone, though nobody knew yet."""
    async with staged(tmp_path) as scene:
        await scene.join(PHONE)
        xml = f'<enable xmlns="{push.NS}" jid="{APP}" node="n"/>'
        await scene.send(PHONE, f'<iq type="set" id="e">{xml}</iq>')
        await scene.send(PHONE, "<presence/>")
        await quiet(scene.server)
        scene.sessions[PHONE].take()
        await say(scene)
        assert await published(scene) is None
        await scene.server.unbind(scene.sessions.pop(PHONE))
        assert await published(scene) is not None


async def test_who_comes_meanwhile_is_not_woken(tmp_path: Path) -> None:
    """And what had failed before is forgotten."""
    async with staged(tmp_path, errors="2") as scene:
        for _ in range(3):
            await enable(scene)
            await say(scene)
            await answer(scene, await asked(scene), "recipient-unavailable", "wait")
            await scene.join(PHONE)
            xml = f'<enable xmlns="{push.NS}" jid="{APP}" node="n"/>'
            await scene.send(PHONE, f'<iq type="set" id="e">{xml}</iq>')
            scene.clock.advance(HOUR)
            assert await published(scene) is None
            await scene.leave(PHONE, cleanly=True)
        assert await kept(scene) == 1


async def test_who_sends_does_not_wait(tmp_path: Path) -> None:
    """Whatever the service does, messages are kept as fast as ever."""
    async with staged(tmp_path) as scene:
        await enable(scene)
        host = scene.server.hosts["verona.lit"]
        never = asyncio.Event()

        async def guard(*_: object) -> None:
            await never.wait()

        host.delivering.add(Stage.GUARD, guard, Iq)
        async with asyncio.timeout(PATIENCE):
            for _ in range(20):
                await say(scene)
        await quiet(scene.server)
        assert len(host.asking) == 1
        assert len(module(scene).scope) == 1


async def test_a_service_that_never_answers(tmp_path: Path) -> None:
    """One request at a time, none of them for ever, and in the end none."""
    async with staged(tmp_path, errors="4") as scene:
        await enable(scene)
        await say(scene)
        waits = []
        while True:
            assert await published(scene) is not None
            for _ in range(10):
                await say(scene)
            assert await published(scene) is None
            scene.clock.advance(asking.PATIENCE)
            await quiet(scene.server)
            if not await kept(scene):
                break
            before = scene.clock.monotonic()
            while not len(scene.server.hosts["verona.lit"].asking):
                scene.clock.advance(1)
                await quiet(scene.server)
            waits.append(scene.clock.monotonic() - before)
        assert waits == [2, 4, 8]
        assert counted(scene, "failed") == 4
        assert len(module(scene)._devices) == 0


async def test_nothing_is_left_of_what_is_done(tmp_path: Path) -> None:
    async with staged(tmp_path) as scene:
        await enable(scene)
        await say(scene)
        await answer(scene, await asked(scene))
        assert counted(scene, "published") == 1
        assert len(module(scene)._devices) == 1
        scene.clock.advance(10)
        assert len(module(scene)._devices) == 0


# --- no more than so much ----------------------------------------------------------------


async def test_too_many_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MOST", 2)
    async with staged(tmp_path) as scene:
        for node in "abc":
            await enable(scene, node)
        await say(scene)
        asked = [await published(scene), await published(scene)]
        assert None not in asked
        assert await published(scene) is None
        assert counted(scene, "dropped") == 1


async def test_too_many_tasks(tmp_path: Path) -> None:
    """What cannot begin now begins a little later, or is left out; nobody who sends is told."""
    async with staged(tmp_path) as scene:
        await enable(scene)
        scope = module(scene).scope
        await say(scene)
        first = await asked(scene)
        await say(scene)
        await quiet(scene.server)
        scope._limit = 0
        await answer(scene, first)
        await say(scene)
        assert counted(scene, "dropped") == 1
        assert await published(scene) is None
        scope._limit = 10
        scene.clock.advance(devices.CROWDED)
        assert await published(scene) is not None


async def test_what_the_store_cannot_say(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """To be woken matters more than to know for how much; without a registration it cannot be."""
    async with staged(tmp_path) as scene:
        await enable(scene)
        owner = module(scene)
        await scene.server.rosters.of(JULIET)
        await owner._registrations.of(JULIET)
        message = Message("chat", JULIET, ROMEO).add(Body("hi"))

        def broken(database: sqlite3.Connection) -> None:
            for name in ("totals", "key_values"):
                database.execute(f"ALTER TABLE {name} RENAME TO broken_{name}")

        await scene.server.stores.engine.write(broken)
        owner._tell_of(message, JULIET, None)
        assert await published(scene) is not None
        owner._registrations.forget(JULIET)
        owner._tell_of(message, JULIET, None)
        await quiet(scene.server)
        assert len(owner.scope) == 0
    caplog.clear()
