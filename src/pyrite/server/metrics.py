"""What a server counts of itself, and the page on which Prometheus reads it."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..kit.accept import accepting
from ..kit.config import Address
from ..kit.meter import Meter

if TYPE_CHECKING:
    from .app import Server

MAX_REQUEST = 8192  # octets of a request with its header
MAX_CONNECTIONS = 8  # at a time
ASKING = 10.0  # seconds for the request
ANSWERING = 10.0  # seconds for the peer to take the answer
TYPE = "text/plain; version=0.0.4; charset=utf-8"


def declare(server: Server) -> None:
    """Declare what can be read when it is asked for, and so costs nothing meanwhile.

    What is counted as it happens is declared beside it.
    """
    meter, engine = server.meter, server.stores.engine
    meter.gauge("sessions", "Resources that are bound.", lambda: len(server.sessions))
    meter.gauge(
        "sessions_detached",
        "Of these, those whose connection has broken: their clients may come back.",
        lambda: len(server.resumption),
    )
    meter.gauge("hosts", "Domains that are served.", lambda: len(server.hosts))
    meter.counter("store_writes", "Writes that are on the disk.", lambda: engine.writes)
    meter.counter("store_groups", "Commits that these were in.", lambda: engine.groups)
    meter.counter("store_failures", "Commits that failed.", lambda: engine.failures)
    meter.gauge("store_waiting", "Reads and writes under way.", lambda: engine.waiting)
    meter.counter("cpu_seconds", "CPU time of the process.", time.process_time)
    meter.gauge("resident_octets", "Memory of the process.", _resident)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


@asynccontextmanager
async def serving(addresses: Iterable[Address], meter: Meter) -> AsyncIterator[list[int]]:
    """Answer at `addresses`; gives the ports. Raises OSError if one cannot be listened on."""

    async def handle(peer: socket.socket) -> None:
        async with asyncio.timeout(ASKING):
            request = await _request(peer)
        async with asyncio.timeout(ANSWERING):
            await asyncio.get_running_loop().sock_sendall(peer, _answer(request, meter))

    async with AsyncExitStack() as stack:
        listeners = [_listener(address, stack) for address in addresses]
        await stack.enter_async_context(accepting(listeners, handle, MAX_CONNECTIONS))
        yield [listener.getsockname()[1] for listener in listeners]


def _answer(request: bytes, meter: Meter) -> bytes:
    method, _, rest = request.partition(b"\r\n")[0].partition(b" ")
    path, _, version = rest.partition(b" ")
    if not version.startswith(b"HTTP/1.") or b"\r\n\r\n" not in request:
        return _response("400 Bad Request", b"")
    if method not in (b"GET", b"HEAD"):
        return _response("405 Method Not Allowed", b"", "Allow: GET, HEAD\r\n")
    if path.partition(b"?")[0] != b"/metrics":
        return _response("404 Not Found", b"")
    return _response("200 OK", meter.render(), with_body=method == b"GET")


def _response(status: str, body: bytes, extra: str = "", *, with_body: bool = True) -> bytes:
    header = (
        f"HTTP/1.1 {status}\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\nX-Content-Type-Options: nosniff\r\n{extra}\r\n"
    )
    return header.encode("ascii") + (body if with_body else b"")


async def _request(peer: socket.socket) -> bytes:
    """The octets up to the end of the header, or as many as a header may have."""
    loop, received = asyncio.get_running_loop(), bytearray()
    while b"\r\n\r\n" not in received and len(received) < MAX_REQUEST:
        octets = await loop.sock_recv(peer, MAX_REQUEST)
        if not octets:
            raise ConnectionError("closed before the end of the request")
        received += octets
    return bytes(received)


def _listener(address: Address, stack: AsyncExitStack) -> socket.socket:
    kind = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = stack.enter_context(socket.socket(kind))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {address}: {error.strerror}") from None
    return listener
