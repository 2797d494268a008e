"""Privacy lists: quick and plain ways to ask them agree, and changes at once do not get lost."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.server.privacy import Rules, guards
from pyrite.wire import privacy as wire

ROMEO = JID.parse("romeo@mantua.lit/garden")
JULIET = JID.parse("juliet@verona.lit")
BALCONY, TOMB = JULIET.at("balcony"), JULIET.at("tomb")
PATIENCE = 5.0  # seconds

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
