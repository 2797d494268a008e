"""By WebSocket, where nothing but the web is let through (RFC 7395)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ..core.errors import StanzaError, StreamError
from ..core.framing import frame, unframe
from ..core.frozen import frozen
from ..core.payload import decode, encode
from ..core.xml import Element
from ..net import http
from ..net.flow import STALL
from ..wire import framing
from ..wire.hostmeta import WEBSOCKET
from .framed import GRACE, LIMITS, FramedLink, raise_first
from .web import Web

if TYPE_CHECKING:
    import aiohttp


class WebSocketLink(FramedLink):
    """One message, one element."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        *,
        is_secure: bool,
    ) -> None:
        super().__init__(is_secure=is_secure)
        self._session, self._socket = session, socket
        self._is_opening = False

    def _begin(self, domain: str, lang: str) -> None:
        self._is_opening = True
        self.send(framing.Open(to=domain, sender=self._sender, version="1.0", lang=lang))

    async def _carry(self) -> None:
        writing = asyncio.ensure_future(self._write())
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
            if self._is_closing:  # either side says goodbye
                await asyncio.wait((writing, reading), timeout=GRACE)
        finally:
            await self._between()
            for task in (writing, reading):
                task.cancel()
            await asyncio.wait((writing, reading))
            await self._hang_up()
        raise_first(reading, writing)

    async def _hang_up(self) -> None:
        """Free the socket; in good order, unless it is to look as if the net had gone."""
        if self._is_aborted:
            await http.hang_up(self._session)
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(GRACE):
                await self._socket.close()
        await http.hang_up(self._session)

    async def _read(self) -> None:
        import aiohttp

        async for message in self._socket:
            try:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise StreamError("bad-format", "a message that is no text (RFC 7395 §3.2)")
                element = unframe(message.data, LIMITS)
                if element.name.ns != framing.NS:
                    await self._take_checked(element)
                elif not self._framing(element):
                    return
                if self._end is not None:
                    return
            except StreamError as error:
                self._over(str(error), error)
                self.close(error)
                return
        if isinstance(failed := self._socket.exception(), Exception):
            raise http.plainly(failed)

    def _framing(self, element: Element) -> bool:
        """Whether the stream goes on after `open` or `close`. Raises `StreamError`."""
        try:
            if element.name.tag == "close":
                if elsewhere := decode(framing.Close, element).elsewhere:
                    told = StreamError("see-other-host", elsewhere)  # §3.6.1
                    self._over(str(told), told)
                self.close()
                return False
            self.stream_id = decode(framing.Open, element).id
        except StanzaError as error:
            raise StreamError("bad-format", error.text) from None
        if not self._is_opening:
            raise StreamError("bad-format", "a stream in the stream")
        self._is_opening = False
        return True

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            is_last = self._is_closing
            self._room.clear()
            for text in self._taken():
                await self._say(text)
            self._room.set()
            if is_last:
                await self._say(frame(encode(framing.Close())))
                return

    async def _say(self, text: str) -> None:
        async with asyncio.timeout(STALL):
            await self._socket.send_str(text)


@frozen
class WebSocket(Web):
    """By WebSocket: at `url`, or where the domain's host-meta says (XEP-0156).

    The certificate has to be for the host of the URL. `proxy` is the URL of an HTTP proxy.
    """

    relation: ClassVar[str] = WEBSOCKET

    async def _dial(self, session: aiohttp.ClientSession, url: str) -> FramedLink:
        import aiohttp

        options: dict[str, Any] = {
            "protocols": (framing.SUBPROTOCOL,),
            "max_msg_size": LIMITS.octets,
            "timeout": aiohttp.ClientWSTimeout(ws_close=GRACE),
        }
        try:
            socket: aiohttp.ClientWebSocketResponse = await session.ws_connect(url, **options)
        except (OSError, aiohttp.ClientError, ValueError) as error:
            raise http.plainly(error) from None
        if socket.protocol != framing.SUBPROTOCOL:  # §3.1
            await socket.close()
            raise http.HttpError(f"{url} does not speak XMPP")
        return WebSocketLink(session, socket, is_secure=urlsplit(url).scheme == "wss")
