"""Through the web: WebSocket and BOSH, on every server that has them."""

import asyncio

import pytest
from tests.interop.servers import VERONA, Server

from pyrite.client import link
from pyrite.client.bosh import Bosh
from pyrite.client.connector import Connector
from pyrite.client.errors import AuthenticationFailed, ConnectionFailed, TlsError
from pyrite.client.mod.receipts import Receipts
from pyrite.client.state import Online, Reset, Suspended
from pyrite.client.websocket import WebSocket
from pyrite.wire.ping import Ping

from .conftest import Login
from .servers import Ejabberd, LiveProsody

PATIENCE = 20.0
no_web = pytest.mark.lacks(pyrite="no stream over HTTP yet")
unsteady = pytest.mark.lacks(ejabberd="over HTTP this fails now and then; why is not known")
WAYS = ["websocket", "bosh"]
PATHS = {
    ("prosody", "websocket"): "xmpp-websocket",
    ("prosody", "bosh"): "http-bind",
    ("ejabberd", "websocket"): "ws",
    ("ejabberd", "bosh"): "bosh",
}


class Here:
    """A resolver for which every host is this machine, at another port if so wished."""

    def __init__(self, port: int = 0) -> None:
        self.port = port

    async def records(self, name: str) -> list[object]:
        return []

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(2, ("127.0.0.1", self.port or port))]


def connector(server: Server, way: str, host: str = VERONA) -> Connector:
    assert isinstance(server, LiveProsody | Ejabberd)
    rest = f"{host}:{server.https}/{PATHS[server.name, way]}"
    if way == "websocket":
        return WebSocket(f"wss://{rest}", resolver=Here())
    return Bosh(f"https://{rest}", resolver=Here())


@unsteady
@no_web
@pytest.mark.parametrize("way", WAYS)
async def test_a_message_and_its_receipt(login: Login, server: Server, way: str) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo", features=[Receipts], connector=connector(server, way)) as romeo,
        login("juliet", features=[Receipts], connector=connector(server, way)) as juliet,
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
    assert isinstance(server, LiveProsody | Ejabberd)
    kind, scheme = (WebSocket, "wss") if way == "websocket" else (Bosh, "https")
    there = kind(f"{scheme}://{VERONA}:{server.https}/nothing-here", resolver=Here())
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionFailed, match="404"):
            async with login("romeo", connector=there):
                pass


@unsteady
@no_web
async def test_a_cut_stream_is_resumed(login: Login, server: Server) -> None:
    """XEP-0198 §5 knows nothing of what is below: nothing is lost, nothing comes twice."""
    await resume(login, server, "websocket")


@no_web
@pytest.mark.lacks(prosody="its mod_smacks fails where it resumes over BOSH")
async def test_a_cut_session_of_requests_is_resumed(login: Login, server: Server) -> None:
    await resume(login, server, "bosh")


async def resume(login: Login, server: Server, way: str) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        login("romeo") as romeo,
        login("juliet", connector=connector(server, way)) as juliet,
    ):
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
        if server.name == "ejabberd":  # see test_session
            bodies.sort(key=int)
        assert bodies == [str(number) for number in range(20)]
        for receipt in waiting:
            await receipt.acked


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
