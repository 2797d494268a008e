"""What accounts publish, and who only claims to have published it."""

import asyncio
from contextlib import aclosing

import pytest

from pyrite.client.mod.avatars import AvatarChanged, Avatars
from pyrite.client.mod.bookmarks import BookmarkChanged, Bookmarks
from pyrite.client.mod.displayed import Displayed, DisplayedElsewhere
from pyrite.client.mod.pep import Pep
from pyrite.client.mod.pubsub import PubSub
from pyrite.client.mod.vcards import VCards
from pyrite.client.node import Published, Withdrawn
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.core.stanza import Iq, Presence
from pyrite.core.xml import write
from pyrite.wire import avatars, bookmarks, displayed, pubsub
from pyrite.wire.bookmarks import Bookmark
from pyrite.wire.private import Private
from pyrite.wire.stanzaid import StanzaId
from pyrite.wire.tune import Tune
from pyrite.wire.vcard import Photo, Update, VCard, avatar_hash

from .scripted import ME, PATIENCE, Scripted

DEN = JID.parse("den@conf.lit")
JULIET = JID.parse("juliet@capulet.lit")
EVENT = "http://jabber.org/protocol/pubsub#event"
ERROR = (
    "<iq type='error' id='{}'><error type='{}'>"
    "<{} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{}</error></iq>"
)


def event(node: str, inside: str, sender: JID = ME.bare) -> str:
    items = f"<items node='{node}'>{inside}</items>"
    return (
        f"<message from='{sender}' type='headline'><event xmlns='{EVENT}'>{items}</event></message>"
    )


def item(payload: object, id: str = "current") -> str:
    return f"<item id='{id}'>{write(encode(payload))}</item>"


def private(storage: bookmarks.Storage) -> Private:
    return Private((encode(storage),))


async def refuse(client: Scripted, condition: str, app: str = "", type: str = "cancel") -> Iq:
    asked = await client.said()
    assert isinstance(asked, Iq)
    await client.hears(ERROR.format(asked.id, type, condition, app))
    return asked


async def accept(client: Scripted, inside: str = "") -> Iq:
    asked = await client.said()
    assert isinstance(asked, Iq)
    await client.hears(f"<iq type='result' id='{asked.id}'>{inside}</iq>")
    return asked


async def next_session(client: Scripted) -> None:
    """Wait until the one that is over has another behind it."""
    last = client.link
    while client.link is last or client.link.receive is None:
        assert last.sent.empty()  # nothing else is asked for
        await client.step(0.1)


async def test_what_is_wanted_is_announced_while_somebody_listens() -> None:
    async with Scripted(Pep) as client, asyncio.timeout(PATIENCE):
        await client.send_presence(Presence())
        plain = await client.said()
        async with aclosing(client[Pep].subscribe(Tune)) as tunes:
            first = asyncio.ensure_future(anext(tunes))
            announced = await client.said()
            assert isinstance(announced, Presence)
            assert announced != plain  # another hash of what we can do
            assert f"{Tune.codec.name.ns}+notify" in client.features  # type: ignore[attr-defined]
            ns = "http://jabber.org/protocol/tune"
            await client.hears(
                event(ns, "<retract id='current'/>", JULIET),
                event(ns, "<item id='1'><tune xmlns='other'/></item>", JULIET),
                event(ns, item(Tune(title="forged")), JULIET.at("balcony")),
                event("other", item(Tune(title="elsewhere")), JULIET),
                event(ns, item(Tune(title="true")), JULIET),
            )
            told = await first
        assert (told.payload, told.publisher) == (Tune(title="true"), JULIET)
        assert client.forged["pubsub"] == 1
        assert await client.said() == plain


async def test_a_node_that_is_otherwise() -> None:
    """XEP-0060 §7.1.5: it is changed, or the refusal is told."""
    app = f"<precondition-not-met xmlns='{pubsub.NS_ERRORS}'/>"
    async with Scripted(Pep) as client, asyncio.timeout(PATIENCE):
        node, options = client[Pep].at(Tune), {"access_model": "open"}
        failing = asyncio.ensure_future(node.publish(Tune(), options=options, reconfigure=False))
        await refuse(client, "conflict", app)
        with pytest.raises(StanzaError) as refused:
            await failing
        assert pubsub.reason(refused.value) == "precondition-not-met"
        going = asyncio.ensure_future(node.publish(Tune(), "x", options=options))
        await refuse(client, "conflict", app)
        configured = await accept(client)
        asked = configured.get(pubsub.Owner)
        assert asked is not None
        assert asked.configure is not None
        assert asked.configure.form is not None
        assert asked.configure.form.value("pubsub#access_model") == "open"
        await accept(client)
        assert await going == "x"


async def test_a_node_that_is_not_there_and_settings_that_are_not_known() -> None:
    async with Scripted(Pep) as client, asyncio.timeout(PATIENCE):
        going = asyncio.ensure_future(client[Pep].publish(Tune(), options={"max_items": "max"}))
        await refuse(client, "resource-constraint")
        await refuse(client, "item-not-found")  # nothing to configure
        made = (await accept(client)).get(pubsub.PubSub)
        assert made is not None
        assert made.create == pubsub.Create("http://jabber.org/protocol/tune")
        again = (await accept(client)).get(pubsub.PubSub)
        assert again is not None
        assert again.options is None
        assert await going == "current"


async def test_pages_have_an_end() -> None:
    """XEP-0059: until there is no last, or nothing comes."""
    page = (
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'>{}</items>"
        "<set xmlns='http://jabber.org/protocol/rsm'><first>a</first><last>{}</last></set></pubsub>"
    )
    async with Scripted(PubSub) as client, asyncio.timeout(PATIENCE):
        node = client[Pep].at("n")

        async def read() -> list[str]:
            return [one.id async for one in node.items(Tune)]

        reading = asyncio.ensure_future(read())
        await accept(client, page.format(item(Tune(), "a"), "a"))
        asked = (await accept(client, page.format(item(Tune(), "b"), "b"))).get(pubsub.PubSub)
        assert asked is not None
        assert asked.page is not None
        assert asked.page.after == "a"
        await accept(client, page.format("", "b"))
        assert await reading == ["a", "b"]


async def test_only_our_account_tells_of_our_bookmarks() -> None:
    mark = Bookmark("Den", autojoin=True)
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        changes = client.hear(BookmarkChanged)
        client[Bookmarks]
        await refuse(client, "item-not-found")
        await client.hears(
            event(bookmarks.NS, item(mark, str(DEN)), JULIET),
            event(bookmarks.NS, item(mark, "@"), ME.bare),
            event(bookmarks.NS, item(mark, f"{DEN}/nick"), ME.bare),
            event(bookmarks.NS, item(mark, str(DEN))),
        )
        assert await changes.next() == BookmarkChanged(DEN, mark)
        assert client.forged["bookmark"] == 1
        assert client[Bookmarks].rooms == {DEN: mark}
        await client.hears(
            event(bookmarks.NS, f"<retract id='{DEN}'/>", JULIET),
            event(bookmarks.NS, f"<retract id='{DEN}'/>"),
        )
        assert await changes.next() == BookmarkChanged(DEN, None)


@pytest.mark.parametrize("condition", ["feature-not-implemented", "service-unavailable"])
async def test_bookmarks_where_only_older_clients_had_them(condition: str) -> None:
    """XEP-0048 §5, in XEP-0049's store, for a server that has no other."""
    mark = Bookmark("Den", autojoin=True)
    old = bookmarks.put(bookmarks.Storage(), DEN, mark)
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        client[Bookmarks]
        await refuse(client, condition)
        assert (await accept(client, write(encode(private(old))))).has(Private)
        await client.begun(Bookmarks)
        assert client[Bookmarks].rooms == {DEN: mark}
        removing = asyncio.ensure_future(client[Bookmarks].remove(DEN))
        assert (await accept(client, write(encode(private(old))))).has(Private)
        written = await accept(client)
        assert (written.type, written.get(Private)) == ("set", private(bookmarks.Storage()))
        await removing


async def test_bookmarks_of_who_has_none_yet() -> None:
    """XEP-0402 §3: the first one makes the node. That it is not there is no reason to ask
    elsewhere."""
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        client[Bookmarks]
        await refuse(client, "item-not-found")
        await client.begun(Bookmarks)
        putting = asyncio.ensure_future(client[Bookmarks].put(DEN, Bookmark("Den")))
        assert (await accept(client)).has(pubsub.PubSub)
        await putting


@pytest.mark.parametrize(
    ("condition", "type"),
    [("internal-server-error", "wait"), ("resource-constraint", "wait"), ("forbidden", "auth")],
)
async def test_bookmarks_that_cannot_be_read_just_now(condition: str, type: str) -> None:
    """They are not elsewhere for that: a session that wrote them there would hide them from all
    other clients."""
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        beginning = asyncio.ensure_future(client.begun(Bookmarks))
        assert (await refuse(client, condition, type=type)).has(pubsub.PubSub)
        while not beginning.done():
            await client.step(0)
            assert client.link.sent.empty()  # nothing else is asked for
        with pytest.raises(StanzaError) as refused:
            await beginning
        assert (refused.value.condition, refused.value.type) == (condition, type)
        putting = asyncio.ensure_future(client[Bookmarks].put(DEN, Bookmark("Den")))
        assert (await accept(client)).has(pubsub.PubSub)
        await putting


async def test_a_session_in_which_bookmarks_cannot_be_read_is_tried_again() -> None:
    found, mark = "<pubsub xmlns='{}'><items node='{}'>{}</items></pubsub>", Bookmark("Den")
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        client[Bookmarks]
        await accept(client, found.format(pubsub.NS, bookmarks.NS, item(mark, str(DEN))))
        await client.begun(Bookmarks)
        client.link.abort()
        for _ in range(3):
            await next_session(client)
            assert client[Bookmarks].rooms == {DEN: mark}
            assert (await refuse(client, "internal-server-error", type="wait")).has(pubsub.PubSub)
        await next_session(client)
        await accept(client, found.format(pubsub.NS, bookmarks.NS, ""))
        while client[Bookmarks].rooms:
            await client.step(0)


async def test_only_our_account_tells_what_we_have_read() -> None:
    seen = displayed.Displayed(StanzaId("7", ME.bare))
    strange = displayed.Displayed(StanzaId("8", JID.parse("evil.lit")))
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        told = client.hear(DisplayedElsewhere)
        client[Displayed]
        await refuse(client, "service-unavailable")
        await client.hears(
            event(displayed.NS, item(seen, str(JULIET)), JULIET),
            event(displayed.NS, item(strange, str(JULIET))),
            event(displayed.NS, item(seen, "@")),
            event(displayed.NS, item(seen, str(JULIET))),
        )
        assert await told.next() == DisplayedElsewhere(JULIET, "7", ME.bare)
        assert client.forged["displayed"] == 1
        assert client[Displayed].last(JULIET) == StanzaId("7", ME.bare)


async def test_a_picture_that_is_not_what_it_is_called() -> None:
    info = avatars.Metadata((avatars.Info("00" * 20, 3, "image/png"),))
    answer = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'>{}</items></pubsub>"
    async with Scripted(Avatars) as client, asyncio.timeout(PATIENCE):
        changes = client.hear(AvatarChanged)
        fetching = asyncio.ensure_future(client[Avatars].fetch(ME.bare))
        for payload in (info, avatars.Data(b"abc")):
            asked = await client.said()
            await client.hears(
                f"<iq type='result' id='{asked.id}' from='{ME.bare}'>"
                f"{answer.format(item(payload))}</iq>"
            )
        await accept(client, "<vCard xmlns='vcard-temp'/>")
        assert await fetching is None
        assert client.forged["avatar"] == 1
        await client.hears(event(avatars.NS_METADATA, item(info), JULIET))
        assert await changes.next() == AvatarChanged(JULIET, "00" * 20)
        photo = "<x xmlns='vcard-temp:x:update'><photo/></x>"
        await client.hears(f"<presence from='{JULIET}/a'>{photo}</presence>")
        assert await changes.next() == AvatarChanged(JULIET, None)


async def test_what_happens_to_a_node() -> None:
    service = JID.parse("pubsub.lit")
    async with Scripted(PubSub) as client, asyncio.timeout(PATIENCE):
        node = client[PubSub].at(service, "n")
        async with aclosing(client[PubSub].events(node, Tune)) as events:
            first = asyncio.ensure_future(anext(events))
            await client.step(0)
            end = "<message from='pubsub.lit'><event xmlns='{}'><{} node='n'/></event></message>"
            await client.hears(
                event("n", item(Tune(title="of another service")), JULIET),
                event("n", item(Tune(title="x")), service),
                end.format(EVENT, "purge"),
                end.format(EVENT, "delete"),
                f"<message from='pubsub.lit'><event xmlns='{EVENT}'><purge/></event></message>",
            )
            told = await first
            assert isinstance(told, Published)
            assert told.payload == Tune(title="x")
            assert await anext(events) == Withdrawn(service, "n")
            assert await anext(events) == Withdrawn(service, "n", is_deleted=True)


async def test_the_hash_of_the_picture_in_a_card() -> None:
    """XEP-0153 §3.1, §4.3."""
    card = VCard().with_photo(Photo("image/png", "AAAA"))
    hash = avatar_hash(card)
    async with Scripted(VCards) as client, asyncio.timeout(PATIENCE):
        await client.send_presence(Presence())
        assert not (await client.said()).has(Update)
        setting = asyncio.ensure_future(client[VCards].set_vcard(card))
        await accept(client)
        assert (await client.said()).get(Update) == Update(hash)
        await setting
        update = "<x xmlns='vcard-temp:x:update'><photo>{}</photo></x>"
        await client.hears(
            f"<presence from='{JULIET}/x'>{update.format('other')}</presence>",
            f"<presence from='{ME}'>{update.format('other')}</presence>",
            f"<presence from='{ME.bare}/phone'>{update.format(hash)}</presence>",
            f"<presence from='{ME.bare}/phone'>{update.format('other')}</presence>",
        )
        await accept(client, "<vCard xmlns='vcard-temp'/>")
        assert (await client.said()).get(Update) == Update("")
        await client.hears(f"<presence from='{ME.bare}/old'/>")
        await client.send_presence(Presence())
        assert not (await client.said()).has(Update)
