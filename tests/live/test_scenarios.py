"""What slixmpp plays on live servers, each of its 39 conversations, and where we play it.

Those that no other test has are here.
"""

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.interop.servers import Server, free_ports

from pyrite.client.api import (
    ActionSelected,
    Bob,
    Client,
    ConnectionFailed,
    Disco,
    Feature,
    Message,
    Muc,
    Outages,
    Pep,
    QuickAsked,
    QuickResponses,
    Receipts,
    Spec,
    Stage,
    StanzaError,
    Target,
    Tcp,
    TlsError,
    Trust,
    payload,
    rooms,
    sending,
    text,
)
from pyrite.wire.message import Body, Thread
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

HERE = "test_scenarios"
no_rooms = pytest.mark.lacks(pyrite="rooms are not served yet")
no_pep = pytest.mark.lacks(pyrite="publish-subscribe is not served yet")

#: Their test -> ours: file and name.
COUNTERPARTS: dict[str, tuple[str, str]] = {
    "a message is sent and received": ("test_session", "test_a_message_its_receipt_and_its_copy"),
    "blocking": ("test_services", "test_who_is_blocked"),
    "bits of binary": (HERE, "test_a_bit_of_binary"),
    "chat markers": (HERE, "test_a_marker"),
    "a component pings": ("test_component", "test_an_echo"),
    "a feature is added and taken away": (HERE, "test_a_feature_comes_and_goes"),
    "http upload": ("test_upload", "test_a_file_is_shared_and_fetched"),
    "in-band bytestreams": ("test_files", "test_octets_in_stanzas"),
    "last activity": ("test_small", "test_who_is_idle"),
    "the archive is retrieved": ("test_archive", "test_pages_both_ways"),
    "the archive is iterated": ("test_archive", "test_leaving_early_asks_no_more"),
    "a message is moderated": ("test_muc_order", "test_words_are_taken_back"),
    "rooms: joining a new one": ("test_muc", "test_talk"),
    "rooms: settings and a list of members": ("test_muc", "test_settings_and_the_end"),
    "rooms: joining as a member": ("test_muc", "test_settings_and_the_end"),
    "rooms: another nick, and leaving": ("test_muc", "test_nicks"),
    "rooms: kicking": ("test_muc", "test_roles_and_being_thrown_out"),
    "pep: public": (HERE, "test_what_all_may_see_and_what_nobody_may"),
    "pep: private": (HERE, "test_what_all_may_see_and_what_nobody_may"),
    "ping": ("test_small", "test_what_is_there"),
    "private storage": ("test_services", "test_what_is_kept"),
    "quick responses": (HERE, "test_quick_responses"),
    "reactions": ("test_chats", "test_a_conversation"),
    "leaving and coming again": (HERE, "test_coming_again"),
    "reconnecting": ("test_session", "test_a_cut_stream_is_resumed"),
    "retraction": ("test_chats", "test_a_conversation"),
    "a room is pinged": (HERE, "test_whether_one_is_in"),
    "filters that take their time": (HERE, "test_a_filter_that_takes_its_time"),
    "outages": (HERE, "test_where_outages_are_told"),
    "direct tls": ("test_session", "test_a_message_its_receipt_and_its_copy"),
    "starttls": ("test_session", "test_a_message_its_receipt_and_its_copy"),
    "a host and a port of one's own": (HERE, "test_an_address_of_ones_own"),
    "nothing is there": (HERE, "test_an_address_where_nothing_is"),
    "another kind of encryption is there": (HERE, "test_an_address_with_other_encryption"),
    "a certificate is judged by the program": (HERE, "test_a_certificate_of_ones_own_choice"),
    "an avatar": ("test_personal", "test_a_picture"),
    "a card": ("test_personal", "test_the_older_card"),
    "an avatar in a card": ("test_personal", "test_a_picture_in_a_card"),
    "software version": ("test_small", "test_what_is_there"),
}


def names(file: str) -> Iterator[str]:
    tree = ast.parse((Path(__file__).parent / f"{file}.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def test_every_conversation_is_played() -> None:
    assert len(COUNTERPARTS) == 39
    there = {file: set(names(file)) for file, _ in COUNTERPARTS.values()}
    assert not {ours for ours in COUNTERPARTS.values() if ours[1] not in there[ours[0]]}


# --- messages -----------------------------------------------------------------------------


async def test_a_marker(login: Login) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo", features=[Receipts]) as romeo,
        login("juliet", features=[Receipts]) as juliet,
    ):
        heard = juliet.messages("chat")
        receipt = await romeo.send(juliet.jid, "But soft!")
        while (event := await heard.next()).message.id != receipt.message.id:
            pass
        await juliet[Receipts].displayed(event.message)
        await receipt.displayed
        assert receipt.delivered.is_reached


async def test_an_answer(login: Login) -> None:
    """From the address that was spoken to: of the client, or of the account; and in its thread."""
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo") as romeo,
        login("benvolio") as benvolio,
        romeo.messages("chat") as answers,
        benvolio.messages("chat") as heard,
    ):
        await benvolio.request(Ping())
        for to in (benvolio.jid, benvolio.jid.bare):
            asked = await romeo.send(to, "Is the day so young?", Thread("sad-hours"))
            while (event := await heard.next()).message.id != asked.message.id:
                pass
            receipt = await benvolio.send(event.reply("But new struck nine."))
            while (answer := await answers.next()).message.id != receipt.message.id:
                pass
            assert (answer.sender, answer.body) == (benvolio.jid, "But new struck nine.")
            assert answer.message.get(Thread) == Thread("sad-hours")


class Slow(Feature):
    """Shouts, after a while."""

    spec = Spec("urn:example:slow", "1", "Slow")

    @sending(Stage.REWRITE, Message)
    async def shout(self, message: Message) -> Message | None:
        if not message.body:
            return None
        await self.client.request(Ping())  # which goes through the filters, too
        return message.strip(Body).add(Body(message.body.upper()))


async def test_a_filter_that_takes_its_time(login: Login) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo", features=[Slow]) as romeo,
        login("juliet") as juliet,
    ):
        heard = juliet.messages("chat")
        for word in ("one", "two", "three"):
            await romeo.send(juliet.jid, word)
        bodies: list[str | None] = []
        while len(bodies) < 3:
            event = await heard.next()
            bodies += [event.body] if event.sender == romeo.jid else []
        assert bodies == ["ONE", "TWO", "THREE"]


async def test_quick_responses(login: Login) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("nurse", features=[QuickResponses]) as nurse,
        login("juliet", features=[QuickResponses]) as juliet,
    ):
        asked, chosen = juliet.hear(QuickAsked), nurse.hear(ActionSelected)
        heard = nurse.messages("chat")
        await nurse[QuickResponses].ask(juliet.jid, "Paris?", {"yes": "Ay", "no": "Nay"})
        await juliet[QuickResponses].respond(await asked.next(), "no")
        assert (await heard.next()).body == "no"
        await nurse[QuickResponses].offer(juliet.jid, "Shall I?", {"call": "Call Romeo"})
        await juliet[QuickResponses].select(await asked.next(), "call")
        assert (await chosen.next()).id == "call"


async def test_a_bit_of_binary(login: Login) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo", features=[Bob]) as romeo,
        login("juliet", features=[Bob]) as juliet,
    ):
        name = romeo[Bob].offer(b"to" * 257, "image/jpeg")
        found = await juliet[Bob].fetch(name, romeo.jid)
        assert (found.data, found.type) == (b"to" * 257, "image/jpeg")


# --- who can do what ----------------------------------------------------------------------


class Fake(Feature):
    """Can do something, for a while."""

    spec = Spec("urn:example:fake", "1", "Fake")
    features = ("urn:example:fake",)


async def test_a_feature_comes_and_goes(login: Login) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo", features=[Disco]) as romeo,
        login("juliet", features=[Disco]) as juliet,
    ):
        for told in (("urn:example:fake",), (), ("urn:example:fake",)):
            romeo[Fake].features = told
            info = await juliet[Disco].info(romeo.jid)
            assert ("urn:example:fake" in info.vars) is bool(told)


async def test_where_outages_are_told(login: Login) -> None:
    """None of these servers says so, and none of them refuses to."""
    async with asyncio.timeout(PATIENCE), login("romeo", features=[Outages]) as romeo:
        assert await romeo[Outages].addresses() == ()


@payload("urn:example:mine", "mine")
class Mine:
    text: str = text()


@no_pep
async def test_what_all_may_see_and_what_nobody_may(login: Login) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("paris", features=[Pep]) as paris,
        login("tybalt", features=[Pep]) as tybalt,
    ):
        for access, is_seen in (("open", True), ("whitelist", False)):
            said = Mine(uuid4().hex)
            await paris[Pep].publish(said, options={"access_model": access, "persist_items": True})
            own = await paris[Pep].last(Mine)
            assert own is not None
            assert own.payload == said
            if is_seen:
                seen = await tybalt[Pep].last(Mine, paris.jid.bare)
                assert seen is not None
                assert seen.payload == said
            else:
                with pytest.raises(StanzaError):
                    await tybalt[Pep].last(Mine, paris.jid.bare)


@no_rooms
async def test_whether_one_is_in(login: Login) -> None:
    place = f"{uuid4().hex}@conference.verona.example"
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo", features=[Muc]) as romeo,
        login("tybalt", features=[Muc]) as tybalt,
        romeo[Muc].join(place, "Mont") as ours,
        tybalt[Muc].join(place, "Cap") as theirs,
    ):
        events = theirs.events()
        assert await theirs.ping()
        await ours.kick("Cap")
        async for event in events:
            if isinstance(event, rooms.Left) and event.is_own:
                break
        assert not await theirs.ping()


# --- reaching a server --------------------------------------------------------------------


async def test_coming_again(login: Login) -> None:
    addresses = set()
    for _ in range(3):
        async with asyncio.timeout(PATIENCE), login("romeo") as romeo:
            await romeo.request(Ping())
            addresses.add(romeo.jid.bare)
        assert not romeo.is_online
    assert len(addresses) == 1


@pytest.mark.parametrize("direct", [False, True])
async def test_an_address_of_ones_own(login: Login, server: Server, direct: bool) -> None:
    at = Target("localhost", server.c2s_tls if direct else server.c2s, direct)
    async with asyncio.timeout(PATIENCE), login("romeo", connector=Tcp([at])) as romeo:
        await romeo.request(Ping())


async def enter(client: Client) -> None:
    async with client:
        pass


async def test_an_address_where_nothing_is(login: Login) -> None:
    (port,) = free_ports(1)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionFailed):
            await enter(login("romeo", connector=Tcp([Target("127.0.0.1", port)])))


@pytest.mark.parametrize("direct", [False, True])
async def test_an_address_with_other_encryption(login: Login, server: Server, direct: bool) -> None:
    at = Target("127.0.0.1", server.c2s if direct else server.c2s_tls, direct)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises((ConnectionFailed, TlsError, TimeoutError)):
            await enter(login("romeo", connector=Tcp([at])))


async def test_a_certificate_of_ones_own_choice(login: Login) -> None:
    """Nothing is said to a server with another one, and least of all the password."""
    client = login("romeo")
    account = client.account
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TlsError):
            await enter(
                Client(
                    account.jid,
                    account.password,
                    trust=Trust(pin="00" * 32),
                    connector=client._connector,
                )
            )
