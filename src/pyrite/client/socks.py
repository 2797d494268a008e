"""SOCKS5 as streams between clients use it: a name in place of a host, and no log-in (RFC 1928)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from ..core.jid import JID
from ..wire import socks5
from .bytestream import READ, StreamBroken

GREETING = 10.0  # seconds for who connects to say what it wants
CONNECTING = 5.0  # seconds until a host has let us in
WRITING = 60.0  # seconds in which the other side has to take something
MOST_WAITING = 20  # connections that are not used yet

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SocksStream:
    """One connection: ``async with`` closes it."""

    def __init__(self, peer: JID, pipe: Pipe) -> None:
        self.peer = peer
        self._reader, self._writer = pipe

    async def read(self, most: int = READ) -> bytes:
        """What has come, ``b""`` at the end. Raises `StreamBroken`."""
        try:
            return await self._reader.read(most)
        except OSError as error:
            raise StreamBroken(f"the connection broke: {error}") from error

    async def write(self, data: bytes) -> None:
        """Send, and wait while the other side is slow. Raises `StreamBroken`."""
        try:
            async with asyncio.timeout(WRITING):
                self._writer.write(data)
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            self._writer.transport.abort()
            raise StreamBroken(f"the connection broke: {error}") from error

    async def close(self) -> None:
        """End it; what was written still goes out."""
        await close(self._writer, WRITING)

    def abort(self) -> None:
        """End it at once."""
        self._writer.transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def close(writer: asyncio.StreamWriter, within: float = GREETING) -> None:
    """Close, and wait for what is still to go out, so many seconds at most."""
    writer.close()
    try:
        async with asyncio.timeout(within):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


async def connect(host: str, port: int, name: str) -> Pipe:
    """A connection to the stream called `name`. Raises `OSError`, also for a time-out."""
    async with asyncio.timeout(CONNECTING):
        reader, writer = await asyncio.open_connection(host, port, limit=READ)
        try:
            writer.write(socks5.GREETING)
            if await _exactly(reader, 2) != socks5.GREETED:
                raise OSError("the host wants a log-in")
            writer.write(socks5.connect(name))
            version, status, _, kind = await _exactly(reader, 4)
            if version != 5 or status != 0:
                raise OSError(f"the host refuses: {status}")
            await _skip_address(reader, kind)
        except BaseException:
            writer.transport.abort()
            raise
    return reader, writer


async def _skip_address(reader: asyncio.StreamReader, kind: int) -> None:
    """COMPAT: hosts that answer with an address in place of the name (RFC 1928 §6)."""
    match kind:
        case 1:
            length = 4
        case 3:
            length = (await _exactly(reader, 1))[0]
        case 4:
            length = 16
        case _:
            raise OSError(f"an address of kind {kind}")
    await _exactly(reader, length + 2)


async def _exactly(reader: asyncio.StreamReader, count: int) -> bytes:
    try:
        return await reader.readexactly(count)
    except asyncio.IncompleteReadError:
        raise OSError("the host has hung up") from None


class Listener:
    """Our own host of streams: gives each connection to who expects its name."""

    def __init__(self) -> None:
        self.ports: list[tuple[str, int]] = []
        self._expected: dict[str, asyncio.Future[Pipe]] = {}
        self._greeting: set[asyncio.StreamWriter] = set()

    def expect(self, name: str) -> asyncio.Future[Pipe]:
        """The connection to `name`, the first of several."""
        expected: asyncio.Future[Pipe] = asyncio.get_running_loop().create_future()
        self._expected[name] = expected
        return expected

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection; whoever asks for what nobody expects is refused."""
        if len(self._greeting) >= MOST_WAITING:
            writer.transport.abort()
            return
        self._greeting.add(writer)
        try:
            async with asyncio.timeout(GREETING):
                name = await _greet(reader, writer)
            expected = self._expected.pop(name, None)
            if expected is None or expected.done():
                writer.write(socks5.refused())
                await close(writer)
                return
            writer.write(socks5.connected(name))
            expected.set_result((reader, writer))
        except (OSError, TimeoutError, UnicodeError):
            writer.transport.abort()
        finally:
            self._greeting.discard(writer)

    def abort(self) -> None:
        """Whoever has not said yet what it wants will not be heard."""
        for writer in self._greeting:
            writer.transport.abort()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Hear what is wanted: CONNECT to a name, without a log-in."""
    version, count = await _exactly(reader, 2)
    methods = await _exactly(reader, count)
    if version != 5 or 0 not in methods:
        writer.write(socks5.REFUSED)
        raise OSError("not SOCKS5, or not without a log-in")
    writer.write(socks5.GREETED)
    version, command, _, kind = await _exactly(reader, 4)
    if (version, command, kind) != (5, 1, 3):
        writer.write(socks5.refused())
        raise OSError("something else than a stream is wanted")
    length = (await _exactly(reader, 1))[0]
    name = (await _exactly(reader, length)).decode("ascii")
    await _exactly(reader, 2)
    return name


@asynccontextmanager
async def listening(addresses: tuple[str, ...]) -> AsyncIterator[Listener]:
    """A listener at some port of each of `addresses`, while the block lasts."""
    listener = Listener()
    servers = []
    try:
        for address in addresses:
            server = await asyncio.start_server(listener.welcome, address, 0, limit=READ)
            servers.append(server)
            listener.ports += [
                (str(one.getsockname()[0]), int(one.getsockname()[1])) for one in server.sockets
            ]
        yield listener
    finally:
        for server in servers:
            server.close()
        listener.abort()
