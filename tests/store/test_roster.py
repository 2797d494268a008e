"""Rosters: what is kept, how versions move, and what a client that was away is told."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Stores, open_stores
from pyrite.server.store.roster import Change, Changes, Edit, Edited, Item, Limits, Roster
from pyrite.server.store.sqlite.roster import REMOVALS
from pyrite.store.errors import QuotaExceeded

from .conftest import URL

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@capulet.lit")
NURSE = JID.parse("nurse@capulet.lit")
REQUEST = "<presence type='subscribe' from='juliet@capulet.lit'><status>ä</status></presence>"
WHOLE = Item(JULIET, "Juliet ☂", ("Friends", "a\nb"), "both", True, True, REQUEST)


async def test_an_item_comes_back_whole(stores: Stores) -> None:
    assert await stores.roster.load(ROMEO) == Roster(0, ())
    assert await stores.roster.find(ROMEO, JULIET) is None
    version = await stores.roster.put(ROMEO, WHOLE)
    assert await stores.roster.load(ROMEO) == Roster(version, (WHOLE,))
    assert await stores.roster.find(ROMEO.at("a"), JULIET.at("b")) == WHOLE
    assert await stores.roster.version(ROMEO) == version
    assert await stores.roster.load(JULIET) == Roster(0, ())


async def test_an_item_is_kept_under_the_bare_address(stores: Stores) -> None:
    await stores.roster.put(ROMEO, Item(JULIET.at("balcony")))
    assert (await stores.roster.load(ROMEO)).items == (Item(JULIET),)


async def test_removal(stores: Stores) -> None:
    assert await stores.roster.remove(ROMEO, JULIET) is None
    first = await stores.roster.put(ROMEO, Item(JULIET))
    second = await stores.roster.remove(ROMEO, JULIET)
    assert second is not None
    assert second > first
    assert await stores.roster.load(ROMEO) == Roster(second, ())


async def test_what_no_client_sees_moves_no_version(stores: Stores) -> None:
    hidden = Item(JULIET, request=REQUEST, listed=False)
    assert await stores.roster.put(ROMEO, hidden) == 0
    assert await stores.roster.load(ROMEO) == Roster(0, (hidden,))
    shown = await stores.roster.put(ROMEO, replace(hidden, listed=True))
    assert shown > 0
    assert await stores.roster.put(ROMEO, Item(JULIET)) == shown
    assert await stores.roster.put(ROMEO, Item(JULIET)) == shown
    assert await stores.roster.put(ROMEO, Item(JULIET, "J")) > shown


async def test_versions_are_not_given_out_again(stores: Stores, clock: ManualClock) -> None:
    await stores.accounts.create(ROMEO, [], clock.now())
    for _ in range(3):
        version = await stores.roster.put(ROMEO, Item(JULIET))
        await stores.roster.remove(ROMEO, JULIET)
    clock.advance(1)
    await stores.accounts.delete(ROMEO)
    await stores.accounts.create(ROMEO, [], clock.now())
    assert await stores.roster.load(ROMEO) == Roster(0, ())
    assert await stores.roster.changes_since(ROMEO, version) is None
    assert await stores.roster.put(ROMEO, Item(NURSE)) > version
    assert await stores.roster.changes_since(ROMEO, version) is None


async def test_changes_are_told_in_the_order_in_which_they_happened(stores: Stores) -> None:
    put, remove = stores.roster.put, stores.roster.remove
    start = await put(ROMEO, Item(JULIET))
    await put(ROMEO, Item(NURSE))
    await put(ROMEO, Item(JID.parse("hidden@x.example"), request="<presence/>", listed=False))
    gone = await remove(ROMEO, JULIET)
    last = await put(ROMEO, Item(NURSE, "Angelica"))
    assert gone
    expected = (Change(gone, JULIET, None), Change(last, NURSE, Item(NURSE, "Angelica")))
    assert await stores.roster.changes_since(ROMEO, start) == Changes(last, expected)
    assert await stores.roster.changes_since(ROMEO, gone) == Changes(last, expected[1:])
    assert await stores.roster.changes_since(ROMEO, last) == Changes(last, ())
    back = await put(ROMEO, Item(JULIET, "again"))
    assert await stores.roster.changes_since(ROMEO, gone) == Changes(
        back, (expected[1], Change(back, JULIET, Item(JULIET, "again")))
    )


async def test_an_unknown_version_means_the_whole_roster(stores: Stores) -> None:
    assert await stores.roster.changes_since(ROMEO, 0) == Changes(0, ())
    assert await stores.roster.changes_since(ROMEO, 7) is None
    version = await stores.roster.put(ROMEO, Item(JULIET))
    for unknown in (-1, 0, version - 1, version + 1):
        assert await stores.roster.changes_since(ROMEO, unknown) is None


async def test_old_removals_are_forgotten_and_then_the_whole_is_needed(stores: Stores) -> None:
    start = await stores.roster.put(ROMEO, Item(JULIET))
    contacts = [JID("c", f"{number}.example") for number in range(REMOVALS + 1)]
    adds = [Edit(ROMEO, jid, lambda _, jid=jid: Item(jid)) for jid in contacts]  # type: ignore[misc]
    removals = [Edit(ROMEO, jid, lambda _: None) for jid in contacts]
    await stores.roster.edit(*adds)
    *_, before_last = await stores.roster.edit(*removals[:-1])
    since_start = await stores.roster.changes_since(ROMEO, start)
    assert since_start
    assert len(since_start.changes) == REMOVALS + 1  # and the contact that is left
    (last,) = await stores.roster.edit(removals[-1])
    assert await stores.roster.changes_since(ROMEO, start) is None
    since_last = await stores.roster.changes_since(ROMEO, before_last.version)
    assert since_last == Changes(last.version, (Change(last.version, contacts[-1], None),))


async def test_both_sides_of_a_subscription_change_at_once(stores: Stores) -> None:
    await stores.roster.put(JULIET, Item(ROMEO, subscription="to"))

    def approve(item: Item | None) -> Item:
        assert item
        return replace(item, subscription="both")

    edited = await stores.roster.edit(
        Edit(ROMEO, JULIET, lambda item: item or Item(JULIET, subscription="both")),
        Edit(JULIET, ROMEO, approve),
    )
    his, hers = [(await stores.roster.load(jid)).version for jid in (ROMEO, JULIET)]
    assert edited == (
        Edited(ROMEO, JULIET, None, Item(JULIET, subscription="both"), his),
        Edited(
            JULIET, ROMEO, Item(ROMEO, subscription="to"), Item(ROMEO, subscription="both"), hers
        ),
    )


async def test_if_one_edit_fails_nothing_is_kept(stores: Stores) -> None:
    def refuse(_: Item | None) -> Item:
        raise LookupError("no")

    version = await stores.roster.put(ROMEO, Item(JULIET))
    with pytest.raises(LookupError, match="no"):
        await stores.roster.edit(
            Edit(ROMEO, JULIET, lambda _: None), Edit(NURSE, JULIET, refuse)
        )  # fmt: skip
    assert await stores.roster.load(ROMEO) == Roster(version, (Item(JULIET),))


async def test_edits_at_the_same_time_lose_nothing(stores: Stores) -> None:
    def longer(item: Item | None) -> Item:
        return Item(JULIET, ((item and item.name) or "") + "x")

    edits = [stores.roster.edit(Edit(ROMEO, JULIET, longer)) for _ in range(50)]
    results = await asyncio.gather(*edits)
    assert len({edited.version for (edited,) in results}) == 50
    assert await stores.roster.find(ROMEO, JULIET) == Item(JULIET, "x" * 50)


async def test_a_full_roster_takes_no_more_but_what_it_has_may_change(stores: Stores) -> None:
    limits = Limits(listed=1, waiting=1)
    put = stores.roster.put
    hidden = Item(NURSE, request=REQUEST, listed=False)
    other = JID.parse("other@x.example")
    await put(ROMEO, Item(JULIET), limits)
    await put(ROMEO, hidden, limits)
    for item in (Item(other), replace(hidden, jid=other), replace(hidden, listed=True)):
        with pytest.raises(QuotaExceeded):
            await put(ROMEO, item, limits)
    await put(ROMEO, Item(JULIET, "changed"), Limits(0, 0))
    await stores.roster.remove(ROMEO, JULIET)
    await put(ROMEO, replace(hidden, listed=True), limits)
    assert (await stores.roster.load(ROMEO)).items == (replace(hidden, listed=True),)


OWNERS = [ROMEO, JID.parse("romeo@other.lit")]
CONTACTS = [JID.parse(f"{name}@capulet.lit") for name in ("juliet", "nurse", "tybalt")]
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
items = st.builds(
    Item,
    st.sampled_from(CONTACTS),
    st.none() | texts,
    st.lists(texts, max_size=2).map(tuple),
    st.sampled_from(["none", "to", "from", "both"]),
    st.booleans(),
    st.booleans(),
    st.none() | st.just(REQUEST),
    st.booleans(),
)


class RostersAgainstDicts(RuleBasedStateMachine):
    """Whatever is done: rosters are what a dict would be, and a client that follows the
    changes from any version that it was given ends with the list that it would load."""

    template: Path
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        (self.folder / "pyrite.db").write_bytes(self.template.read_bytes())
        self.clock = ManualClock()
        self.stores = self.loop.run_until_complete(open_stores(URL, self.folder, self.clock))
        self.model: dict[JID, dict[JID, Item]] = {owner: {} for owner in OWNERS}
        self.seen: dict[JID, dict[int, dict[JID, Item]]] = {owner: {0: {}} for owner in OWNERS}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.stores.close())
        self.loop.close()

    @rule(owner=st.sampled_from(OWNERS), item=items)
    def put(self, owner: JID, item: Item) -> None:
        self.loop.run_until_complete(self.stores.roster.put(owner, item))
        self.model[owner][item.jid] = item

    @rule(owner=st.sampled_from(OWNERS), contact=st.sampled_from(CONTACTS))
    def remove(self, owner: JID, contact: JID) -> None:
        version = self.loop.run_until_complete(self.stores.roster.remove(owner, contact))
        assert (version is None) == (self.model[owner].pop(contact, None) is None)

    @rule(seconds=st.sampled_from([0.001, 60]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def rosters_are_the_dicts(self) -> None:
        for owner in OWNERS:
            roster = self.loop.run_until_complete(self.stores.roster.load(owner))
            assert roster.items == tuple(
                self.model[owner][jid] for jid in sorted(self.model[owner])
            )
            shown = {i.jid: replace(i, request=None) for i in roster.items if i.listed}
            assert self.seen[owner].setdefault(roster.version, shown) == shown
            self.changes_lead_to_the_present(owner)

    def changes_lead_to_the_present(self, owner: JID) -> None:
        present = max(self.seen[owner])
        for version, shown in self.seen[owner].items():
            changes = self.loop.run_until_complete(self.stores.roster.changes_since(owner, version))
            if version or not present:
                assert changes
                assert changes.version == present
                assert follow(shown, changes) == self.seen[owner][present]


def follow(shown: dict[JID, Item], changes: Changes) -> dict[JID, Item]:
    result = dict(shown)
    versions = [change.version for change in changes.changes]
    assert versions == sorted(set(versions))
    for change in changes.changes:
        result.pop(change.jid, None)
        if change.item:
            result[change.jid] = replace(change.item, request=None)
    return result


def test_rosters_behave_like_dicts(template: Path, tmp_path: Path) -> None:
    RostersAgainstDicts.template, RostersAgainstDicts.folder = template, tmp_path
    moderate = settings(max_examples=20, stateful_step_count=15, deadline=None)
    run_state_machine_as_test(RostersAgainstDicts, settings=moderate)
