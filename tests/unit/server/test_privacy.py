"""Privacy lists: quick and plain ways to ask them agree, and changes at once do not get lost."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.peer import PATIENCE
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Message, Presence
from pyrite.kit.hooks import Stage
from pyrite.server.privacy import ACTIVE, Rules, guards
from pyrite.server.session import Session
from pyrite.server.store.roster import Edit, Item
from pyrite.store.connection import Options
from pyrite.wire import privacy as wire

ROMEO = JID.parse("romeo@mantua.lit/garden")
JULIET = JID.parse("juliet@verona.lit")
BALCONY, TOMB = JULIET.at("balcony"), JULIET.at("tomb")

STORY = Script(
    modules=("blocking", "privacy", "roster", "offline"),
    hosts=("verona.lit", "mantua.lit"),
    extras=[JULIET, ROMEO.bare],
)

ADDRESSES = ["a@x", "a@x/r", "x", "x/r", "b@x", "a@y"]
OTHERS = [JID.parse(text) for text in ("a@x/r", "a@x/s", "b@x/r", "x", "x/r", "a@y/r", "c@z")]


@st.composite
def items(draw: st.DrawFn) -> list[wire.Item]:
    found: list[wire.Item] = []
    for order in range(draw(st.integers(0, 6))):
        kind, value = draw(
            st.one_of(
                st.tuples(st.just("jid"), st.sampled_from(ADDRESSES)),
                st.tuples(st.just("subscription"), st.sampled_from(["none", "both"])),
                st.tuples(st.just("group"), st.sampled_from(["Friends"])),
                st.just((None, None)),
            )
        )
        marks = draw(st.sampled_from([(), ("message",), ("iq", "presence_in"), ("presence_out",)]))
        action = draw(st.sampled_from(["allow", "deny"]))
        found.append(wire.Item(action, order, kind, value, **dict.fromkeys(marks, True)))
    return draw(st.permutations(found))


@settings(max_examples=200, deadline=None)
@given(items(), st.sampled_from(wire.Kind.__args__), st.sampled_from(OTHERS))
def test_blocks_looked_up_are_as_rules_read(
    rules: list[wire.Item], kind: wire.Kind, other: JID
) -> None:
    made = Rules("list", rules)
    for subscription, groups in (("none", ()), ("both", ("Friends",))):
        asked = kind, other, JULIET, subscription, groups
        assert made.allow(*asked) == wire.allows(rules, *asked)


@given(items())
def test_a_list_comes_back_from_the_store_as_it_was(rules: list[wire.Item]) -> None:
    made = Rules("a list & <more>", rules)
    again = Rules.read(made.store())
    assert (again.name, again.items, again.blocked) == (made.name, made.items, made.blocked)


async def arrives(scene: Memory, sender: JID = ROMEO) -> bool:
    """Whether a message of `sender` reaches Juliet's balcony."""
    host = scene.server.hosts["verona.lit"]
    session = scene.server.sessions.find(BALCONY)
    assert session is not None
    session.take()
    await scene.join(sender)
    await scene.send(sender, f'<message to="{BALCONY}"><body>x</body></message>')
    await scene.leave(sender, cleanly=True)
    assert host is session.host
    return any(isinstance(stanza, Message) for stanza in session.take())


async def test_two_clients_block_at_once(tmp_path: Path) -> None:
    """Each reads the list, changes it and writes it; neither may undo what the other did."""
    async with in_memory(STORY, tmp_path, 0) as scene:
        names = [JID.parse(f"p{number}@mantua.lit") for number in range(20)]
        privacy = scene.server.privacy
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(privacy.block(JULIET, [name], 1000) for name in names))
        assert sorted(await privacy.blocked(JULIET)) == sorted(names)
        assert (await privacy.names(JULIET)).names == ("blocklist",)


async def test_guards_stay_while_one_module_wants_them(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        host = scene.server.hosts["verona.lit"]
        await scene.join(BALCONY)
        await scene.server.privacy.block(JULIET, [ROMEO.bare], 10)
        assert not await arrives(scene)
        await host.unload("blocking")
        assert not await arrives(scene)
        await host.unload("privacy")
        assert await arrives(scene)
        await host.load("blocking")
        assert not await arrives(scene)


async def test_what_falls_out_of_memory_still_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MAX_ACCOUNTS", 2)
    async with in_memory(STORY, tmp_path, 0) as scene:
        await scene.join(BALCONY)
        await scene.server.privacy.block(JULIET, [ROMEO.bare], 10)
        for number in range(5):
            assert await scene.server.privacy.blocked(JID(f"p{number}", "verona.lit")) == ()
        assert not await arrives(scene)


async def test_an_account_that_is_made_again_blocks_nobody(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        await scene.server.privacy.block(JULIET, [ROMEO.bare], 10)
        await scene.server.accounts.delete(JULIET)
        await scene.server.stores.accounts.create(JULIET, (), scene.clock.now())
        await scene.join(BALCONY)
        assert await arrives(scene)


async def test_an_account_that_is_made_has_nothing_of_what_was_in_memory(tmp_path: Path) -> None:
    """Not even of what was kept, in between, for an account that was not there."""
    async with in_memory(STORY, tmp_path, 0) as scene:
        server = scene.server
        await server.accounts.delete(JULIET)
        await server.privacy.block(JULIET, [ROMEO.bare], 10)
        await server.rosters.of(JULIET)
        await server.rosters.edit(Edit(JULIET, ROMEO.bare, lambda _: Item(ROMEO.bare)))
        await server.accounts.create(JULIET, "wherefore art thou")
        assert await server.privacy.blocked(JULIET) == ()
        assert not (await server.rosters.of(JULIET)).items


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0)


@asynccontextmanager
async def slow_reads(scene: Memory) -> AsyncIterator[None]:
    """Nothing is read from the store before the block ends."""
    engine, gate = scene.server.stores.engine, threading.Event()
    before = engine.waiting
    held = [
        asyncio.create_task(engine.read(lambda _: gate.wait(PATIENCE)))
        for _ in range(Options().readers)
    ]
    await until(lambda: engine.waiting == before + len(held))
    try:
        yield
    finally:
        gate.set()
        await asyncio.gather(*held)


async def test_a_client_that_comes_while_a_list_changes_is_no_mistake(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        await scene.server.privacy.block(JULIET, [JID.parse("tybalt@verona.lit")], 10)
        for actor in (BALCONY, ROMEO):
            await scene.join(actor)
            await scene.send(actor, "<presence/>")
        scene.server.rosters.forget(JULIET)
        async with slow_reads(scene):
            blocking = asyncio.create_task(scene.server.privacy.block(JULIET, [ROMEO.bare], 10))
            engine = scene.server.stores.engine
            await asyncio.sleep(0)
            await engine.write(lambda _: None)  # behind the list
            await until(lambda: engine.waiting > Options().readers)
            await scene.join(TOMB)
        await blocking
        assert not await arrives(scene)


async def test_a_list_holds_although_nobody_could_be_told(tmp_path: Path) -> None:
    """What is stored must not differ from what is in force."""
    async with in_memory(STORY, tmp_path, 0) as scene:
        for actor in (BALCONY, ROMEO):
            await scene.join(actor)
            await scene.send(actor, "<presence/>")
        await scene.send(BALCONY, f'<presence to="{ROMEO}"/>')

        def fail(stanza: Presence, _: JID, __: list[Session]) -> None:
            if stanza.type == "unavailable":
                raise RuntimeError("broken")

        scene.server.hosts["mantua.lit"].delivering.add(Stage.GUARD, fail, Presence)
        with pytest.raises(RuntimeError):
            await scene.server.privacy.block(JULIET, [ROMEO.bare], 10)
        assert not await arrives(scene)


async def test_a_list_that_is_chosen_by_who_has_gone_holds_for_nobody(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        await scene.join(BALCONY)
        privacy, session = scene.server.privacy, scene.sessions[BALCONY]
        rules = wire.List("work", (wire.Item("deny", 1, None, None, message=True),))
        await privacy.put(session, rules, 10, 10)
        async with slow_reads(scene):
            choosing = asyncio.create_task(privacy.activate(session, "work"))
            engine = scene.server.stores.engine
            await until(lambda: engine.waiting > Options().readers)
            await scene.server.unbind(scene.sessions.pop(BALCONY))
        with contextlib.suppress(StanzaError):
            await choosing
        assert session[ACTIVE] is None


async def test_a_session_that_ends_unguarded_is_forgotten_too(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        host = scene.server.hosts["verona.lit"]
        await scene.join(BALCONY)
        privacy, session = scene.server.privacy, scene.sessions[BALCONY]
        rules = wire.List("work", (wire.Item("deny", 1, None, None, message=True),))
        await privacy.put(session, rules, 10, 10)
        await privacy.activate(session, "work")
        for name in ("blocking", "privacy"):
            await host.unload(name)
        await scene.leave(BALCONY, cleanly=True)
        assert session[ACTIVE] is None
