"""Proxies: small real ones on loopback, which let through, refuse, or talk nonsense."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from pyrite.net.proxy import MAX_HEADER, Proxy, ProxyError

LIMIT = 20.0
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[int]:
    """A server whose every connection is `talk`'s; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await server.wait_closed()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Both directions, until both have ended."""
    there, back = await asyncio.open_connection("127.0.0.1", port)

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.write_eof()
        except (ConnectionError, RuntimeError):
            sink.transport.abort()

    try:
        await asyncio.gather(carry(reader, back), carry(there, writer))
    finally:
        back.transport.abort()


class Connect:
    """An HTTP proxy that leads everywhere to `port`, for who has `name` and `password`."""

    def __init__(self, port: int, user: str = "", password: str = "") -> None:
        self.port = port
        self.asked: list[str] = []
        self.secret = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.asked.append(head[0])
        if self.secret and f"Proxy-Authorization: {self.secret}" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n\r\n")
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nVia: test\r\n\r\n")
        await pipe(reader, writer, self.port)


class Socks:
    """A SOCKS 5 proxy that leads everywhere to `port`; `reply` is of RFC 1928 §6."""

    def __init__(self, port: int, user: str = "", password: str = "", reply: int = 0) -> None:
        self.port, self.user, self.password, self.reply = port, user, password, reply
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        method = 2 if self.user else 0
        if method not in methods:
            writer.write(b"\x05\xff")
            return await writer.drain()
        writer.write(bytes((5, method)))
        if method:
            await reader.readexactly(1)
            given = [
                (await reader.readexactly((await reader.readexactly(1))[0])).decode() for _ in "ab"
            ]
            is_right = given == [self.user, self.password]
            writer.write(b"\x01" + (b"\x00" if is_right else b"\x01"))
            if not is_right:
                return await writer.drain()
        head = await reader.readexactly(5)
        assert head[:4] == b"\x05\x01\x00\x03"
        host = (await reader.readexactly(head[4])).decode()
        self.asked.append((host, int.from_bytes(await reader.readexactly(2), "big")))
        writer.write(bytes((5, self.reply, 0, 3, 4)) + b"here" + b"\x00\x01")
        await writer.drain()
        if self.reply == 0:
            await pipe(reader, writer, self.port)
        return None


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1024):
        writer.write(data)


async def said(proxy: Proxy) -> bytes:
    """What comes back of a few octets, through `proxy`."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LIMIT):
        sock = await proxy.reach("xmpp.verona.lit", 5222)
        try:
            await loop.sock_sendall(sock, b"hello")
            return await loop.sock_recv(sock, 100)
        finally:
            sock.close()


@pytest.mark.parametrize("user", ["", "romeo"])
async def test_connect(user: str) -> None:
    async with listening(echo) as port:
        there = Connect(port, user, "p:w")
        async with listening(there) as at:
            proxy = Proxy("http", "127.0.0.1", at, user, "p:w" if user else "")
            assert await said(proxy) == b"hello"
        assert there.asked == ["CONNECT xmpp.verona.lit:5222 HTTP/1.1"]


@pytest.mark.parametrize("user", ["", "romeo"])
async def test_socks(user: str) -> None:
    async with listening(echo) as port:
        there = Socks(port, user, "pw")
        async with listening(there) as at:
            assert await said(Proxy("socks5", "127.0.0.1", at, user, "pw")) == b"hello"
        assert there.asked == [("xmpp.verona.lit", 5222)]


async def test_a_password_is_wanted() -> None:
    async with listening(Connect(1, "a", "b")) as http, listening(Socks(1, "a", "b")) as socks:
        with pytest.raises(ProxyError, match="407 Proxy Authentication Required"):
            await said(Proxy("http", "127.0.0.1", http))
        with pytest.raises(ProxyError, match="wants a name and password"):
            await said(Proxy("socks5", "127.0.0.1", socks))
        with pytest.raises(ProxyError, match="refuses our name"):
            await said(Proxy("socks5", "127.0.0.1", socks, "a", "wrong"))


async def test_the_proxy_says_why() -> None:
    async with listening(Socks(1, reply=5)) as at:
        with pytest.raises(ProxyError, match="connection refused"):
            await said(Proxy("socks5", "127.0.0.1", at))


@pytest.mark.parametrize("nonsense", [b"", b"SSH-2.0-x\r\n\r\n", b"\x04\x5a" + b"x" * 20])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_nonsense(nonsense: bytes, scheme: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(nonsense)
        writer.write_eof()
        await reader.read()

    async with listening(talk) as at:
        with pytest.raises(OSError, match=r"prox|reset"):
            await said(Proxy(scheme, "127.0.0.1", at))  # type: ignore[arg-type]


async def test_an_answer_without_an_end() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * MAX_HEADER)
        await reader.read()

    async with listening(talk) as at:
        with pytest.raises(ProxyError, match="no end"):
            await said(Proxy("http", "127.0.0.1", at))


def test_how_proxies_are_written() -> None:
    assert Proxy.parse("socks5://a%40b:p%3Aw@[::1]") == Proxy("socks5", "::1", 1080, "a@b", "p:w")
    assert Proxy.parse("http://proxy:3128") == Proxy("http", "proxy", 3128)
    assert "p:w" not in repr(Proxy.parse("http://a:p%3Aw@proxy"))
    for wrong in ("proxy:3128", "ftp://proxy", "http://", "socks4://proxy"):
        with pytest.raises(ValueError, match="a proxy is"):
            Proxy.parse(wrong)
