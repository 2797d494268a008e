"""Rooms that the user's bookmarks say to be in, on every server that has both."""

import asyncio
from uuid import uuid4

import pytest

from pyrite.client.autojoin import Autojoin, RoomJoined, RoomNotJoined
from pyrite.client.mod.bookmarks import Bookmarks
from pyrite.client.mod.muc import Muc
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Presence
from pyrite.wire.bookmarks import Bookmark
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

pytestmark = pytest.mark.lacks(pyrite="neither rooms nor publish-subscribe are served yet")


def place() -> JID:
    return JID(f"marked-{uuid4().hex[:8]}", "conference.verona.example")


async def test_on_two_clients(login: Login) -> None:
    """XEP-0402 §4: at first, and as another client of the user's changes its bookmarks."""
    first, second = place(), place()
    async with (
        login("benvolio", features=[Bookmarks]) as laptop,
        login("nurse") as nurse,
        nurse[Muc].join(first, "Nurse") as room,
        asyncio.timeout(PATIENCE),
    ):
        await laptop[Bookmarks].put(first, Bookmark("First", autojoin=True, nick="Ben"))
        async with login("benvolio", features=[Autojoin]) as phone:
            joined = phone.hear(RoomJoined)
            await phone.send_presence(Presence())
            await phone.request(Ping())
            while first not in phone[Autojoin].rooms:
                await joined.next()
            assert phone[Autojoin].rooms[first].nick == "Ben"
            await laptop[Bookmarks].put(second, Bookmark("Second", autojoin=True))
            while second not in phone[Autojoin].rooms:
                await joined.next()
            assert phone[Autojoin].rooms[second].nick == "benvolio"
            stay = phone[Autojoin].rooms[first]
            await laptop[Bookmarks].put(first, Bookmark("First", nick="Ben"))
            await stay.over()
            await laptop[Bookmarks].remove(first)
            await laptop[Bookmarks].remove(second)
        assert not room.is_over


@pytest.mark.lacks(ejabberd_23="it tells no other client what was taken away")
async def test_a_bookmark_that_is_taken_away(login: Login) -> None:
    room = place()
    async with (
        login("paris", features=[Bookmarks]) as laptop,
        login("paris", features=[Autojoin]) as phone,
        asyncio.timeout(PATIENCE),
    ):
        joined = phone.hear(RoomJoined)
        await laptop[Bookmarks].put(room, Bookmark("Ours", autojoin=True))
        stay = (await joined.next()).room
        assert (stay.jid, stay.nick) == (room, "paris")
        await laptop[Bookmarks].remove(room)
        await stay.over()


async def test_a_room_that_does_not_let_us_in(login: Login) -> None:
    room = place()
    async with (
        login("mercutio", features=[Autojoin]) as mercutio,
        login("nurse") as nurse,
        nurse[Muc].join(room, "Nurse") as hers,
        asyncio.timeout(PATIENCE),
    ):
        await hers.ban(mercutio.jid)
        failed = mercutio.hear(RoomNotJoined)
        await mercutio[Bookmarks].put(room, Bookmark("Hers", autojoin=True))
        told = await failed.next()
        assert (told.room, told.is_final) == (room, True)
        assert isinstance(told.error, StanzaError)
        assert told.error.condition == "forbidden"
        await mercutio[Bookmarks].remove(room)
