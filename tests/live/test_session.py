"""Logging in, talking, and being refused, on every server."""

import asyncio

import pytest
from tests.interop.servers import Server

from pyrite.client.errors import AuthenticationFailed
from pyrite.client.mod.carbons import Carbons
from pyrite.client.mod.receipts import Receipts
from pyrite.client.state import Online, Reset, Suspended
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire.ping import Ping
from pyrite.wire.version import Version

from .conftest import PATIENCE, Login


@pytest.mark.parametrize("direct", [False, True])
async def test_a_message_its_receipt_and_its_copy(login: Login, direct: bool) -> None:
    features = (Carbons, Receipts)
    async with (
        login("romeo", features=features, direct=direct) as romeo,
        login("juliet", features=features, direct=direct) as juliet,
        login("juliet", features=features) as phone,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(*(one.request(Ping()) for one in (juliet, phone)))
        heard, copied = juliet.messages(), phone.messages()
        receipt = await romeo.send(juliet.jid, "But soft!")
        assert (await heard.next()).message.body == "But soft!"
        assert (await copied.next()).message.body == "But soft!"
        await receipt.acked
        await receipt.delivered


async def test_a_wrong_password(login: Login) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(AuthenticationFailed) as failed:
            async with login("romeo", password="wrong"):
                pass
    assert failed.value.condition == "not-authorized"


async def test_requests(login: Login) -> None:
    async with login("romeo") as romeo, login("juliet") as juliet, asyncio.timeout(PATIENCE):

        @juliet.serve("get", Version)
        def answer(_: object) -> Version:
            return Version(name="balcony")

        assert (await romeo.request(Version(), juliet.jid, expect=Version)).name == "balcony"
        with pytest.raises(StanzaError) as refused:
            await romeo.request(Ping(), juliet.jid)
        assert refused.value.condition == "service-unavailable"
        domain = JID(None, romeo.jid.domain)
        assert (await romeo.request(Version(), domain, expect=Version)).name


async def test_a_cut_stream_is_resumed(login: Login, server: Server) -> None:
    """XEP-0198 §5: what was said while the connection was gone arrives, once and in order.

    ejabberd 23.01 mixes up what is under way between its processes while a session is resumed.
    """
    async with login("romeo") as romeo, login("juliet") as juliet, asyncio.timeout(PATIENCE):
        assert juliet.is_acknowledged
        heard, states = juliet.messages(), juliet.lifecycle()
        juliet._keeper._link.abort()  # type: ignore[union-attr]
        for number in range(20):
            await romeo.send(juliet.jid, str(number))
        assert isinstance(await states.next(), Suspended)
        waiting = [await juliet.send(romeo.jid, str(number)) for number in range(5)]
        state = await states.next()
        assert isinstance(state, Online)
        assert state.is_resumed
        bodies = [(await heard.next()).message.body or "" for _ in range(20)]
        if server.name == "ejabberd":
            bodies.sort(key=int)
        assert bodies == [str(number) for number in range(20)]
        for receipt in waiting:
            await receipt.acked


async def test_a_session_that_is_gone_is_replaced(login: Login) -> None:
    async with login("romeo") as romeo, asyncio.timeout(PATIENCE):
        states = romeo.lifecycle()
        keeper = romeo._keeper
        keeper.session = None  # as if it could not be resumed
        keeper._link.abort()  # type: ignore[union-attr]
        told = [await states.next() for _ in range(3)]
        assert [type(state) for state in told] == [Suspended, Online, Reset]
