"""What only our own server may say, said by others: counted, dropped, and without any effect.

What accounts publish is in `test_personal`, archives in `test_archive`, rooms in `test_muc`, lists
in `test_services`, commands in `test_commands`, corrections and retractions in `test_chats`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pyrite.client.feature import Feature, MessageReceived
from pyrite.client.mod.carbons import Carbons
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.receipts import Receipts
from pyrite.client.mod.roster import ContactChanged, Roster
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.wire import caps, carbons, disco, roster
from pyrite.wire.ping import Ping

from .scripted import ME, PATIENCE, Scripted

JULIET = JID.parse("juliet@capulet.lit/balcony")

#: Whoever is neither our server nor our account: an account of ours elsewhere, our own other
#: client, our domain, a name that looks alike, and a stranger.
OTHERS = (
    *("romeo@verona.lit/street", "romeo@verona.lit/garden", "verona.lit", "juliet@capulet.lit"),
    *("romeo@verona.lit.evil.lit", "rom\u0435o@verona.lit", "juliet@capulet.lit/balcony"),
)
SERVER = (None, "romeo@verona.lit")


@asynccontextmanager
async def begun(feature: type[Feature], answer: str) -> AsyncIterator[Scripted]:
    """What the feature asks for at first is answered."""
    client = Scripted(feature)
    entering = asyncio.ensure_future(client.__aenter__())
    await asyncio.sleep(0)
    asked = await client.said()
    await client.hears(f"<iq type='result' id='{asked.id}'>{answer}</iq>")
    async with asyncio.timeout(PATIENCE):
        await entering
        try:
            yield client
        finally:
            await client.__aexit__(None, None, None)


def sent_by(sender: str | None) -> str:
    return "" if sender is None else f"from='{sender}'"


# --- the roster (RFC 6121 §2.1.6) --------------------------------------------------------------

CONTACTS = (
    "<query xmlns='jabber:iq:roster'>"
    "<item jid='juliet@capulet.lit' name='Juliet' subscription='both'/></query>"
)


def push(sender: str | None, inside: str) -> str:
    return (
        f"<iq type='set' id='p' {sent_by(sender)}>"
        f"<query xmlns='jabber:iq:roster'>{inside}</query></iq>"
    )


MALLORY = "<item jid='mallory@evil.lit' subscription='both'/>"
GONE = "<item jid='juliet@capulet.lit' subscription='remove'/>"


@pytest.mark.parametrize("inside", [MALLORY, GONE])
@pytest.mark.parametrize("sender", OTHERS)
async def test_a_roster_push(sender: str, inside: str) -> None:
    async with begun(Roster, CONTACTS) as client:
        changes = client.hear(ContactChanged)
        await client.hears(push(sender, inside))
        answer = await client.said()
        assert answer.error is not None
        assert answer.error.condition == "service-unavailable"  # as who has no roster would say
        assert client.forged == {"roster": 1}
        assert [contact.jid for contact in client[Roster]] == [JULIET.bare]
        assert not changes.waiting


@pytest.mark.parametrize(
    ("inside", "count"), [("", 1), (MALLORY + GONE, 1), ("<item/>", 0), ("<item jid='@'/>", 0)]
)
async def test_a_roster_push_that_is_none(inside: str, count: int) -> None:
    """What cannot even be read is refused before anybody has looked who says it."""
    async with begun(Roster, CONTACTS) as client:
        await client.hears(push(None, inside))
        assert (await client.said()).error is not None
        assert client.forged["roster"] == count
        assert [contact.jid for contact in client[Roster]] == [JULIET.bare]


@pytest.mark.parametrize("sender", SERVER)
async def test_our_servers_push_is_believed(sender: str | None) -> None:
    async with begun(Roster, CONTACTS) as client:
        await client.hears(push(sender, GONE))
        assert (await client.said()).type == "result"
        assert not client.forged
        assert list(client[Roster]) == []


# --- copies (XEP-0280 §11) ---------------------------------------------------------------------


def carbon(sender: str | None, kind: str) -> str:
    return (
        f"<message {sent_by(sender)} to='{ME}'><{kind} xmlns='{carbons.NS}'>"
        "<forwarded xmlns='urn:xmpp:forward:0'>"
        f"<message xmlns='jabber:client' type='chat' from='{JULIET}' to='{ME.bare}/street'>"
        f"<body>a lie</body></message></forwarded></{kind}></message>"
    )


@pytest.mark.parametrize("kind", ["received", "sent"])
@pytest.mark.parametrize("sender", OTHERS)
async def test_a_copy(sender: str, kind: str) -> None:
    async with begun(Carbons, "") as client:
        heard = client.hear(MessageReceived)
        await client.hears(carbon(sender, kind))
        assert client.forged == {"carbon": 1}
        assert not heard.waiting


@pytest.mark.parametrize("kind", ["received", "sent"])
@pytest.mark.parametrize("sender", SERVER)
async def test_our_servers_copy_is_believed(sender: str | None, kind: str) -> None:
    async with begun(Carbons, "") as client:
        heard = client.hear(MessageReceived)
        await client.hears(carbon(sender, kind))
        event = await heard.next()
        assert (event.message.body, event.outgoing) == ("a lie", kind == "sent")
        assert not client.forged


# --- answers (RFC 6120 §8.1.2.1) -----------------------------------------------------------------


@pytest.mark.parametrize("type", ["result", "error"])
@pytest.mark.parametrize("sender", [*OTHERS[:6], "capulet.lit", None, "juliet@capulet.lit/street"])
async def test_an_answer_of_who_was_not_asked(sender: str | None, type: str) -> None:
    """It has the right id, and is from another; then who was asked answers all the same."""
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(client.request(Ping(), JULIET))
        asked = await client.said()
        assert asked.to == JULIET
        await client.hears(f"<iq type='{type}' id='{asked.id}' {sent_by(sender)}/>")
        assert client.forged == {"answer": 1}
        assert not asking.done()
        await client.hears(f"<iq type='result' id='{asked.id}' from='{JULIET}'/>")
        await asking
        assert client.forged == {"answer": 1}


@pytest.mark.parametrize("sender", ["juliet@capulet.lit/balcony", "verona.lit", *OTHERS[:2]])
async def test_an_answer_in_our_servers_name(sender: str) -> None:
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(client.request(roster.Query(), expect=roster.Query))
        asked = await client.said()
        await client.hears(f"<iq type='result' id='{asked.id}' from='{sender}'>{CONTACTS}</iq>")
        assert client.forged == {"answer": 1}
        await client.hears(f"<iq type='result' id='{asked.id}'>{CONTACTS}</iq>")
        assert len((await asking).items) == 1


async def test_an_answer_to_no_question() -> None:
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        await client.hears(
            f"<iq type='result' id='x' from='{JULIET}'/>",
            f"<iq type='result' from='{JULIET}'/>",
            f"<iq type='error' id='' from='{JULIET}'/>",
        )
        assert client.forged == {"answer": 3}


async def test_a_second_answer() -> None:
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(client.request(Ping(), JULIET))
        asked = await client.said()
        answer = f"<iq type='result' id='{asked.id}' from='{JULIET}'/>"
        await client.hears(answer, answer)
        await asking
        assert client.forged == {"answer": 1}


async def test_a_late_answer_is_no_forgery() -> None:
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(client.request(Ping(), JULIET))
        asked = await client.said()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await client.hears(f"<iq type='result' id='{asked.id}' from='{JULIET}'/>")
        assert not client.forged
        await client.hears(f"<iq type='result' id='{asked.id}' from='{JULIET}'/>")
        assert client.forged == {"answer": 1}


# --- what somebody can do (XEP-0115 §8.2) --------------------------------------------------------


async def test_a_hash_of_something_else() -> None:
    """It is true of who says so at most, and of nobody else with that hash."""
    honest = disco.info([disco.Identity("client", "pc")], ["urn:true"])
    told = caps.Caps("https://client.example", caps.ver(honest), "sha-1")
    lie = (
        "<query xmlns='http://jabber.org/protocol/disco#info' node='{}'>"
        "<identity category='client' type='pc'/><feature var='urn:lie'/></query>"
    )
    async with Scripted(Disco) as client, asyncio.timeout(PATIENCE):
        presence = (
            "<presence from='{}'><c xmlns='http://jabber.org/protocol/caps'"
            f" node='{told.node}' ver='{told.ver}' hash='sha-1'/></presence>"
        )
        await client.hears(presence.format("mallory@evil.lit/x"), presence.format(JULIET))
        asking = asyncio.ensure_future(client[Disco].supports("mallory@evil.lit/x", "urn:lie"))
        asked = await client.said()
        answer = lie.format(told.disco_node)
        await client.hears(
            f"<iq type='result' id='{asked.id}' from='mallory@evil.lit/x'>{answer}</iq>"
        )
        await asking
        assert client.forged == {"caps": 1}
        about_juliet = asyncio.ensure_future(client[Disco].supports(JULIET, "urn:lie"))
        again = await client.said()  # what Mallory said is not taken for hers
        assert again.to == JULIET
        truth = "<identity category='client' type='pc'/><feature var='urn:true'/>"
        await client.hears(
            f"<iq type='result' id='{again.id}' from='{JULIET}'>"
            f"<query xmlns='http://jabber.org/protocol/disco#info'>{truth}</query></iq>"
        )
        assert not await about_juliet


# --- receipts and marks (XEP-0184 §8, XEP-0333 §4) ------------------------------------------------

CONFIRMATIONS = (
    "<received xmlns='urn:xmpp:receipts' id='{}'/>",
    "<displayed xmlns='urn:xmpp:chat-markers:0' id='{}'/>",
)


@pytest.mark.parametrize("inside", CONFIRMATIONS, ids=["received", "displayed"])
@pytest.mark.parametrize("sender", [*OTHERS[:3], "mallory@evil.lit/x", None])
async def test_nobody_else_says_that_it_has_arrived(sender: str | None, inside: str) -> None:
    """Only who was written to; that is no forgery which nobody sees, but nothing comes of it."""
    async with Scripted(Receipts) as client, asyncio.timeout(PATIENCE):
        receipt = await client.send(JULIET.bare, "but soft")
        message = await client.said()
        assert isinstance(message, Message)
        told = inside.format(message.id)
        await client.hears(f"<message {sent_by(sender)} type='chat'>{told}</message>")
        assert not receipt.delivered.is_reached
        assert not receipt.displayed.is_reached
        await client.hears(f"<message from='{JULIET}' type='chat'>{told}</message>")
        assert receipt.delivered.is_reached
