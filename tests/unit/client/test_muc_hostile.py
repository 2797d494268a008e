"""Rooms that send whatever comes to their mind: nothing breaks, and what is told holds together."""

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyrite.client.mod.muc import Joined, Left, Muc, NickChanged, Occupant, Room, RoomEvent, Said
from pyrite.client.mod.muc.room import Wishes
from pyrite.core.stanza import NS, read
from pyrite.core.xml import Element, Name, parse
from pyrite.wire import hats, muc, occupants, roominfo, stanzaid

from .rooms import DEN, END, OWN, USER, absent, inside, present, words
from .scripted import ME, PATIENCE, Scripted

NICKS = st.sampled_from(["fox", "wolf", "owl", "Fuchs", None])
CODES = st.lists(st.sampled_from([*muc.STATUS, 0, 999, 65535]), max_size=3)
KNOWN = frozenset({occupants.NS, hats.NS, stanzaid.NS})
SNIPPETS = st.sampled_from(
    [
        "<body>x</body>",
        "<body/>",
        "<subject>s</subject>",
        "<subject/>",
        "<thread>t</thread>",
        "<show>away</show>",
        "<show>gone fishing</show>",
        "<status>bye</status>",
        "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z' from='den@conf.lit'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='yesterday'/>",
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='1'/>",
        "<occupant-id xmlns='urn:xmpp:occupant-id:0'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='s' by='den@conf.lit'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='s' by='@'/>",
        "<hats xmlns='urn:xmpp:hats:0'><hat/></hats>",
        "<hats xmlns='urn:xmpp:hats:0'><hat title='t' uri='u' hue='red'/></hats>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='s'>"
        "<moderated xmlns='urn:xmpp:message-moderate:1' by='@'/></retract>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='s'>"
        "<moderated xmlns='urn:xmpp:message-moderate:1'/></retract>",
        "<retract xmlns='urn:xmpp:message-retract:1'/>",
        f"<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'>"
        f"<value>{roominfo.NS_REQUEST}</value></field><field var='muc#request_allow'/></x>",
        "<x xmlns='jabber:x:data' type='form'><field><value/></field></x>",
        "<x xmlns='jabber:x:conference' jid='@'/>",
        "<error type='what'/>",
        "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    ]
)
ITEMS = st.builds(
    Element,
    st.sampled_from([Name(muc.NS_USER, "item"), Name(muc.NS_ADMIN, "item")]),
    st.dictionaries(
        st.sampled_from(["affiliation", "role", "nick", "jid"]),
        st.sampled_from(["owner", "none", "moderator", "emperor", "a@b.lit/c", "@", "wolf", ""]),
        max_size=4,
    ),
)
MORE = st.sampled_from(
    ["", "<destroy/>", "<destroy jid='@'/>", "<password>p</password>", "<invite to='@'/>",
     "<decline/>", "<actor jid='@'/>", "<continue thread='t'/>", "<status code='x'/>"]
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A stanza of the room or of somebody in it, with this and that on it."""
    kind = draw(st.sampled_from(["presence", "message"]))
    type = draw(st.sampled_from([None, "unavailable", "error", "groupchat", "chat", "subscribe"]))
    nick = draw(NICKS)
    codes = "".join(f"<status code='{code}'/>" for code in draw(CODES))
    item = "".join(map(str, draw(st.lists(ITEMS, max_size=2))))
    user = USER.format(item + codes + draw(MORE)) if draw(st.booleans()) else ""
    sender = f"{DEN}/{nick}" if nick else str(DEN)
    told = f" type='{type}'" if type else ""
    parts = "".join(draw(st.lists(SNIPPETS, max_size=3)))
    return f"<{kind} from='{sender}' to='{ME}' id='i'{told}>{user}{parts}</{kind}>"


NAMES = st.sampled_from(["fox", "wolf", "owl", "Fuchs"])
PLAIN = st.one_of(  # what rooms do send, in any order
    st.builds(present, NAMES, st.sampled_from(["", OWN, OWN + "<status code='210'/>"])),
    st.builds(present, NAMES, st.just(""), st.sampled_from(["moderator", "visitor", "none"])),
    st.builds(
        lambda nick, code, to, own: absent(nick, code, *own, more=f" nick='{to}'"),
        NAMES,
        st.sampled_from([0, 301, 303, 303, 307, 321, 332, 333]),
        NAMES,
        st.sampled_from([(), (110,)]),
    ),
    st.builds(lambda nick: absent(nick, 110).replace("</x>", "<destroy/></x>"), NAMES),
    st.builds(words, NICKS, st.sampled_from(["<body>x</body>", "<subject>s</subject>"])),
)


def check(room: Room, events: list[RoomEvent]) -> None:
    """Who is said to come is there, who is said to go is not, and we are who we are."""
    assert (room.me is None) or room.occupants.get(room.nick) is room.me
    assert all(nick == who.nick for nick, who in room.occupants.items())
    for event in events:
        match event:
            case Joined(who):
                assert room.occupants[who.nick] == who
            case Left(who):
                assert who.nick not in room.occupants
            case NickChanged(who, before):
                assert room.occupants[who.nick] == who
                assert before == who.nick or before not in room.occupants


async def goes(stanzas: list[str], *, is_in: bool, is_known: bool) -> None:
    room = Room(Scripted(Muc), DEN, Wishes("fox"))
    room.features = KNOWN if is_known else frozenset()
    begin = [present("wolf"), present("fox", OWN)] if is_in else []
    for text in begin + stanzas:
        events = room.take(read(parse(text, NS)))
        check(room, events)
        await room.tell(events)


@settings(deadline=None, max_examples=400)
@given(st.lists(PLAIN, min_size=1, max_size=4), st.booleans())
@example([absent("wolf", 303, more=" nick='fox'")], True)  # our own
@example([present("wolf", OWN), absent("fox", 110)], True)
def test_what_rooms_send_in_any_order(stanzas: list[str], is_in: bool) -> None:
    asyncio.run(goes(stanzas, is_in=is_in, is_known=True))


@settings(deadline=None, max_examples=200)
@given(st.lists(PLAIN | texts(), max_size=12), st.booleans(), st.booleans())
def test_any_stanza_of_a_room(stanzas: list[str], is_in: bool, is_known: bool) -> None:
    asyncio.run(goes(stanzas, is_in=is_in, is_known=is_known))


async def test_a_room_of_millions(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may say that they are there; they are not all remembered."""
    monkeypatch.setattr("pyrite.client.mod.muc.view.MOST", 10)
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        events = room.events()
        await client.hears(*(present(f"nick{number}") for number in range(100)), END)
        joined = 0
        while isinstance(await events.next(), Joined):
            joined += 1
        assert joined == 8
        assert len(room.occupants) == 10
        assert room.nick in room.occupants
        await client.hears(words("nick99", "<body>here</body>"))
        said = await events.next()
        assert isinstance(said, Said)
        assert said.who == Occupant("nick99")  # as somebody whom we do not see
