"""Accepts connections within limits, and owns the task of each."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from ..kit.rate import Buckets, Limit
from ..kit.tasks import Scope
from .connection import Connection

log = logging.getLogger(__name__)

BACKLOG = 512  # connections that the system keeps for us, until we accept them
TURN = 64  # connections accepted in one turn of the loop
SPARE = 1000  # tasks whose connection is over, and which the loop has not put away yet
STOP = 10.0  # seconds that connections have to end when the listener does
PAUSE = 0.5  # seconds without accepting after the system had no more descriptors
RATE = Limit(rate=50, burst=200)  # new connections a second, of one address
ADDRESSES = 10_000  # addresses whose rate of connecting is remembered

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Served(Protocol):
    """One connection's owner, as the server makes it for each socket."""

    @property
    def connection(self) -> Connection[Any]: ...

    def run(self) -> Coroutine[Any, Any, None]:
        """Awaits `connection.run()`, and does what belongs around it."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be. An address is an IPv4 address or an IPv6 /64."""

    total: int = 10_000
    per_address: int = 1_000
    rate: Limit = RATE


class Gate:
    """Who may connect. One gate may stand before several listeners: they share its limits."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.total = 0
        self.refused = 0  # connections, since the start
        self._open: dict[str, int] = {}  # address -> connections
        self._rates: Buckets[str] = Buckets(self.limits.rate, ADDRESSES)

    def enter(self, address: str, now: float) -> bool:
        """Count one in, or refuse it. `now` in seconds."""
        key = network(address)
        limits = self.limits
        if (
            self.total >= limits.total
            or self._open.get(key, 0) >= limits.per_address
            or not self._rates.take(key, now)
        ):
            self.refused += 1
            return False
        self.total += 1
        self._open[key] = self._open.get(key, 0) + 1
        return True

    def leave(self, address: str) -> None:
        key = network(address)
        self.total -= 1
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """What of `address` one user may have many of: an IPv6 /64. IPv4 as it is, also mapped."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))


@asynccontextmanager
async def listening(
    accept: Callable[[], Served],
    host: str,
    port: int = 0,
    *,
    gate: Gate | None = None,
    stop: float = STOP,
) -> AsyncIterator[int]:
    """Serve connections while the block runs; gives the port. Ends them all when it ends.

    `accept` makes the owner of one connection, whose `run` gets a task. A bug in one is logged,
    and ends that one only. Raises OSError when `host` and `port` cannot be listened on.
    """
    sockets = await _bind(host, port)
    gate = gate or Gate()
    most = gate.limits.total + SPARE
    async with Scope(f"connections to {host}:{port}", limit=most) as tasks:
        listener = Listener(accept, gate, tasks)
        try:
            for listening_socket in sockets:
                listener.add(listening_socket)
            yield sockets[0].getsockname()[1]
        finally:
            await listener.close(stop)


class Listener:
    """The accepting sockets of one address, and the connections that came from them."""

    def __init__(self, accept: Callable[[], Served], gate: Gate, tasks: Scope) -> None:
        self._accept = accept
        self._gate = gate
        self._tasks = tasks
        self._served: dict[asyncio.Task[None], Served] = {}
        self._sockets: list[socket.socket] = []
        self._pauses: dict[socket.socket, asyncio.TimerHandle] = {}
        self._is_exhausted = False  # and that is logged
        self._loop = asyncio.get_running_loop()

    def add(self, listening_socket: socket.socket) -> None:
        self._sockets.append(listening_socket)
        self._loop.add_reader(listening_socket.fileno(), self._ready, listening_socket)

    async def close(self, within: float) -> None:
        """Accept no more; close all connections, and wait `within` seconds for them to end.

        Those left are cancelled with the scope.
        """
        for listening_socket in self._sockets:
            self._loop.remove_reader(listening_socket.fileno())
            listening_socket.close()
        for pause in self._pauses.values():
            pause.cancel()
        for served in self._served.values():
            served.connection.close()
        if self._served:
            await asyncio.wait(self._served, timeout=within)

    def _ready(self, listening_socket: socket.socket) -> None:
        for _ in range(TURN):
            try:
                accepted, peer = listening_socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._pause(listening_socket, error)
                    return
                log.debug("connection lost before it was accepted: %s", error)
                continue
            self._is_exhausted = False
            address = str(peer[0])
            if self._gate.enter(address, self._loop.time()):
                self._serve(accepted, address)
            else:
                accepted.close()

    def _pause(self, listening_socket: socket.socket, error: OSError) -> None:
        """The system cannot give us a socket now; without a pause we would ask it all the time."""
        if not self._is_exhausted:
            log.error("cannot accept connections: %s", error)
        self._is_exhausted = True
        self._loop.remove_reader(listening_socket.fileno())
        self._pauses[listening_socket] = self._loop.call_later(
            PAUSE, self._loop.add_reader, listening_socket.fileno(), self._ready, listening_socket
        )

    def _serve(self, accepted: socket.socket, address: str) -> None:
        try:
            accepted.setblocking(False)
            served = self._accept()
        except Exception:
            log.exception("connection refused by a bug")
            accepted.close()
            self._gate.leave(address)
            return
        task = self._tasks.start(self._run(served, accepted, address))
        self._served[task] = served
        task.add_done_callback(self._served.pop)

    async def _run(self, served: Served, accepted: socket.socket, address: str) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: served.connection, accepted)
        except OSError as error:  # the peer is gone already
            log.debug("connection lost before it was served: %s", error)
            accepted.close()
            self._gate.leave(address)
            return
        try:
            await served.run()
        except Exception:
            log.exception("connection failed")
        finally:
            self._gate.leave(address)


async def _bind(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address of `host`, all on one port. "" is every address."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            if port == 0 and sockets:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            sockets.append(_listen(family, kind, protocol, address))
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _listen(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened
