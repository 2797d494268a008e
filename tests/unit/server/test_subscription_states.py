"""Each cell of RFC 6121, appendix A, between two accounts of one server.

The tables are those of `wire.subscription`, which is held against the RFC's elsewhere.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.server.store.roster import Edit, Item
from pyrite.server.subscriptions import MAX_REQUEST
from pyrite.wire.subscription import MOVES, Move, State

ONE_LOOP = pytest.mark.asyncio(loop_factories=["asyncio"])

#: What the contact is in, so that it shows whether the user's stanza came.
WITNESS: Final = {
    "subscribe": State.NONE,
    "unsubscribe": State.FROM,
    "subscribed": State.NONE_PENDING_OUT,
    "unsubscribed": State.TO,
}
#: What the contact is in, so that its own stanza goes on.
SOURCE: Final = {
    "subscribe": State.NONE,
    "unsubscribe": State.NONE,
    "subscribed": State.NONE_PENDING_IN,
    "unsubscribed": State.FROM,
}


class Cell(NamedTuple):
    number: int
    before: State
    kind: str
    approved: bool
    move: Move

    @property
    def user(self) -> JID:
        return JID.parse(f"user{self.number}@verona.lit/a")

    @property
    def contact(self) -> JID:
        return JID.parse(f"contact{self.number}@verona.lit/b")

    @property
    def after(self) -> tuple[str, bool, bool, bool]:
        return *self.move.state.value, self.move.approved


def cells(direction: str) -> Iterator[Cell]:
    for number, ((before, way, kind, approved), move) in enumerate(MOVES.items()):
        if way == direction:
            yield Cell(number, before, kind, approved, move)


def story(pairs: list[Cell]) -> Script:
    accounts = [jid.bare for cell in pairs for jid in (cell.user, cell.contact)]
    return Script(modules=("roster",), hosts=("verona.lit",), extras=accounts)


async def put(scene: Memory, owner: JID, other: JID, state: State, approved: bool = False) -> None:
    request = f'<presence type="subscribe" from="{other.bare}" to="{owner.bare}"/>'
    item = Item(
        other.bare,
        subscription=state.subscription,  # type: ignore[arg-type]
        ask=state.is_pending_out,
        request=request if state.is_pending_in else None,
        approved=approved,
    )
    await scene.server.rosters.edit(Edit(owner.bare, other.bare, lambda _: item))


async def state(scene: Memory, owner: JID, other: JID) -> tuple[str, bool, bool, bool]:
    """What is stored: subscription, ask, whether a request waits, approval in advance."""
    item = await scene.server.stores.roster.find(owner.bare, other.bare)
    item = item or Item(other.bare)
    return item.subscription, item.ask, item.pending_in, item.approved


async def received(scene: Memory, actor: JID) -> list[str]:
    """The types of the presence that `actor` has got, and ``push`` for each roster push."""
    types: list[str] = []
    while (element := await scene.receive(actor)) is not None:
        is_push = element.name.tag == "iq" and element.attrs["type"] == "set"
        types.append("push" if is_push else element.attrs.get("type", "available"))
    return types


async def arrive(scene: Memory, *actors: JID) -> None:
    for actor in actors:
        await scene.join(actor)
        await scene.send(actor, '<iq type="get" id="r"><query xmlns="jabber:iq:roster"/></iq>')
        await scene.send(actor, "<presence/>")
        await received(scene, actor)


async def exchange(scene: Memory, sender: JID, receiver: JID, kind: str) -> list[list[str]]:
    """`sender` sends `kind` to `receiver`; what both then receive."""
    for actor in (sender, receiver):
        await received(scene, actor)
    await scene.send(sender, f'<presence type="{kind}" to="{receiver.bare}"/>')
    return [await received(scene, actor) for actor in (sender, receiver)]


@ONE_LOOP
async def test_outbound(tmp_path: Path) -> None:
    """A.2, tables 2 to 5, and §3.4.2."""
    async with in_memory(story(list(cells("out"))), tmp_path, 0) as scene:
        for cell in cells("out"):
            await arrive(scene, cell.user, cell.contact)
            await put(scene, cell.user, cell.contact, cell.before, cell.approved)
            await put(scene, cell.contact, cell.user, WITNESS[cell.kind])
            user, contact = await exchange(scene, cell.user, cell.contact, cell.kind)
            assert (cell.kind in contact) == cell.move.route, cell
            assert await state(scene, cell.user, cell.contact) == cell.after, cell
            assert user.count("push") == cell.move.push, cell
            if cell.move.presence is not None:
                assert contact.count(cell.move.presence) == 1, cell


@ONE_LOOP
async def test_inbound(tmp_path: Path) -> None:
    """A.3, tables 6 to 9, and §3.4.2."""
    async with in_memory(story(list(cells("in"))), tmp_path, 0) as scene:
        for cell in cells("in"):
            await arrive(scene, cell.user, cell.contact)
            await put(scene, cell.user, cell.contact, cell.before, cell.approved)
            await put(scene, cell.contact, cell.user, SOURCE[cell.kind])
            contact, user = await exchange(scene, cell.contact, cell.user, cell.kind)
            assert (cell.kind in user) == cell.move.deliver, cell
            assert await state(scene, cell.user, cell.contact) == cell.after, cell
            assert user.count("push") == cell.move.push, cell
            if cell.move.deliver and cell.move.push:
                assert user.index(cell.kind) < user.index("push"), cell
            is_granted = cell.move.reply == "subscribed"
            assert ("subscribed" in contact) == is_granted, cell
            if is_granted:
                theirs = await state(scene, cell.contact, cell.user)
                assert theirs == ("to", False, False, False), cell


ROMEO, JULIET = JID.parse("romeo@verona.lit/garden"), JID.parse("juliet@verona.lit/balcony")
TWO = Script(modules=("roster",), hosts=("verona.lit",), extras=[ROMEO.bare, JULIET.bare])


def break_items_of(owner: JID, folder: Path) -> None:
    """Let the store fail whenever it is to keep an item of `owner`."""
    database = sqlite3.connect(folder / "pyrite.db")
    database.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON roster_items"
        f" WHEN NEW.owner = '{owner.bare}' BEGIN SELECT RAISE(ABORT, 'broken'); END"
    )
    database.close()


@ONE_LOOP
async def test_both_rosters_or_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What fails on the contact's side has not happened on the user's, and nobody was told."""
    async with in_memory(TWO, tmp_path, 0) as scene:
        await arrive(scene, ROMEO, JULIET)
        break_items_of(JULIET, tmp_path)
        romeo, juliet = await exchange(scene, ROMEO, JULIET, "subscribe")
        assert romeo == ["error"]
        assert juliet == []
        assert await state(scene, ROMEO, JULIET) == ("none", False, False, False)
    caplog.clear()


@ONE_LOOP
async def test_a_full_roster_is_the_owners_own_business(tmp_path: Path) -> None:
    """Too many wait for an answer: this request is not kept, and its sender is not told."""
    async with in_memory(TWO, tmp_path, 0) as scene:
        await arrive(scene, ROMEO, JULIET)
        for number in range(500):
            other = JID.parse(f"stranger{number}@verona.lit")
            item = Item(other, request="<presence/>", listed=False)
            await scene.server.stores.roster.put(JULIET.bare, item)
        romeo, juliet = await exchange(scene, ROMEO, JULIET, "subscribe")
        assert romeo == ["push"]
        assert juliet == []
        assert await state(scene, ROMEO, JULIET) == ("none", True, False, False)
        assert await state(scene, JULIET, ROMEO) == ("none", False, False, False)


@ONE_LOOP
async def test_a_request_has_a_size(tmp_path: Path) -> None:
    """§3.1.3: the whole stanza is kept, so it must not be just anything."""
    async with in_memory(TWO, tmp_path, 0) as scene:
        await arrive(scene, ROMEO, JULIET)
        status = f"<status>{'x' * MAX_REQUEST}</status>"
        xml = f'<presence type="subscribe" to="{JULIET.bare}">{status}</presence>'
        await scene.send(ROMEO, xml)
        assert await received(scene, ROMEO) == ["error"]
        assert await received(scene, JULIET) == []
        assert await state(scene, ROMEO, JULIET) == ("none", False, False, False)
