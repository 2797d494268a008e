"""Rooms, on every server that has them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.interop.servers import Server

from pyrite.client.app import Client
from pyrite.client.heard import Heard
from pyrite.client.mod.muc import (
    Banned,
    ConfigChanged,
    Declined,
    Destroyed,
    Invited,
    Joined,
    Kicked,
    Left,
    Muc,
    NickChanged,
    Returned,
    RoleChanged,
    Room,
    RoomEvent,
    Said,
    SubjectChanged,
    Went,
    Whispered,
)
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.wire.dataforms import Value
from pyrite.wire.message import Body

from .conftest import PATIENCE, Login

SERVICE = JID(None, "conference.verona.example")
pytestmark = pytest.mark.lacks(pyrite="rooms are not served yet")


async def until(events: Heard[RoomEvent], kind: type) -> RoomEvent:
    """The next event of that kind."""
    async with asyncio.timeout(PATIENCE):
        while not isinstance(event := await events.next(), kind):
            pass
    return event


@asynccontextmanager
async def two(
    login: Login, name: str, **settings: bool
) -> AsyncIterator[tuple[Client, Room, Client, Room]]:
    """Romeo, who made the room, and Juliet in it."""
    async with (
        login("romeo", features=[Muc]) as romeo,
        login("juliet", features=[Muc]) as juliet,
        romeo[Muc].join(f"{name}@{SERVICE}", "Mont", settings=settings) as ours,
        juliet[Muc].join(f"{name}@{SERVICE}", "Cap") as hers,
    ):
        yield romeo, ours, juliet, hers


async def test_talk(login: Login) -> None:
    async with two(login, "talk") as (_, ours, juliet, hers), asyncio.timeout(PATIENCE):
        assert ours.is_new
        assert not hers.is_new
        assert set(hers.occupants) == {"Mont", "Cap"}
        mine, events = ours.events(), hers.events()
        joined = await until(mine, Joined)
        assert isinstance(joined, Joined)
        assert joined.who.nick == "Cap"
        assert joined.who.jid == juliet.jid  # owners see who is who
        receipt = await ours.say("But soft!")
        await receipt.acked
        await receipt.delivered
        said = await until(events, Said)
        assert isinstance(said, Said)
        assert (said.who, said.body, said.is_own) == (hers.occupants["Mont"], "But soft!", False)
        own = await until(mine, Said)
        assert isinstance(own, Said)
        assert own.is_own
        await hers.whisper("Mont", "psst")
        whispered = await until(mine, Whispered)
        assert isinstance(whispered, Whispered)
        assert (whispered.who.nick, whispered.body) == ("Cap", "psst")
        await ours.set_subject("love")
        subject = await until(events, SubjectChanged)
        assert subject == SubjectChanged("love", hers.occupants["Mont"])
        assert hers.subject == "love"


async def test_history_is_told_to_who_comes_later(login: Login) -> None:
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(f"past@{SERVICE}", "Mont") as ours,
        asyncio.timeout(PATIENCE),
    ):
        for number in range(3):
            await (await ours.say(str(number))).delivered
        async with juliet[Muc].join(f"past@{SERVICE}", "Cap", history=2) as hers:
            events = hers.events()
            told = [await until(events, Said) for _ in range(2)]
            assert [one.body for one in told if isinstance(one, Said) and one.at] == ["1", "2"]


async def test_nicks(login: Login) -> None:
    async with two(login, "nicks") as (_, ours, __, hers), asyncio.timeout(PATIENCE):
        events = ours.events()
        with pytest.raises(StanzaError) as refused:
            await hers.rename("Mont")
        assert refused.value.condition == "conflict"
        await hers.rename("Jule")
        changed = await until(events, NickChanged)
        assert isinstance(changed, NickChanged)
        assert (changed.before, changed.who.nick) == ("Cap", "Jule")
        assert hers.nick == "Jule"
        assert set(ours.occupants) == {"Mont", "Jule"}
        async with login("nurse") as nurse:
            with pytest.raises(StanzaError) as refused:
                async with nurse[Muc].join(ours.jid, "Mont"):
                    pass
            assert refused.value.condition == "conflict"
        await hers.leave()
        left = await until(events, Left)
        assert isinstance(left, Left)
        assert left.reason == Went()


async def test_roles_and_being_thrown_out(login: Login) -> None:
    async with two(login, "rude") as (_, ours, __, hers), asyncio.timeout(PATIENCE):
        events = hers.events()
        await ours.set_role("Cap", "moderator")
        changed = await until(events, RoleChanged)
        assert isinstance(changed, RoleChanged)
        assert (changed.who.role, changed.before.role) == ("moderator", "participant")
        await ours.kick("Cap", "rude")
        left = await until(events, Left)
        assert isinstance(left, Left)
        assert left.is_own
        assert isinstance(left.reason, Kicked)
        assert left.reason.why == "rude"
        with pytest.raises(StopAsyncIteration):
            await events.next()
        async with login("tybalt") as tybalt:
            await ours.ban(tybalt.jid, "for good")
            assert [entry.jid for entry in await ours.having("outcast")] == [tybalt.jid.bare]
            with pytest.raises(StanzaError) as refused:
                async with tybalt[Muc].join(ours.jid, "Tyb"):
                    pass
            assert refused.value.condition == "forbidden"


async def test_a_ban_while_in(login: Login) -> None:
    async with two(login, "ban") as (_, ours, juliet, hers), asyncio.timeout(PATIENCE):
        events = hers.events()
        await ours.ban(juliet.jid)
        left = await until(events, Left)
        assert isinstance(left, Left)
        assert isinstance(left.reason, Banned)


async def test_invitations(login: Login) -> None:
    async with (
        login("romeo", features=[Muc]) as romeo,
        login("juliet", features=[Muc]) as juliet,
        romeo[Muc].join(f"guests@{SERVICE}", "Mont") as ours,
        asyncio.timeout(PATIENCE),
    ):
        invited, declined = juliet.hear(Invited), romeo.hear(Declined)
        await ours.invite(juliet.jid.bare, "come")
        asked = await invited.next()
        assert (asked.room, asked.why, asked.is_direct) == (ours.jid, "come", False)
        assert asked.by is not None
        await juliet[Muc].decline(asked, "no time")
        refused = await declined.next()
        assert (refused.room, refused.why) == (ours.jid, "no time")
        await ours.invite(juliet.jid.bare, "now", direct=True)
        again = await invited.next()
        assert (again.room, again.by, again.is_direct) == (ours.jid, romeo.jid, True)


async def test_settings_and_the_end(login: Login) -> None:
    async with two(login, "set", membersonly=False) as (_, ours, juliet, hers):
        async with asyncio.timeout(PATIENCE):
            events = hers.events()
            await ours.configure(roomname="Verona", persistentroom=True, publicroom=True)
            await until(events, ConfigChanged)
            assert (await ours.settings()).value("muc#roomconfig_roomname") == "Verona"
            assert ours.jid in {item.jid for item in await juliet[Muc].rooms(SERVICE)}
            with pytest.raises(StanzaError) as refused:
                await ours.configure(colour="red")
            assert refused.value.condition == "item-not-found"
            with pytest.raises(StanzaError) as refused:
                await hers.settings()
            assert refused.value.condition == "forbidden"
            await ours.destroy("enough")
            ended = await until(events, Destroyed)
            assert isinstance(ended, Destroyed)
            assert ended.why == "enough"


async def test_a_password(login: Login, server: Server) -> None:
    async with login("romeo") as romeo, login("juliet") as juliet, asyncio.timeout(PATIENCE):
        values: dict[str, Value] = {"roomsecret": "sesame"}
        if server.name == "ejabberd":
            values["passwordprotectedroom"] = True
        async with romeo[Muc].join(f"cave@{SERVICE}", "Mont", settings=values) as ours:
            with pytest.raises(StanzaError) as refused:
                async with juliet[Muc].join(ours.jid, "Cap"):
                    pass
            assert refused.value.condition == "not-authorized"
            async with juliet[Muc].join(ours.jid, "Cap", password="sesame") as hers:
                assert set(hers.occupants) == {"Mont", "Cap"}


async def test_it_comes_back(login: Login) -> None:
    """A new session is in no room, and a room may have forgotten us without a word."""
    async with two(login, "back") as (romeo, ours, _, hers), asyncio.timeout(PATIENCE):
        events = ours.events()
        keeper = romeo._keeper
        keeper.session = None  # as if it could not be resumed
        keeper._link.abort()  # type: ignore[union-attr]
        await until(events, Returned)
        assert ours.me is not None
        assert await ours.ping()
        await hers.say("still there?")
        said = await until(events, Said)
        assert isinstance(said, Said)
        assert said.body == "still there?"


async def test_who_only_claims_to_be_a_room(login: Login) -> None:
    async with (
        two(login, "true") as (_, ours, __, hers),
        login("tybalt") as tybalt,
        asyncio.timeout(PATIENCE),
    ):
        events = hers.events()
        forged = Message("groupchat", hers.client.jid).add(Body("I am the room"))
        await tybalt.send(forged)
        while not hers.client.forged["room"]:
            await tybalt.send(forged)
            await asyncio.gather(ours.ping(), hers.ping())
        await (await ours.say("the end")).delivered
        said = await until(events, Said)
        assert isinstance(said, Said)
        assert said.body == "the end"
