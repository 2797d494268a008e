"""A net between a client and its server that breaks where a test wants it to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

Way = Literal["up", "down"]  # to the server, from the server
WAYS: tuple[Way, ...] = ("up", "down")


@dataclass(frozen=True)
class Cut:
    """Break off when so many octets have gone that way; the one after them does not arrive."""

    way: Way
    octets: int


@dataclass
class Net:
    """Every connection to `port` is carried on; the next ones are cut as `cuts` says."""

    to: int
    port: int = 0
    cuts: deque[Cut | None] = field(default_factory=deque)
    carried: dict[Way, int] = field(default_factory=lambda: dict.fromkeys(WAYS, 0))
    connections: int = 0
    broken: int = 0  # connections that a cut has ended
    _open: set[asyncio.Transport] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self) -> None:
        """All connections break, now."""
        for transport in tuple(self._open):
            transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        cut = self.cuts.popleft() if self.cuts else None
        self.carried = dict.fromkeys(WAYS, 0)
        carried = self.carried
        try:
            back, there = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer.transport, there.transport}
        self._open |= ends
        try:
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._carry("up", reader, there, cut, carried)),
                    asyncio.ensure_future(self._carry("down", back, writer, cut, carried)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for end in ends:
                end.abort()
            self._open -= ends

    async def _carry(
        self,
        way: Way,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        cut: Cut | None,
        carried: dict[Way, int],
    ) -> None:
        try:
            while data := await source.read(65536):
                if cut is not None and cut.way == way:
                    data = data[: cut.octets - carried[way]]
                carried[way] += len(data)
                sink.write(data)
                await sink.drain()
                if cut is not None and cut.way == way and carried[way] == cut.octets:
                    self.broken += 1
                    return
        except OSError:
            return


@asynccontextmanager
async def between(to: int) -> AsyncIterator[Net]:
    """A net to the server at port `to`."""
    net = Net(to)
    server = await asyncio.start_server(net._accept, "127.0.0.1", 0)
    net.port = server.sockets[0].getsockname()[1]
    try:
        yield net
    finally:
        server.close()
        net.cut()
        if net._tasks:
            await asyncio.wait(net._tasks)
        await server.wait_closed()
