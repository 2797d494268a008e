"""Ways to log in that not every server has, on each that has them."""

import asyncio
from dataclasses import replace

import pytest
from tests.interop.servers import GUESTS, Server

from pyrite.client.account import Account, Trust, VolatileStore
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.keeper import Session
from pyrite.client.mod.archive import Archive, VolatilePositions
from pyrite.client.mod.carbons import Carbons
from pyrite.client.state import Online, Suspended
from pyrite.core.jid import JID
from pyrite.core.sasl import TOKEN_MECHANISMS
from pyrite.net.dns import Target
from pyrite.wire import archive
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login
from .test_web import connector

newer = pytest.mark.lacks(
    prosody_0_12="no SASL2 without modules of the community", ejabberd_23="no SASL2 before 24"
)


def session(client: Client) -> Session:
    kept = client._keeper.session
    assert kept is not None
    return kept


def guest(server: Server) -> Client:
    trust = Trust(authorities=server.ca)
    account = Account(JID(None, GUESTS), trust=trust)
    there = Tcp([Target("127.0.0.1", server.c2s)])
    return Client(account.jid, account=account, connector=there)


async def test_guests(server: Server) -> None:
    """XEP-0175: each has a name that the server made up, and they can talk."""
    async with (
        asyncio.timeout(PATIENCE),
        guest(server) as one,
        guest(server) as two,
    ):
        assert session(one).mechanism == "ANONYMOUS"
        assert one.jid.local
        assert one.jid.bare != two.jid.bare
        await two.request(Ping(), JID(None, GUESTS))
        heard = two.messages()
        await one.send(two.jid, "Who are you?")
        event = await heard.next()
        assert (event.message.sender, event.message.body) == (one.jid, "Who are you?")


@newer
async def test_a_token_in_place_of_the_password(login: Login) -> None:
    """XEP-0484: the second log-in takes one round trip, without the password."""
    store = VolatileStore()
    async with asyncio.timeout(PATIENCE):
        async with login("romeo", tokens=store) as me:
            assert session(me).mechanism.startswith("SCRAM-")
            account = me.jid.bare
        memory = await store.load(account)
        assert memory is not None
        assert memory.token is not None
        assert memory.token.mechanism in TOKEN_MECHANISMS
        async with login("romeo", tokens=store, password="not needed") as me:
            assert session(me).mechanism == memory.token.mechanism
            await me.request(Ping())


@pytest.mark.lacks(
    pyrite="no stream over HTTP yet",
    prosody_0_12="no SASL2 without modules of the community",
    ejabberd="no SASL2 over HTTP",
)
async def test_a_token_over_http(login: Login, server: Server) -> None:
    """One that is bound to no channel: the TLS below is not ours. (Not by BOSH: Prosody does not
    look at whom it is for there.)"""
    store = VolatileStore()
    async with asyncio.timeout(PATIENCE):
        async with login("romeo", tokens=store, connector=connector(server, "websocket")) as me:
            memory = await store.load(me.jid.bare)
        assert memory is not None
        assert memory.token is not None
        assert memory.token.mechanism == "HT-SHA-256-NONE"
        async with login(
            "romeo", tokens=store, password="not needed", connector=connector(server, "websocket")
        ) as me:
            assert session(me).mechanism == "HT-SHA-256-NONE"
            await me.request(Ping())


@newer
async def test_what_comes_with_the_log_in(login: Login) -> None:
    """XEP-0386: the address, acknowledgements and copies, without asking for each.

    Only who fetches what was missed asks for it: what waits in offline storage is not told then.
    """
    tokens, positions = VolatileStore(), VolatilePositions()

    def paris() -> Client:
        made = login("paris", features=[Archive, Carbons], tokens=tokens)
        made[Archive].remember(positions)
        return made

    async with asyncio.timeout(PATIENCE):
        async with paris() as before:
            assert not session(before).with_carbons
            while await positions.load(before.jid.bare) is None:
                await before.request(archive.Query(), expect=archive.Query)
        async with (
            paris() as me,
            login("paris", features=[Carbons]) as phone,
            login("romeo") as romeo,
        ):
            assert session(me).mechanism in TOKEN_MECHANISMS
            assert session(me).with_carbons
            assert me.is_acknowledged
            heard, copied = me.messages(), phone.messages()
            await phone.request(Ping())
            await romeo.send(phone.jid, "Younger than she are happy mothers made.")
            for told in (heard, copied):
                message = (await told.next()).message
                assert message.body == "Younger than she are happy mothers made."
            await (await me.send(romeo.jid, "And too soon marr'd are those.")).acked


@newer
async def test_a_session_is_resumed_with_the_log_in(login: Login) -> None:
    """XEP-0198 §9: by a token, and what was said meanwhile arrives."""
    async with (
        asyncio.timeout(PATIENCE),
        login("nurse") as nurse,
        login("romeo") as romeo,
    ):
        heard, states = nurse.messages(), nurse.lifecycle()
        nurse.account = replace(nurse.account, password="not needed")
        nurse.break_off()
        await romeo.send(nurse.jid, "Commend me to thy lady.")
        assert isinstance(await states.next(), Suspended)
        state = await states.next()
        assert isinstance(state, Online)
        assert state.is_resumed
        assert (await heard.next()).message.body == "Commend me to thy lady."
        await nurse.request(Ping())
