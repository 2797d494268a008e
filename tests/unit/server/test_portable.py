"""Accounts go out as a file and come in again, the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.places import HAMLET, Places, two_places

from pyrite.core.jid import JID
from pyrite.core.sasl import derive
from pyrite.core.stanza import Message
from pyrite.core.xml import Element, Name, escape
from pyrite.server.store import portable as kinds
from pyrite.server.store.accounts import Account
from pyrite.server.store.archive import Keep
from pyrite.server.store.roster import Item

STAMP = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with two_places(tmp_path_factory.mktemp("places")) as both:
        yield both


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SAYABLE = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=20,
)
NAMES = st.text("abcdefgh", min_size=1, max_size=4)
MOMENTS = st.integers(0, 4_000_000_000_000).map(
    lambda ms: datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
)
CONTACTS = NAMES.map(lambda name: JID(name, "mantua.lit"))
ITEMS = st.builds(
    Item,
    CONTACTS,
    st.none() | SAYABLE,
    st.lists(NAMES, max_size=3, unique=True).map(tuple),
    st.sampled_from(["none", "to", "from", "both"]),
).flatmap(
    lambda item: st.builds(
        lambda ask, approved: Item(
            item.jid,
            item.name,
            item.groups,
            item.subscription,
            ask and item.subscription in ("none", "from"),
            approved and item.subscription in ("none", "to"),
        ),
        st.booleans(),
        st.booleans(),
    )
)


def message(sender: JID, text: str) -> str:
    return f'<message to="{HAMLET}" from="{sender}"><body>{escape(text)}</body></message>'


def rules(name: str, blocked: list[JID]) -> kinds.PrivacyList:
    items = "".join(
        f'<item action="deny" order="{n}" type="jid" value="{jid}"/>'
        for n, jid in enumerate(blocked, 1)
    )
    text = f'<list xmlns="jabber:iq:privacy" name="{name}">{items}</list>'
    return kinds.PrivacyList(name, text if items else text.replace("></list>", "/>"))


def private(ns: str, name: str, text: str) -> kinds.Private:
    return kinds.Private(f"urn:{ns}", name, f'<{name} xmlns="urn:{ns}">{escape(text)}</{name}>')


@st.composite
def belongings(draw: st.DrawFn) -> list[kinds.Thing]:
    """What one account may have, in the order in which it is told."""
    contacts = draw(st.lists(ITEMS, max_size=4, unique_by=lambda item: item.jid))
    asking = draw(st.lists(CONTACTS, max_size=3, unique=True))
    seen = {i.jid for i in contacts if i.subscription in ("from", "both") or i.approved}
    things: list[kinds.Thing] = [
        kinds.Contact(item) for item in sorted(contacts, key=lambda item: item.jid.text)
    ]
    things += [
        kinds.Request(jid, f'<presence type="subscribe" to="{HAMLET}" from="{jid}" id="1"/>')
        for jid in sorted(asking, key=str)
        if jid not in seen
    ]
    for sender, when, text in draw(st.lists(st.tuples(CONTACTS, MOMENTS, SAYABLE), max_size=4)):
        things.append(kinds.Offline(sender, when, message(sender, text)))
    elements = draw(st.dictionaries(st.tuples(NAMES, NAMES), SAYABLE, max_size=4))
    things += [private(ns, name, text) for (ns, name), text in sorted(elements.items())]
    if draw(st.booleans()):
        card = '<vCard xmlns="vcard-temp"><FN>Hamlet</FN></vCard>'
        things.append(kinds.Card(card, None))
    lists = draw(st.dictionaries(NAMES, st.lists(CONTACTS, max_size=3, unique=True), max_size=3))
    things += [rules(name, jids) for name, jids in sorted(lists.items())]
    if lists and draw(st.booleans()):
        things.append(kinds.DefaultList(draw(st.sampled_from(sorted(lists)))))
    if draw(st.booleans()):
        things.append(kinds.Last(draw(MOMENTS), draw(st.none() | SAYABLE)))
    for name in sorted(draw(st.sets(NAMES, max_size=2))):
        told = [draw(st.none() | SAYABLE) for _ in range(3)]
        things.append(kinds.Client(name, *told, draw(MOMENTS), draw(MOMENTS)))
    values = draw(st.dictionaries(st.tuples(NAMES, WORDS), WORDS, max_size=4))
    things += [kinds.Value(*key, value) for key, value in sorted(values.items())]
    entries = draw(st.lists(st.tuples(NAMES, MOMENTS, WORDS), max_size=4))
    things += [kinds.Entry(*entry) for entry in sorted(entries, key=lambda one: one[0])]
    return things


@st.composite
def histories(draw: st.DrawFn) -> list[kinds.Archived]:
    """Messages to and from Hamlet, whose stamps may be in any order."""
    told: list[kinds.Archived] = []
    for peer, is_sent, when, text in draw(
        st.lists(st.tuples(CONTACTS, st.booleans(), MOMENTS, SAYABLE), max_size=5)
    ):
        sender, to = (HAMLET, peer) if is_sent else (peer, HAMLET)
        element = Element(Name("jabber:client", "body"), None, (text,))
        stanza = Message("chat", to, sender, f"m{len(told)}", (element,)).write()
        archived = kinds.Archived(
            None, peer, when, stanza, text, f"m{len(told)}", is_sent, is_groupchat=False
        )
        told.append(archived)
    return told


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    things=belongings(),
    history=histories(),
    created=MOMENTS,
    disabled=st.booleans(),
    count=st.integers(0, 3),
)
def test_what_goes_out_comes_in_again(
    places: Places,
    things: list[kinds.Thing],
    history: list[kinds.Archived],
    created: datetime,
    disabled: bool,
    count: int,
) -> None:
    mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"][:count]
    keys = tuple(derive(name, "to be", b"salt" * 4, 4096) for name in mechanisms)
    account = Account(HAMLET, created, disabled, keys)

    async def there_and_back() -> None:
        here, there = places.here, places.there
        for place in (here, there):
            await place.server.stores.accounts.delete(HAMLET)
            await place.server.stores.archive.purge(Keep())  # else old ids are still taken
        assert await here.server.stores.portable.create(account, lambda: things + history)
        assert await here.things() == things
        assert [one.stanza for one in await here.history()] == [one.stanza for one in history]
        first = await here.export(HAMLET)
        total, (outcome,) = await there.bring(first)
        assert outcome.left_out == {}
        assert (total.imported, total.refused, total.incomplete) == (1, 0, 0)
        assert await there.things() == things
        assert await there.history() == await here.history()
        for archived in history:
            store, name = there.server.stores.archive, archived.name or ""
            found = await store.find(HAMLET, archived.peer, name, is_sent=archived.is_sent)
            assert found is not None
            assert found.stanza == archived.stanza
        assert await there.server.stores.accounts.find(HAMLET) == account
        assert await there.export(HAMLET) == first

    places.run(there_and_back())
