"""One client connection, plain or TLS, at the least cost to the load generator."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .acks import Acks

READ = 65536  # octets taken out of TLS at once
ANSWER = 20.0  # seconds that a server may take to answer before the run is given up


class LoadError(Exception):
    """A server did what the load generator does not expect."""


class Stream(asyncio.Protocol):
    """Hands what arrives to `receive`, which a scenario replaces once it is logged in."""

    def __init__(self) -> None:
        self.receive: Callable[[bytes], None] = self._keep
        self.acks: Acks | None = None
        self.write: Callable[[bytes], None] = _unconnected
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.cipher = ""
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._wanted: tuple[re.Pattern[bytes], asyncio.Future[re.Match[bytes]]] | None = None

    async def ready(self) -> None:
        """Wait until stanzas may be written."""

    async def until(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """Wait for what matches; it and all before it is taken away.

        Raises LoadError when it does not come in time or the connection ends.
        """
        found = asyncio.get_running_loop().create_future()
        self._wanted = pattern, found
        self._keep(b"")
        done, _ = await asyncio.wait(
            {found, self.closed}, timeout=ANSWER, return_when=asyncio.FIRST_COMPLETED
        )
        self._wanted = None
        if found not in done:
            raise LoadError(f"no {pattern.pattern!r}, but {self._buffer[-500:]!r}")
        return cast("re.Match[bytes]", found.result())

    def buffered(self) -> None:
        """Go back to keeping what arrives, for `until`."""
        self.receive = self._keep

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.write = self._transport.write

    def data_received(self, data: bytes) -> None:
        self._hand_over(data)

    def _hand_over(self, data: bytes) -> None:
        if self.acks is not None:
            self.acks.feed(data)
        self.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def _keep(self, data: bytes) -> None:
        self._buffer += data
        if self._wanted is None or self._wanted[1].done():
            return
        match = self._wanted[0].search(self._buffer)
        if match is not None:
            self._buffer = self._buffer[match.end() :]
            self._wanted[1].set_result(match)


class TLSStream(Stream):
    """The same through TLS, which takes one record for all that one call writes."""

    def __init__(self) -> None:
        super().__init__()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context().wrap_bio(self._in, self._out)
        self._open = asyncio.get_running_loop().create_future()

    async def ready(self) -> None:
        async with asyncio.timeout(ANSWER):
            await asyncio.wait({self._open, self.closed}, return_when=asyncio.FIRST_COMPLETED)
        if not self._open.done():
            raise LoadError("the connection ended in the TLS handshake")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.write = self._encrypt
        self._shake()

    def data_received(self, data: bytes) -> None:
        self._in.write(data)
        if not self._open.done() and not self._shake():
            return
        if clear := self._decrypt():
            self._hand_over(clear)

    def _shake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._flush()
        name, version, _ = self._tls.cipher() or ("", "", 0)
        self.cipher = f"{self._tls.version() or version} {name}"
        self._open.set_result(None)
        return True

    def _decrypt(self) -> bytes:
        clear = b""
        while self._in.pending or self._tls.pending():
            try:
                part = self._tls.read(READ)
            except ssl.SSLWantReadError:
                break
            if not part:
                break
            clear = clear + part if clear else part
        return clear

    def _encrypt(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def _flush(self) -> None:
        if self._out.pending and self._transport is not None:
            self._transport.write(self._out.read())


@cache
def context() -> ssl.SSLContext:
    """One for all clients: the certificate is self-signed and not checked."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols(["xmpp-client"])
    return made


def _unconnected(_: bytes) -> None:
    raise LoadError("not connected")
