"""Through proxies that others wrote, to servers that others wrote."""

import asyncio
import ssl
from collections.abc import Iterator
from hashlib import sha256

import pytest
from tests.interop.servers import Server, free_ports

from pyrite.client.account import Account, Trust
from pyrite.client.app import Client
from pyrite.client.bosh import Bosh
from pyrite.client.connector import Connector, Tcp
from pyrite.client.errors import ConnectionFailed, TlsError
from pyrite.client.websocket import WebSocket
from pyrite.net.dns import Target
from pyrite.net.proxy import Proxy
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login
from .proxies import PASSWORD, USER, running
from .web import PATHS, WAYS, https

KINDS = ["http", "socks5"]

by_kind = pytest.mark.parametrize("kind", KINDS)
by_web = pytest.mark.parametrize("way", WAYS)
no_web = pytest.mark.lacks(pyrite="no stream over HTTP yet")


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Kind -> port."""
    home = tmp_path_factory.mktemp("proxies")
    with running("http", home) as http, running("socks5", home) as socks:
        yield {"http": http, "socks5": socks}


def proxy(proxies: dict[str, int], kind: str, password: str = PASSWORD) -> Proxy:
    return Proxy.parse(f"{kind}://{USER}:{password}@127.0.0.1:{proxies[kind]}")


async def enters(me: Client) -> None:
    async with asyncio.timeout(PATIENCE), me:
        await me.request(Ping())
        me.break_off()
        await me.request(Ping())  # and comes back the same way


@by_kind
@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
async def test_by_tcp(
    login: Login, server: Server, proxies: dict[str, int], kind: str, direct: bool
) -> None:
    at = Target("localhost", server.c2s_tls if direct else server.c2s, direct)
    await enters(login("nurse", connector=Tcp([at], proxy=proxy(proxies, kind))))


@by_kind
async def test_whom_the_proxy_does_not_know(
    login: Login, server: Server, proxies: dict[str, int], kind: str
) -> None:
    there = Tcp([Target("localhost", server.c2s)], proxy=proxy(proxies, kind, "wrong"))
    with pytest.raises(ConnectionFailed, match=r"401|407|refuses our name"):
        await enters(login("nurse", connector=there))


@by_kind
async def test_where_nobody_is(login: Login, proxies: dict[str, int], kind: str) -> None:
    there = Tcp([Target("localhost", free_ports(1)[0])], proxy=proxy(proxies, kind))
    with pytest.raises(ConnectionFailed, match="the proxy refuses"):
        await enters(login("nurse", connector=there))


def through(
    server: Server, way: str, proxies: dict[str, int], password: str = PASSWORD
) -> Connector:
    rest = f"127.0.0.1:{https(server)}/{PATHS[server.name, way]}"
    url = f"http://{USER}:{password}@127.0.0.1:{proxies['http']}"
    if way == "websocket":
        return WebSocket(f"wss://{rest}", proxy=url)
    return Bosh(f"https://{rest}", proxy=url)


def pinned(login: Login, there: Connector, pin: str) -> Client:
    """The certificate is for no address, so it is known by itself."""
    account = login("nurse").account
    return Client(
        account.jid,
        account=Account(account.jid, account.password, trust=Trust(pin=pin)),
        connector=there,
    )


def pin_of(server: Server) -> str:
    pem = server.certificate.read_text().split("-----END CERTIFICATE-----")[0]
    return sha256(ssl.PEM_cert_to_DER_cert(f"{pem}-----END CERTIFICATE-----\n")).hexdigest()


@no_web
@by_web
async def test_by_web(login: Login, server: Server, proxies: dict[str, int], way: str) -> None:
    me = pinned(login, through(server, way, proxies), pin_of(server))
    async with asyncio.timeout(PATIENCE), me:
        await me.request(Ping())


@no_web
@by_web
async def test_by_web_where_somebody_else_is(
    login: Login, server: Server, proxies: dict[str, int], way: str
) -> None:
    with pytest.raises(TlsError, match="not the one expected"):
        await enters(pinned(login, through(server, way, proxies), "00" * 32))


@no_web
@by_web
async def test_whom_the_proxy_of_the_web_does_not_know(
    login: Login, server: Server, proxies: dict[str, int], way: str
) -> None:
    there = through(server, way, proxies, "wrong")
    with pytest.raises(ConnectionFailed, match=r"401|407"):
        await enters(pinned(login, there, pin_of(server)))
