"""How a room is made, and by which nick one comes: with a room that the test plays."""

import asyncio

import pytest

from pyrite.client.mod.muc import (
    Muc,
    Returned,
)
from pyrite.core.errors import StanzaError
from pyrite.wire import muc
from pyrite.wire.dataforms import Form

from .rooms import DEN, FEATURES, OWN, present
from .scripted import PATIENCE, Scripted

FORM = (
    "<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'>"
    "<value>http://jabber.org/protocol/muc#{}</value></field>{}</x>"
)
NO = "<error type='{}'><{} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"


async def answer(client: Scripted, inside: str, type: str = "result") -> None:
    asked = await client.said()
    await client.hears(f"<iq type='{type}' from='{DEN}' id='{asked.id}'>{inside}</iq>")


# --- nicks that are kept (§7.12) --------------------------------------------------------------

INFO = "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'>{}</query>"
KEPT = "<identity category='conference' type='text' name='thirdwitch'/>"


@pytest.mark.parametrize(
    ("inside", "type", "nick"),
    [
        (INFO.format(KEPT), "result", "thirdwitch"),
        (INFO.format(""), "result", "romeo"),
        (NO.format("cancel", "feature-not-implemented"), "error", "romeo"),
        (NO.format("cancel", "item-not-found"), "error", "romeo"),
    ],
)
async def test_a_nick_of_our_own(inside: str, type: str, nick: str) -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        joining = client[Muc].join(DEN)
        entering = asyncio.ensure_future(joining.__aenter__())
        await answer(client, inside, type)
        await client.answers_disco()
        assert (await client.said()).to == DEN.at(nick)
        entering.cancel()
        await asyncio.wait((entering,))


async def test_who_may_not_know_its_nick_may_not_come() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN).__aenter__())
        await answer(client, NO.format("auth", "forbidden"), "error")
        with pytest.raises(StanzaError, match="forbidden"):
            await entering


# --- making a room (§10.1) --------------------------------------------------------------------

SETTINGS = FORM.format(
    "roomconfig",
    "<field var='muc#roomconfig_membersonly' type='boolean'><value>0</value></field>"
    "<field var='muc#roomconfig_whois' type='list-single'><value>moderators</value>"
    "<option><value>moderators</value></option><option><value>anyone</value></option></field>",
)
OWNER = "<query xmlns='http://jabber.org/protocol/muc#owner'>{}</query>"
MADE = OWN + "<status code='201'/>"


async def make(client: Scripted) -> None:
    await client.answers_disco()
    await client.said()
    await client.hears(present("fox", MADE, role="moderator"))


async def forms(client: Scripted, count: int = 1, answers: str = "") -> list[Form | None]:
    """The next forms that the client sends as the owner."""
    found = []
    for _ in range(count):
        asked = await client.said()
        owner = asked.get(muc.Owner)
        assert owner is not None
        found.append(owner.form)
        await client.hears(f"<iq type='result' from='{DEN}' id='{asked.id}'>{answers}</iq>")
    return found


async def test_a_room_as_it_is() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox").__aenter__())
        await make(client)
        assert await forms(client) == [Form("submit")]
        await client.answers_disco()
        assert (await entering).is_new


async def test_a_room_with_settings() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        joining = client[Muc].join(DEN, "fox", settings={"membersonly": True})
        entering = asyncio.ensure_future(joining.__aenter__())
        await make(client)
        _, given = await forms(client, 2, OWNER.format(SETTINGS))
        assert given is not None
        assert given.value("muc#roomconfig_membersonly") == "1"
        assert given.value("muc#roomconfig_whois") == "moderators"
        await client.answers_disco()
        await entering


async def test_a_new_room_is_asked_once_it_is_there() -> None:
    """Until then it is not known whether its ids are to be believed (XEP-0421 §4)."""
    id = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{}'/></presence>"
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox").__aenter__())
        await client.answers_disco()
        await client.said()
        own = present("fox", MADE, role="moderator")
        await client.hears(own.replace("</presence>", id.format("f")))
        await forms(client)
        await client.hears(present("owl").replace("</presence>", id.format("o")))
        await client.answers_disco(FEATURES)
        room = await entering
        assert room.me is not None
        assert (room.me.id, room.occupants["owl"].id) == ("f", "o")


async def test_a_room_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrite.client.mod.muc.room.ASKING", 0.2)
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox").__aenter__())
        first = await client.said()
        assert first.to == DEN  # and no answer, which is what ejabberd does now and then
        await client.answers_disco(FEATURES)
        await client.said()
        await client.hears(present("fox", OWN))
        assert (await entering).features == set(FEATURES)


@pytest.mark.parametrize("settings", [{"whois": "nobody"}, {"colour": "red"}])
async def test_a_room_that_cannot_be_so(settings: dict[str, str]) -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        joining = client[Muc].join(DEN, "fox", settings={**settings})
        entering = asyncio.ensure_future(joining.__aenter__())
        await make(client)
        assert await forms(client, 2, OWNER.format(SETTINGS)) == [None, Form("cancel")]
        leaving = await client.said()
        assert leaving.type == "unavailable"
        await client.hears(present("fox", OWN).replace("<presence", "<presence type='unavailable'"))
        with pytest.raises(StanzaError, match=r"not-acceptable|item-not-found"):
            await entering
        assert client[Muc]._rooms == {}


async def test_a_room_that_is_not_to_be_made() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox", create=False).__aenter__())
        await answer(client, NO.format("cancel", "item-not-found"), "error")
        with pytest.raises(StanzaError, match="item-not-found"):
            await entering
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox", create=False).__aenter__())
        await make(client)  # it went in the meantime
        assert await forms(client) == [Form("cancel")]
        await client.said()
        await client.hears(present("fox", OWN).replace("<presence", "<presence type='unavailable'"))
        with pytest.raises(StanzaError, match="item-not-found"):
            await entering


async def test_a_room_that_was_gone_is_made_again_as_it_was() -> None:
    """Else it stays locked, and nobody can come but us."""
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        joining = client[Muc].join(DEN, "fox", settings={"membersonly": True})
        entering = asyncio.ensure_future(joining.__aenter__())
        await make(client)
        await forms(client, 2, OWNER.format(SETTINGS))
        await client.answers_disco()
        room = await entering
        events = room.events()
        client.link.abort()
        while client.link.receive is None or client.link._end.done():
            await client.step(0.1)
        while client.link.sent.empty():
            await client.step(0.1)
        await make(client)
        _, given = await forms(client, 2, OWNER.format(SETTINGS))
        assert given is not None
        assert given.value("muc#roomconfig_membersonly") == "1"
        await client.answers_disco()
        assert isinstance(await events.next(), Returned)
