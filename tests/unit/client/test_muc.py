"""A room, as the client sees it: every stanza that a room sends, and those of who is none."""

import asyncio
import sys

import pytest
from tests.service import until

from pyrite.client.errors import SessionReset
from pyrite.client.mod.muc import (
    AffiliationChanged,
    Banned,
    ConfigChanged,
    Declined,
    Destroyed,
    Excluded,
    Failed,
    Invited,
    Joined,
    Kicked,
    Left,
    Moderated,
    Muc,
    NickChanged,
    Occupant,
    Returned,
    RoleChanged,
    RoomEvent,
    Said,
    ShowChanged,
    ShutDown,
    ShutOut,
    SubjectChanged,
    Went,
    Whispered,
)
from pyrite.client.mod.muc.room import QUIET
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire import muc
from pyrite.wire.stanzaid import OriginId

from .rooms import DEN, OWN, USER, absent, enter, inside, present, told, words
from .scripted import ME, PATIENCE, Scripted

WOLF, FOX = Occupant("wolf", "participant"), Occupant("fox", "participant")
GONE = Occupant("wolf")
DELAY = "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z' from='{}'/>"
ID = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{}'/>"
ACTOR = "<actor nick='bear'/><reason>rude</reason>"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([present("owl")], [Joined(Occupant("owl", "participant"))]),
        ([present("wolf")], []),
        (
            [present("wolf", role="moderator", more=ACTOR)],
            [RoleChanged(Occupant("wolf", "moderator"), WOLF, "bear", "rude")],
        ),
        (
            [present("wolf").replace("</presence>", "<show>away</show></presence>")],
            [ShowChanged(Occupant("wolf", "participant", show="away"), WOLF)],
        ),
        ([absent("wolf", words="bye")], [Left(GONE, Went("bye"))]),
        ([absent("wolf", 307, inside=ACTOR)], [Left(GONE, Kicked("bear", "rude"))]),
        ([absent("wolf", 301)], [Left(GONE, Banned())]),
        ([absent("wolf", 321)], [Left(GONE, Excluded())]),
        ([absent("wolf", 322)], [Left(GONE, Excluded())]),
        ([absent("wolf", 332)], [Left(GONE, ShutDown())]),
        ([absent("wolf", 307, 333, words="broken")], [Left(GONE, Failed("broken"))]),
        ([absent("owl")], []),
        (
            [absent("wolf", 303, more=" nick='dog'"), present("dog")],
            [NickChanged(Occupant("dog", "participant"), "wolf")],
        ),
        ([words(None, "<subject>love</subject>")], [SubjectChanged("love")]),
        ([words("wolf", "<subject>love</subject>")] * 2, [SubjectChanged("love", WOLF)]),
        ([words(None, "<subject/>")], []),
        ([words(None, USER.format("<status code='104'/>"))], [ConfigChanged(frozenset({104}))]),
        ([words("wolf", USER.format("<status code='104'/>"))], []),
        (
            [words(None, USER.format("<item affiliation='member' jid='a@b.lit'/>"), "normal")],
            [AffiliationChanged(JID.parse("a@b.lit"), "member")],
        ),
        (
            [
                words(
                    None,
                    "<retract xmlns='urn:xmpp:message-retract:1' id='s'><moderated"
                    f" xmlns='urn:xmpp:message-moderate:1' by='{DEN}/bear'/></retract>",
                )
            ],
            [Moderated("s", DEN.at("bear"))],
        ),
        (
            [
                words(
                    "wolf",
                    "<retract xmlns='urn:xmpp:message-retract:1' id='s'><moderated"
                    f" xmlns='urn:xmpp:message-moderate:1' by='{DEN}/bear'/></retract>",
                )
            ],
            [],  # only the room can say so (XEP-0425 §4)
        ),
        ([f"<presence from='{DEN}' to='{ME}'>{USER.format(OWN)}</presence>"], []),
        ([f"<presence from='{DEN}/owl' to='{ME}'><x xmlns='other'/></presence>"], []),
        ([present("owl").replace("participant", "emperor")], []),
        ([words("wolf", "<body>x</body>", "headline")], []),
    ],
)
async def test_what_is_told(texts: list[str], expected: list[RoomEvent]) -> None:
    async with Scripted(Muc) as client:
        assert await told(client, *texts) == expected


async def test_words() -> None:
    sid = "<stanza-id xmlns='urn:xmpp:sid:0' id='s' by='{}'/>"
    async with Scripted(Muc) as client:
        heard = await told(
            client,
            words("wolf", "<body>old</body>" + DELAY.format(DEN) + sid.format(DEN)),
            words("wolf", "<body>new</body>" + DELAY.format(ME) + sid.format("evil.lit"), id="n"),
            words("wolf", "<body>old</body>" + DELAY.format(DEN) + sid.format(DEN)),
            words("fox", "<body>mine</body>", id="o"),
            words(None, "<body>beware</body>", id="r"),
            words("ghost", "<body>boo</body>" + ID.format("g"), id="g"),
            words("wolf", "<body>psst</body>", "chat", id="p"),
        )
    said = [event for event in heard if isinstance(event, Said)]
    assert [(one.who, one.body, one.at is not None, one.id, one.is_own) for one in said] == [
        (WOLF, "old", True, "s", False),
        (WOLF, "new", False, None, False),
        (FOX, "mine", False, None, True),
        (None, "beware", False, None, False),
        (Occupant("ghost", id="g"), "boo", False, None, False),
    ]
    whispered = [event for event in heard if isinstance(event, Whispered)]
    assert [(one.who, one.body) for one in whispered] == [(WOLF, "psst")]


async def test_an_old_message_of_another_with_that_nick() -> None:
    """XEP-0421 §1: the nick alone does not say who it was."""
    async with Scripted(Muc) as client:
        heard = await told(
            client,
            present("owl").replace("</presence>", ID.format("1") + "</presence>"),
            words("owl", "<body>a</body>" + ID.format("1"), id="a"),
            words("owl", "<body>b</body>" + ID.format("2"), id="b"),
        )
    who = [event.who for event in heard if isinstance(event, Said)]
    assert who == [Occupant("owl", "participant", id="1"), Occupant("owl", id="2")]


async def test_a_receipt_by_reflection_and_a_refusal() -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        receipt = await room.say("hi")
        sent = await client.said()
        assert sent.get(OriginId) == OriginId(sent.id or "")
        await client.hears(words("wolf", "<body>hi</body>", id=sent.id or ""))
        assert not receipt.acked.is_reached  # somebody else's words
        await client.hears(words("fox", "<body>hi</body>", id=sent.id or ""))
        await receipt.acked
        await receipt.delivered
        refused = await room.say("shout")
        sent = await client.said()
        error = (
            "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
        )
        await client.hears(words(None, error, "error", sent.id or ""))
        with pytest.raises(StanzaError, match="forbidden"):
            await refused.delivered


@pytest.mark.parametrize("condition", ["conflict", "forbidden", "registration-required"])
async def test_not_let_in(condition: str) -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox").__aenter__())
        await client.answers_disco()
        await client.said()
        await client.hears(
            f"<presence type='error' from='{DEN}/fox'><error type='cancel'><{condition}"
            " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
        )
        with pytest.raises(StanzaError, match=condition):
            await entering
        assert not client[Muc]._rooms


async def test_a_nick_that_the_room_chose() -> None:
    """§7.2.3: status 210."""
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        joining = client[Muc].join(DEN, "fox")
        entering = asyncio.ensure_future(joining.__aenter__())
        await client.answers_disco()
        await client.said()
        await client.hears(present("Fox1", OWN + "<status code='210'/>"))
        room = await entering
        assert room.nick == "Fox1"
        assert room.me == Occupant("Fox1", "participant")
        with pytest.raises(StanzaError, match="already"):
            await client[Muc].join(DEN, "other").__aenter__()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (absent("fox", 110, 307), Left),
        (absent("fox", 110).replace("</x>", "<destroy jid='b@conf.lit'/></x>"), Destroyed),
    ],
)
async def test_the_end(text: str, expected: type) -> None:
    async with Scripted(Muc) as client, inside(client) as room:
        events = room.events()
        await client.hears(text)
        async with asyncio.timeout(PATIENCE):
            assert [type(event) async for event in events] == [expected]
        assert room.me is None


async def test_it_comes_back_after_a_new_session() -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        events = room.events()
        client.link.abort()
        while client.link.receive is None or client.link._end.done():
            await client.step(0.1)
        while client.link.sent.empty():
            await client.step(0.1)
        asked = await enter(client, "fox")
        join = asked.get(muc.Join)
        assert join is not None
        assert join.history is not None
        assert join.history.since is not None
        assert isinstance(await events.next(), Returned)


@pytest.mark.parametrize(
    ("condition", "is_in"),
    [("service-unavailable", True), ("not-acceptable", False), ("remote-server-timeout", True)],
)
async def test_it_wonders_whether_it_is_in(condition: str, is_in: bool) -> None:
    """XEP-0410 §3.2: a service may have forgotten us without a word."""
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        events = room.events()
        while client.link.sent.empty():
            await client.step(QUIET)
        ping = await client.said()
        assert ping.to == DEN.at("fox")
        await client.hears(
            f"<iq type='error' from='{DEN}/fox' id='{ping.id}'><error type='cancel'><{condition}"
            " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
        if not is_in:
            while client.link.sent.empty():
                await client.step(0.1)
            await client.answers_disco()
            await client.said()
            await client.hears(
                f"<presence type='error' from='{DEN}'><error type='auth'><forbidden"
                " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
            )
            assert [type(event) async for event in events] == [ShutOut]


async def test_who_is_no_room() -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        events, invited = room.events(), client.hear(Invited)
        declined = client.hear(Declined)
        invite = USER.format("<invite from='a@b.lit'/>")
        decline = USER.format("<decline from='a@b.lit'/>")
        conference = "<x xmlns='jabber:x:conference' jid='@'/>"
        await client.hears(
            f"<message type='groupchat' from='evil@b.lit/x'><body>I am {DEN}</body></message>",
            f"<message from='{DEN}/wolf'>{invite}</message>",
            f"<message from='a@b.lit/x'>{conference}</message>",
            f"<message from='{DEN}'>{invite}</message>",
            f"<message from='{DEN}'><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
            f"<message from='{DEN}'>{decline}</message>",
            words("wolf", "<body>true</body>"),
        )
        said = await events.next()
        assert isinstance(said, Said)
        assert said.body == "true"
        assert (client.forged["room"], client.forged["invitation"]) == (1, 1)
        assert await invited.next() == Invited(DEN, JID.parse("a@b.lit"))
        assert await declined.next() == Declined(DEN, JID.parse("a@b.lit"))


async def test_a_session_that_is_lost_while_it_comes_in() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox").__aenter__())
        await client.said()  # what the room can do
        client.link.abort()
        while not entering.done():
            await client.step(0.1)
        with pytest.raises(SessionReset):
            await entering


async def test_a_thousand_occupants_are_small() -> None:
    """Nothing of a stanza is kept, nor any address but as text."""
    async with Scripted(Muc) as client, inside(client) as room:
        jid = "<item jid='user@b.lit/{}' "
        texts = [present(f"nick{n}").replace("<item ", jid.format(n)) for n in range(1000)]
        await client.hears(*texts)
        await until(lambda: len(room.occupants) == 1002)
        one = room.occupants["nick7"]
        assert one.jid == JID.parse("user@b.lit/7")
        assert not hasattr(one, "__dict__")
        sizes = [sys.getsizeof(part) for part in (one, one.nick, one.address)]
        assert sum(sizes) < 250
        assert one.role is room.occupants["nick8"].role
