"""Servers of BOSH and WebSocket whose every answer the test writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from xml.sax.saxutils import quoteattr

from aiohttp import web
from tests.peer import PATIENCE
from tests.service import ROMEO, VERONA

from pyrite.client.account import Account, Trust
from pyrite.client.bosh import BODY, Bosh
from pyrite.client.link import Link
from pyrite.client.websocket import WebSocket
from pyrite.core.framing import unframe
from pyrite.core.payload import decode
from pyrite.core.xml import Element
from pyrite.wire import bosh as wire

FEATURES = (
    '<stream:features xmlns:stream="http://etherx.jabber.org/streams">'
    '<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>PLAIN</mechanism></mechanisms>'
    "</stream:features>"
)
ACCOUNT = Account(ROMEO, "pw", trust=Trust(encrypted=False))


def body(*texts: str, **attrs: object) -> str:
    """An answer of BOSH."""
    written = "".join(f" {name}={quoteattr(str(value))}" for name, value in attrs.items())
    return f'<body xmlns="{wire.NS}"{written}>{"".join(texts)}</body>'


CREATED = body(FEATURES, sid="s1", wait=60, hold=1, requests=2, inactivity=30, ver="1.11")


class Asked:
    """A request that waits for its answer."""

    def __init__(self, request: web.Request, text: str) -> None:
        self.text = text
        self.body = decode(wire.Body, unframe(text, BODY))
        self.at = asyncio.get_running_loop().time()
        self._request = request
        self._response: asyncio.Future[web.Response] = asyncio.get_running_loop().create_future()

    @property
    def said(self) -> list[str]:
        return [element.name.tag for element in self.body.elements]

    def answer(self, data: str | bytes, status: int = 200, **headers: str) -> None:
        octets = data.encode() if isinstance(data, str) else data
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._response.set_result(web.Response(body=octets, status=status, headers=named))

    def hang_up(self, part: bytes = b"") -> None:
        """Break the connection, behind a part of an answer."""
        assert self._request.transport
        if part:
            self._request.transport.write(part)
            self._request.transport.close()
        else:
            self._request.transport.abort()
        self._response.set_result(web.Response())

    async def response(self) -> web.Response:
        return await self._response


class Manager:
    """A connection manager (XEP-0124) that knows nothing but what it is told."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Asked] = asyncio.Queue()
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(text="here it is")
        pieces = [piece async for piece in request.content.iter_any()]
        asked = Asked(request, b"".join(pieces).decode())
        self.asked.put_nowait(asked)
        return await asked.response()

    async def next(self) -> Asked:
        async with asyncio.timeout(PATIENCE):
            return await self.asked.get()

    async def connect(self) -> Link:
        return await Bosh(f"http://127.0.0.1:{self.port}/bosh").connect(ACCOUNT)


@asynccontextmanager
async def managing() -> AsyncIterator[Manager]:
    manager = Manager()
    async with serving(manager.handle) as manager.port:
        yield manager


@asynccontextmanager
async def serving(
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[int]:
    """HTTP on loopback; its port."""
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Talk:
    """One WebSocket, from the server's side."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request, self._socket = request, socket
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self.over = asyncio.Event()

    async def listen(self) -> None:
        """Take what comes, until all is over."""
        async for message in self._socket:
            self._heard.put_nowait(str(message.data))

    async def hear(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self._heard.get()

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self._socket.send_str(text)

    async def say_octets(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    def raw(self, data: bytes) -> None:
        """What need not be a frame."""
        assert self._request.transport
        self._request.transport.write(data)  # type: ignore[attr-defined]

    def hang_up(self) -> None:
        assert self._request.transport
        self._request.transport.close()
        self.over.set()

    async def close(self) -> None:
        """Without the goodbye of XMPP."""
        assert self._request.transport
        self._request.transport.write(b"\x88\x02\x03\xe8")  # type: ignore[attr-defined]


class Sockets:
    """A server of WebSockets that says nothing by itself. It need not even read."""

    def __init__(self, protocols: tuple[str, ...]) -> None:
        self.protocols = protocols
        self.is_deaf = False
        self.talks: asyncio.Queue[Talk] = asyncio.Queue()
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=self.protocols, max_msg_size=0)
        await socket.prepare(request)
        talk = Talk(request, socket)
        self.talks.put_nowait(talk)
        await (talk.over.wait() if self.is_deaf else talk.listen())
        return socket

    async def next(self) -> Talk:
        async with asyncio.timeout(PATIENCE):
            return await self.talks.get()

    async def connect(self) -> Link:
        return await WebSocket(f"ws://127.0.0.1:{self.port}/ws").connect(ACCOUNT)


@asynccontextmanager
async def socketing(*protocols: str) -> AsyncIterator[Sockets]:
    sockets = Sockets(protocols)
    async with serving(sockets.handle) as sockets.port:
        yield sockets


class Streamed:
    """What a session on a link says and hears."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.heard: asyncio.Queue[Element] = asyncio.Queue()
        self.left: list[str] = []  # that the link has not taken
        self.room = asyncio.Event()  # without it, nothing that was heard is done with
        self.room.set()
        self.done: list[Element] = []

    async def begin(self) -> None:
        await self.link.deliver(self._receive, self._fill)

    async def _receive(self, element: Element) -> None:
        self.heard.put_nowait(element)
        await self.room.wait()
        self.done.append(element)

    def _fill(self) -> list[str]:
        texts, self.left = self.left, []
        return texts

    def say(self, *texts: str) -> None:
        self.left += texts
        self.link.wake()

    async def hear(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return (await self.heard.get()).name.tag

    async def is_aborted(self) -> None:
        """While one element is being taken: the link has ended when that is done, not before."""
        await self.hear()
        ending = asyncio.ensure_future(self.link.ended())
        for _ in range(100):  # turns of the loop: it would need a few
            self.link.abort()
            await asyncio.sleep(0)
        assert not ending.done()
        self.room.set()
        async with asyncio.timeout(PATIENCE):
            await ending


def opening(link: Link) -> asyncio.Task[Element]:
    return asyncio.ensure_future(link.open(VERONA, "en"))
