"""A room that the test plays, and a client that is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyrite.client.mod.muc import ConfigChanged, Muc, Room, RoomEvent
from pyrite.core.jid import JID
from pyrite.core.stanza import Presence
from pyrite.wire import occupants, stanzaid

from .scripted import ME, PATIENCE, Scripted

DEN = JID.parse("den@conf.lit")
FEATURES = (occupants.NS, stanzaid.NS)
USER = "<x xmlns='http://jabber.org/protocol/muc#user'>{}</x>"


def present(nick: str, inside: str = "", role: str = "participant", more: str = "") -> str:
    item = f"<item affiliation='none' role='{role}'>{more}</item>"
    return f"<presence from='{DEN}/{nick}' to='{ME}'>{USER.format(item + inside)}</presence>"


def absent(nick: str, *codes: int, more: str = "", inside: str = "", words: str = "") -> str:
    item = f"<item affiliation='none' role='none'{more}>{inside}</item>"
    item += "".join(f"<status code='{code}'/>" for code in codes)
    status = f"<status>{words}</status>" if words else ""
    user = USER.format(item)
    return f"<presence type='unavailable' from='{DEN}/{nick}' to='{ME}'>{user}{status}</presence>"


def words(nick: str | None, inside: str, type: str = "groupchat", id: str = "m") -> str:
    sender = f"{DEN}/{nick}" if nick else str(DEN)
    return f"<message type='{type}' from='{sender}' to='{ME}' id='{id}'>{inside}</message>"


OWN = "<status code='110'/>"
END = words(None, USER.format("<status code='170'/>"))


@asynccontextmanager
async def inside(client: Scripted, nick: str = "fox") -> AsyncIterator[Room]:
    """In the room, with a wolf who was there before."""
    joining = client[Muc].join(DEN, nick, history=20)
    entering = asyncio.ensure_future(joining.__aenter__())
    await enter(client, nick)
    async with asyncio.timeout(PATIENCE):
        room = await entering
    try:
        yield room
    finally:
        leaving = asyncio.ensure_future(joining.__aexit__(None, None, None))
        if room.me is not None:
            gone = await client.said()
            assert (gone.type, gone.to) == ("unavailable", DEN.at(room.nick))
            await client.hears(absent(room.nick, 110))
        async with asyncio.timeout(PATIENCE):
            await leaving


async def enter(client: Scripted, nick: str) -> Presence:
    await client.answers_disco(FEATURES)
    asked = await client.said()
    assert isinstance(asked, Presence)
    assert asked.to == DEN.at(nick)
    await client.hears(present("wolf"), present(nick, OWN))
    return asked


async def told(client: Scripted, *texts: str) -> list[RoomEvent]:
    """What the room's events are when it sends this."""
    async with inside(client) as room:
        events = room.events()
        await client.hears(*texts, END)
        async with asyncio.timeout(PATIENCE):
            heard: list[RoomEvent] = []
            async for event in events:
                if event == ConfigChanged(frozenset({170})):
                    break
                heard.append(event)
        return heard
