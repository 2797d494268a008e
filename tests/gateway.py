"""WebSocket and BOSH in front of a server that is reached by TCP, as their specifications say.

By the book, and no more than tests need: requests that say nothing are held without end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4
from xml.sax.saxutils import quoteattr

from aiohttp import web

from pyrite.core.framing import frame, unframe
from pyrite.core.negotiate import FEATURES, NS_TLS
from pyrite.core.payload import decode, encode
from pyrite.core.xml import Element, Limits, Opened
from pyrite.wire import bosh, framing

from .peer import HungUpError, Peer

ANSWERS = 2  # that are remembered: as many as there may be requests (XEP-0124 §14.3)
NOT_FOUND = f'<body xmlns="{bosh.NS}" type="terminate" condition="item-not-found"/>'


async def heard(peer: Peer, hear: Callable[[Opened | Element], None]) -> None:
    """Hand over what the server says, until it hangs up."""
    try:
        while isinstance(event := await peer.event(), Opened | Element):
            hear(_without_tls(event) if isinstance(event, Element) else event)
    except (HungUpError, OSError):
        return


def _without_tls(element: Element) -> Element:
    """Encryption is a matter of HTTP there (RFC 7395 §3.9)."""
    if element.name != FEATURES:
        return element
    left = [
        one for one in element.children if not (isinstance(one, Element) and one.name.ns == NS_TLS)
    ]
    return Element(element.name, element.attrs, left)


class SocketSession:
    """RFC 7395: one message, one element."""

    def __init__(self, peer: Peer, socket: web.WebSocketResponse) -> None:
        self._peer, self._socket = peer, socket
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()

    async def run(self) -> None:
        """Carry it, until one side is gone."""
        works = {asyncio.ensure_future(one) for one in (self._hear(), self._up(), self._down())}
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            await asyncio.wait(works)
            self._peer.writer.transport.abort()

    async def _up(self) -> None:
        async for message in self._socket:
            element = unframe(message.data, Limits())
            if element.name == (framing.NS, "open"):
                opened = decode(framing.Open, element)
                self._peer.stream.restart()
                self._peer.stream.open(to=opened.to, sender=opened.sender, lang=opened.lang or "")
            elif element.name == (framing.NS, "close"):
                self._peer.stream.close()
            else:
                self._peer.stream.send(element)
            await self._peer.flush()

    async def _hear(self) -> None:
        await heard(self._peer, self._say)
        self._texts.put_nowait(frame(encode(framing.Close())))
        self._texts.put_nowait(None)
        await asyncio.Event().wait()  # what was said goes out first

    def _say(self, event: Opened | Element) -> None:
        if isinstance(event, Opened):
            event = encode(framing.Open(id=event.root.attrs.get("id", ""), version="1.0"))
        self._texts.put_nowait(frame(event))

    async def _down(self) -> None:
        while (text := await self._texts.get()) is not None:
            await self._socket.send_str(text)


class RequestSession:
    """XEP-0124: requests in their order, one of them held, and copies of what broke."""

    def __init__(self, peer: Peer, first: int) -> None:
        self.sid = str(uuid4())
        self._peer = peer
        self._last = first - 1  # the youngest request that was looked at
        self._news = asyncio.Condition()
        self._answers: dict[int, str] = {}
        self._held: tuple[int, asyncio.Future[str]] | None = None
        self._out: list[str] = []
        self._attrs: dict[str, object] = {
            "sid": self.sid,
            "wait": 60,
            "hold": 1,
            "requests": 2,
            "ver": "1.11",
        }
        self._is_over = False
        self._hearing = asyncio.ensure_future(self._hear())

    async def close(self) -> None:
        self._hearing.cancel()
        await asyncio.wait([self._hearing])
        self._peer.writer.transport.abort()

    async def answer(self, request: bosh.Body) -> str:
        """To the request, when there is something to say, or another one is there to be held."""
        rid = request.rid or 0
        if self._last + 1 < rid <= self._last + ANSWERS:
            async with self._news:
                await self._news.wait_for(lambda: self._last + 1 >= rid)
        if rid in self._answers:
            return self._answers[rid]
        if rid == self._last + 1:
            self._look_at(request)
            self._let_go()
        elif rid != self._last or self._held is None:
            return NOT_FOUND
        else:
            self._held[1].set_result("")  # whoever that was is gone: here is a copy
        future = asyncio.get_running_loop().create_future()
        self._held = rid, future
        async with self._news:
            self._news.notify_all()
        if self._out or self._is_over:
            self._let_go()
        return str(await future)

    def _look_at(self, request: bosh.Body) -> None:
        self._last = request.rid or 0
        stream = self._peer.stream
        if request.sid is None or request.restart:
            stream.restart()
            sender, lang = request.sender or "", request.lang or ""
            stream.open(to=request.to or "", sender=sender, lang=lang)
        for element in request.elements:
            stream.send(element)
        if request.type == "terminate":
            stream.close()
        self._peer.writer.write(stream.take())

    def _let_go(self) -> None:
        """Answer what is held, and remember the answer."""
        if self._held is None:
            return
        (rid, future), self._held = self._held, None
        attrs = self._attrs | ({"type": "terminate"} if self._is_over else {})
        written = "".join(f" {name}={quoteattr(str(value))}" for name, value in attrs.items())
        said = f'<body xmlns="{bosh.NS}"{written}>{"".join(self._out)}</body>'
        self._out, self._attrs = [], {}
        self._answers[rid] = said
        self._answers.pop(rid - ANSWERS, None)
        future.set_result(said)

    async def _hear(self) -> None:
        await heard(self._peer, self._say)
        self._is_over = True
        self._let_go()

    def _say(self, event: Opened | Element) -> None:
        if isinstance(event, Element):
            self._out.append(frame(event))
            self._let_go()


class Gateway:
    """Sessions with the server at port `to` of this machine."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._sessions: dict[str, RequestSession] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/ws":
            socket = web.WebSocketResponse(protocols=(framing.SUBPROTOCOL,), max_msg_size=0)
            await socket.prepare(request)
            await SocketSession(await Peer.connect(self._to), socket).run()
            return socket
        if request.method == "GET":
            return web.Response(text="here it is")
        try:
            text = (await request.read()).decode()
        except ConnectionError:  # a part of it has not come, which is nothing
            return web.Response()
        answer = await self._answer(decode(bosh.Body, unframe(text, Limits())))
        return web.Response(text=answer, content_type="text/xml")

    async def _answer(self, request: bosh.Body) -> str:
        if request.sid is None:
            session = RequestSession(await Peer.connect(self._to), request.rid or 0)
            self._sessions[session.sid] = session
            return await session.answer(request)
        found = self._sessions.get(request.sid)
        return NOT_FOUND if found is None else await found.answer(request)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()


@asynccontextmanager
async def gateway(to: int) -> AsyncIterator[int]:
    """A way through the web to the server at port `to`; its own port. `/ws` and `/bosh`."""
    there = Gateway(to)
    runner = web.ServerRunner(web.Server(there.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await there.close()
        await runner.cleanup()
