"""What a client asks of a room, and says in it of itself."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from pyrite.client.mod.muc import Muc, Room
from pyrite.core.stanza import Presence
from pyrite.core.xml import parse
from pyrite.wire.presence import available, show

from .rooms import DEN, OWN, absent, inside, present
from .scripted import PATIENCE, Scripted

ADMIN = "http://jabber.org/protocol/muc#admin"
OWNER = "http://jabber.org/protocol/muc#owner"


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (
            lambda room: room.take_back("s", "spam"),
            "<moderate xmlns='urn:xmpp:message-moderate:1' id='s'>"
            "<retract xmlns='urn:xmpp:message-retract:1'/><reason>spam</reason></moderate>",
        ),
        (
            lambda room: room.kick("wolf"),
            f"<query xmlns='{ADMIN}'><item nick='wolf' role='none'/></query>",
        ),
        (
            lambda room: room.ban("a@b.lit/x", "why"),
            f"<query xmlns='{ADMIN}'><item affiliation='outcast' jid='a@b.lit'>"
            "<reason>why</reason></item></query>",
        ),
        (
            lambda room: room.destroy("why", DEN),
            f"<query xmlns='{OWNER}'><destroy jid='{DEN}'><reason>why</reason></destroy></query>",
        ),
        (
            lambda room: room.destroy(other="b@conf.lit", password="p"),
            f"<query xmlns='{OWNER}'><destroy jid='b@conf.lit'><password>p</password></destroy>"
            "</query>",
        ),
        (
            lambda room: room.set_affiliation("a@b.lit/x", "member", nick="owl"),
            f"<query xmlns='{ADMIN}'><item affiliation='member' jid='a@b.lit' nick='owl'/></query>",
        ),
        (
            lambda room: room.unregister(),
            "<query xmlns='jabber:iq:register'><remove/></query>",
        ),
        (
            lambda room: room.refuse_settings(),
            f"<query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='cancel'/></query>",
        ),
    ],
)
async def test_what_is_asked_of_a_room(
    ask: Callable[[Room], Coroutine[None, None, None]], expected: str
) -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(ask(room))
        asked = await client.said()
        assert (asked.type, asked.to) == ("set", DEN)
        assert asked.payloads[0] == parse(expected)
        await client.hears(f"<iq type='result' from='{DEN}' id='{asked.id}'/>")
        await asking


@pytest.mark.parametrize(
    ("ask", "items"),
    [
        (
            lambda room: room.set_affiliations({"a@b.lit/x": "outcast", "c@d.lit": "none"}),
            (
                "<item affiliation='outcast' jid='a@b.lit'/>",
                "<item affiliation='none' jid='c@d.lit'/>",
            ),
        ),
        (
            lambda room: room.set_roles({"wolf": "visitor", "owl": "moderator"}),
            ("<item nick='wolf' role='visitor'/>", "<item nick='owl' role='moderator'/>"),
        ),
    ],
)
async def test_several_one_after_another(
    ask: Callable[[Room], Coroutine[None, None, None]], items: tuple[str, ...]
) -> None:
    """Prosody heeds only the first of those that come together."""
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(ask(room))
        for item in items:
            asked = await client.said()
            assert asked.payloads[0] == parse(f"<query xmlns='{ADMIN}'>{item}</query>")
            await client.hears(f"<iq type='result' from='{DEN}' id='{asked.id}'/>")
        await asking


async def test_what_everybody_is_told_rooms_are_told() -> None:
    """§7.7: a room hears of our presence from us alone."""
    async with Scripted(Muc) as client, inside(client), asyncio.timeout(PATIENCE):
        await client.send_presence(available("away"))
        said = [await client.said() for _ in range(2)]
        assert {one.to for one in said} == {None, DEN.at("fox")}
        assert all(isinstance(one, Presence) and show(one) == "away" for one in said)


async def test_another_nick() -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        changing = asyncio.ensure_future(room.rename("Fuchs"))
        assert (await client.said()).to == DEN.at("Fuchs")
        await client.hears(absent("fox", 110, 303, more=" nick='Fuchs'"), present("Fuchs", OWN))
        await changing
        assert room.nick == "Fuchs"
        assert set(room.occupants) == {"wolf", "Fuchs"}
