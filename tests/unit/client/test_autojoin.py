"""Bookmarks that say to be in a room, and rooms that do not always let us in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pyrite.client.autojoin import WAITS, Autojoin, RoomJoined, RoomNotJoined
from pyrite.client.mod.bookmarks import BookmarkChanged, Bookmarks
from pyrite.client.mod.muc import Muc
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.core.stanza import Iq, Stanza
from pyrite.core.xml import write
from pyrite.wire import bookmarks, muc
from pyrite.wire.bookmarks import Bookmark

from .rooms import DEN, OWN, absent, present
from .scripted import PATIENCE, Scripted

CAVE = JID.parse("cave@conf.lit")
NO = (
    "<presence type='error' from='{}'><error type='{}'><{}"
    " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
)


def items(marks: dict[JID, Bookmark]) -> str:
    inside = "".join(
        f"<item id='{jid}'>{write(encode(mark))}</item>" for jid, mark in marks.items()
    )
    return (
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        f"<items node='{bookmarks.NS}'>{inside}</items></pubsub>"
    )


async def next_of(client: Scripted, room: JID) -> Stanza:
    """What the client says to the room next; what it asks it is answered."""
    while True:
        said = await client.said()
        if isinstance(said, Iq):
            await client.hears(
                f"<iq type='result' from='{said.to}' id='{said.id}'><query"
                " xmlns='http://jabber.org/protocol/disco#info'/></iq>"
            )
        elif said.to is not None and said.to.bare == room:
            return said


@asynccontextmanager
async def with_bookmarks(marks: dict[JID, Bookmark]) -> AsyncIterator[Scripted]:
    client = Scripted(Autojoin)
    entering = asyncio.ensure_future(client.__aenter__())
    await asyncio.sleep(0)
    asked = await client.said()
    await client.hears(f"<iq type='result' id='{asked.id}'>{items(marks)}</iq>")
    async with asyncio.timeout(PATIENCE):
        await entering
        try:
            yield client
        finally:
            await client.__aexit__(None, None, None)


async def test_joins_what_is_to_be_joined() -> None:
    marks = {
        DEN: Bookmark("Den", autojoin=True, nick="fox", password="sesame"),
        CAVE: Bookmark("Cave", nick="fox"),
    }
    async with with_bookmarks(marks) as client:
        joined = client.hear(RoomJoined)
        asked = await next_of(client, DEN)
        assert asked.to == DEN.at("fox")
        join = asked.get(muc.Join)
        assert join is not None
        assert join.password == "sesame"
        await client.hears(present("fox", OWN))
        assert (await joined.next()).room.jid == DEN
        assert client[Autojoin].rooms.keys() == {DEN}
        await client.tell(BookmarkChanged(CAVE, Bookmark("Cave", autojoin=True, nick="bat")))
        assert (await next_of(client, CAVE)).to == CAVE.at("bat")
        await client.tell(BookmarkChanged(DEN, Bookmark("Den", nick="fox")))
        leaving = await next_of(client, DEN)
        assert leaving.type == "unavailable"
        await client.hears(absent("fox", 110))
        while DEN in client[Autojoin]._stays:
            await client.step(0)
        assert DEN not in client[Muc]._rooms


@pytest.mark.parametrize("mark", [None, Bookmark("Den")])
async def test_who_is_not_in_yet_does_not_come(mark: Bookmark | None) -> None:
    async with with_bookmarks({DEN: Bookmark("Den", autojoin=True, nick="fox")}) as client:
        failed = client.hear(RoomNotJoined)
        await next_of(client, DEN)
        await client.hears(NO.format(DEN, "wait", "resource-constraint"))
        assert not (await failed.next()).is_final
        await client.tell(BookmarkChanged(DEN, mark))
        while client[Autojoin]._stays:
            await client.step(0)
        await client.step(WAITS[0] * 2)
        assert client.link.sent.empty()


async def test_a_room_that_is_full_is_asked_again() -> None:
    async with with_bookmarks({DEN: Bookmark("Den", autojoin=True, nick="fox")}) as client:
        failed, joined = client.hear(RoomNotJoined), client.hear(RoomJoined)
        for _ in WAITS:
            await next_of(client, DEN)
            await client.hears(NO.format(DEN, "cancel", "conflict"))
            assert not (await failed.next()).is_final
            while client.link.sent.empty():
                await client.step(100)
        await next_of(client, DEN)
        await client.hears(present("fox", OWN))
        await joined.next()


@pytest.mark.parametrize(("type", "condition"), [("auth", "forbidden"), ("auth", "not-authorized")])
async def test_a_room_that_never_lets_us_in(type: str, condition: str) -> None:
    async with with_bookmarks({DEN: Bookmark("Den", autojoin=True, nick="fox")}) as client:
        failed = client.hear(RoomNotJoined)
        await next_of(client, DEN)
        await client.hears(NO.format(DEN, type, condition))
        told = await failed.next()
        assert (told.room, told.is_final) == (DEN, True)
        while client[Autojoin]._stays:
            await client.step(0)
        again = Bookmark("Den", autojoin=True, nick="fox", password="sesame")
        await client.tell(BookmarkChanged(DEN, again))  # which is another matter
        assert (await next_of(client, DEN)).to == DEN.at("fox")


async def test_who_is_thrown_out_does_not_come_back_by_itself() -> None:
    async with with_bookmarks({DEN: Bookmark("Den", autojoin=True, nick="fox")}) as client:
        joined = client.hear(RoomJoined)
        await next_of(client, DEN)
        await client.hears(present("fox", OWN))
        await joined.next()
        await client.hears(absent("fox", 110, 307))
        while client[Autojoin]._stays:
            await client.step(0)
        assert client.link.sent.empty()


async def test_the_next_session_has_other_bookmarks() -> None:
    async with with_bookmarks({DEN: Bookmark("Den", autojoin=True, nick="fox")}) as client:
        joined = client.hear(RoomJoined)
        await next_of(client, DEN)
        await client.hears(present("fox", OWN))
        await joined.next()
        client.link.abort()
        while client.link.receive is None or client.link._end.done():
            await client.step(0.1)
        asked = await client.said()
        marks = {CAVE: Bookmark("Cave", autojoin=True, nick="bat")}
        await client.hears(f"<iq type='result' id='{asked.id}'>{items(marks)}</iq>")
        assert (await next_of(client, CAVE)).to == CAVE.at("bat")
        assert client[Bookmarks].rooms == marks
        while DEN in client[Autojoin]._stays:
            await client.step(0.1)


async def test_who_is_to_leave_and_then_to_stay() -> None:
    """It goes and comes again, for the room may have been left on another client by then."""
    mark = Bookmark("Den", autojoin=True, nick="fox")
    async with with_bookmarks({DEN: mark}) as client:
        joined = client.hear(RoomJoined)
        await next_of(client, DEN)
        await client.hears(present("fox", OWN))
        await joined.next()
        await client.tell(BookmarkChanged(DEN, Bookmark("Den")))
        assert (await next_of(client, DEN)).type == "unavailable"
        await client.tell(BookmarkChanged(DEN, mark))
        await client.hears(absent("fox", 110))
        assert (await next_of(client, DEN)).type is None
        await client.hears(present("fox", OWN))
        await joined.next()
        assert client[Autojoin].rooms.keys() == {DEN}


async def test_rooms_of_the_program_are_left_alone() -> None:
    async with with_bookmarks({}) as client:
        joining = client[Muc].join(DEN, "fox")
        entering = asyncio.ensure_future(joining.__aenter__())
        await next_of(client, DEN)
        await client.hears(present("fox", OWN))
        room = await entering
        failed = client.hear(RoomNotJoined)
        await client.tell(BookmarkChanged(DEN, Bookmark("Den", autojoin=True, nick="fox")))
        await failed.next()
        await client.tell(BookmarkChanged(DEN, None))
        while client[Autojoin]._stays:
            await client.step(0)
        assert not room.is_over
        assert client.link.sent.empty()
