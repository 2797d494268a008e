"""A net between a client and its server that breaks where a test wants it to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
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


class Pipe:
    """One connection: how much it has `carried`, and where what came at a time `ends`."""

    def __init__(self, cut: Cut | None) -> None:
        self.cut = cut
        self.carried: dict[Way, int] = dict.fromkeys(WAYS, 0)
        self.ends: dict[Way, list[int]] = {way: [] for way in WAYS}

    def room(self, way: Way) -> float:
        """How much more may go that way."""
        if self.cut is None or self.cut.way != way:
            return float("inf")
        return self.cut.octets - self.carried[way]

    def count(self, way: Way, size: int) -> None:
        self.carried[way] += size
        self.ends[way].append(self.carried[way])


@dataclass
class Net:
    """Every connection to `port` is carried on; the next ones are cut as `cuts` says."""

    to: int
    port: int = 0
    cuts: deque[Cut | None] = field(default_factory=deque)
    pipes: list[Pipe] = field(default_factory=list)  # of all connections, from the first one on
    broken: int = 0  # connections that a cut has ended
    _due: Cut | None = None  # of all connections together, from when it was asked for
    _open: set[asyncio.Transport] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def connections(self) -> int:
        return len(self.pipes)

    def carried(self, way: Way) -> int:
        """By all connections."""
        return sum(pipe.carried[way] for pipe in self.pipes)

    def cut(self) -> None:
        """All connections break, now."""
        self._due = None
        for transport in tuple(self._open):
            transport.abort()

    def cut_in(self, way: Way, octets: int) -> None:
        """All connections break when so many more octets have gone that way."""
        self._due = Cut(way, octets)

    @property
    def is_due(self) -> bool:
        """Whether that has still to happen."""
        return self._due is not None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        pipe = Pipe(self.cuts.popleft() if self.cuts else None)
        self.pipes.append(pipe)
        try:
            back, there = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        both = {writer.transport, there.transport}
        self._open |= both
        carrying = [
            asyncio.ensure_future(self._carry("up", reader, there, pipe)),
            asyncio.ensure_future(self._carry("down", back, writer, pipe)),
        ]
        await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        for end in both:
            end.abort()
        self._open -= both
        await asyncio.wait(carrying)

    async def _carry(
        self, way: Way, source: asyncio.StreamReader, sink: asyncio.StreamWriter, pipe: Pipe
    ) -> None:
        try:
            while data := await source.read(65536):
                all_room = self._room(way)
                room = min(pipe.room(way), all_room)
                data = data if len(data) <= room else data[: int(room)]
                pipe.count(way, len(data))
                if self._due is not None and self._due.way == way:
                    self._due = Cut(way, self._due.octets - len(data))
                sink.write(data)
                await sink.drain()
                if len(data) == room:
                    self.broken += 1
                    if room == all_room:
                        self.cut()
                    return
        except OSError:
            return

    def _room(self, way: Way) -> float:
        due = self._due
        return due.octets if due is not None and due.way == way else float("inf")


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


def joints(ends: Iterable[int]) -> list[int]:
    """Where to cut what came in pieces that end there: behind each, in it, and before its end."""
    points, begin = {1}, 0
    for end in ends:
        points |= {max(1, (begin + end) // 2), max(1, end - 1), end}
        begin = end
    return sorted(points)
