"""Through the web: WebSocket and BOSH, on every server that has them."""

import asyncio

import pytest
from tests.cutting import between
from tests.interop.servers import VERONA, Server

from pyrite.client import link
from pyrite.client.account import Account
from pyrite.client.bosh import Bosh
from pyrite.client.connector import Connector
from pyrite.client.errors import AuthenticationFailed, ConnectionFailed, TlsError
from pyrite.client.link import Link
from pyrite.client.mod.receipts import Receipts
from pyrite.client.state import Closed, Online, Reset, Suspended
from pyrite.client.websocket import WebSocket
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login
from .web import WAYS, Here, connector, https, newcomers, on_a_slow_machine

no_web = pytest.mark.lacks(pyrite="no stream over HTTP yet")


@no_web
@pytest.mark.parametrize("way", WAYS)
async def test_a_message_and_its_receipt(login: Login, server: Server, way: str) -> None:
    people = newcomers(server)
    async with (
        asyncio.timeout(PATIENCE),
        login(people[0], features=[Receipts], connector=connector(server, way)) as romeo,
        login(people[1], features=[Receipts], connector=connector(server, way)) as juliet,
    ):
        await juliet.request(Ping())
        heard = juliet.messages()
        for number in range(30):
            receipt = await romeo.send(juliet.jid, f"{number}: but soft! <&>")
        bodies = [(await heard.next()).message.body for _ in range(30)]
        assert bodies == [f"{number}: but soft! <&>" for number in range(30)]
        await receipt.delivered
        if romeo.is_acknowledged:
            await receipt.acked


@no_web
@pytest.mark.parametrize("way", WAYS)
async def test_a_wrong_password(login: Login, server: Server, way: str) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(AuthenticationFailed) as failed:
            async with login("romeo", password="wrong", connector=connector(server, way)):
                pass
    assert failed.value.condition == "not-authorized"


@no_web
@pytest.mark.parametrize("way", WAYS)
async def test_a_certificate_for_another_host(login: Login, server: Server, way: str) -> None:
    """The host of the URL is what the certificate has to be for (RFC 7395 §4)."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TlsError):
            async with login("romeo", connector=connector(server, way, "padua.example")):
                pass


@no_web
@pytest.mark.parametrize("way", WAYS)
async def test_an_address_where_nothing_is(login: Login, server: Server, way: str) -> None:
    kind, scheme = (WebSocket, "wss") if way == "websocket" else (Bosh, "https")
    there = kind(f"{scheme}://{VERONA}:{https(server)}/nothing-here", resolver=Here())
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionFailed, match="404"):
            async with login("romeo", connector=there):
                pass


@no_web
async def test_a_cut_stream_is_resumed(login: Login, server: Server) -> None:
    """XEP-0198 §5 knows nothing of what is below: nothing is lost, nothing comes twice."""
    await resume(login, server, "websocket")


@no_web
@pytest.mark.lacks(prosody="its mod_smacks fails where it resumes over BOSH")
async def test_a_cut_session_of_requests_is_resumed(login: Login, server: Server) -> None:
    await resume(login, server, "bosh")


class Halting:
    """A way that leads to the server, and no further until `go` is set."""

    def __init__(self, way: Connector) -> None:
        self.way = way
        self.reached, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()

    async def connect(self, account: Account) -> Link:
        to = await self.way.connect(account)
        self.reached.set()
        await self.go.wait()
        return to


async def resume(login: Login, server: Server, way: str) -> None:
    """Cut while nothing is under way, and gone on with when the server knows of it.

    Else ejabberd's process for a WebSocket may wait without limit for one that is gone, to take
    what is meant for it (`ejabberd_http_ws:route_text`), and who comes back waits for the process.
    """
    there, people = Halting(connector(server, way)), newcomers(server)
    async with (
        asyncio.timeout(PATIENCE),
        login(people[0]) as romeo,
        login(people[1], connector=there) as juliet,
    ):
        assert juliet.is_acknowledged
        await (await juliet.send(romeo.jid, "is nothing under way?")).acked
        heard, states = juliet.messages(), juliet.lifecycle()
        there.reached.clear()
        there.go.clear()
        juliet._keeper._link.abort()  # type: ignore[union-attr]
        assert isinstance(await states.next(), Suspended)
        await there.reached.wait()
        for number in range(20):
            await romeo.send(juliet.jid, str(number))
        await romeo.request(Ping())
        waiting = [await juliet.send(romeo.jid, str(number)) for number in range(5)]
        there.go.set()
        state = await states.next()
        assert isinstance(state, Online)
        assert state.is_resumed
        bodies = [(await heard.next()).message.body or "" for _ in range(20)]
        if server.name == "ejabberd":  # see test_session
            bodies.sort(key=int)
        assert bodies == [str(number) for number in range(20)]
        for receipt in waiting:
            await receipt.acked
        if (server.name, way) != ("ejabberd", "bosh"):  # see test_cutting
            await romeo.send(juliet.jid, "no more")
            assert (await heard.next()).message.body == "no more"


@no_web
async def test_requests_that_break_are_made_again(
    login: Login, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XEP-0124 §14.3: they have numbers. The session does not even notice."""
    on_a_slow_machine(monkeypatch)
    people = newcomers(server)
    async with (
        asyncio.timeout(PATIENCE),
        between(https(server)) as net,
        login(people[0]) as romeo,
        login(people[1], connector=connector(server, "bosh", port=net.port)) as juliet,
    ):
        heard, answers, states = romeo.messages(), juliet.messages(), juliet.lifecycle()
        for number in range(10):
            await juliet.request(Ping())
            net.cut()
            await juliet.send(romeo.jid, f"to {number}")
            await romeo.send(juliet.jid, f"from {number}")
            assert (await heard.next()).message.body == f"to {number}"
            assert (await answers.next()).message.body == f"from {number}"
        assert net.connections > 10
        await juliet.close()
        assert [type(state) async for state in states] == [Closed]


@no_web
@pytest.mark.lacks(ejabberd="it resumes")
async def test_who_gets_no_answer_begins_anew(
    login: Login, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prosody's mod_smacks fails where it resumes over BOSH, and says nothing."""
    async with (
        asyncio.timeout(PATIENCE),
        login("juliet", connector=connector(server, "bosh")) as juliet,
    ):
        monkeypatch.setattr(link, "PATIENCE", 1.0)
        states = juliet.lifecycle()
        juliet._keeper._link.abort()  # type: ignore[union-attr]
        told = [await states.next() for _ in range(3)]
        assert [type(state) for state in told] == [Suspended, Online, Reset]
        await juliet.request(Ping())
