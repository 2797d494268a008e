"""Two transports that are each other's net: in memory, and as bad as a test wants it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from ...kit.clock import Clock

HIGH = 64 * 1024  # octets under way for which a writer is told to pause
PEER = ("127.0.0.1", 0)


class Wire:
    """One direction's faults. `clock` is the one that delays are measured by."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.delay = 0.0  # seconds that everything takes
        self.left: int | None = None  # octets that still get through; None: all


class MemoryTransport(asyncio.Transport):
    """What one side writes is what the other one reads, in the loop's next turn."""

    def __init__(self, protocol: asyncio.BufferedProtocol, wire: Wire, closed: _Done) -> None:
        super().__init__({"peername": PEER, "sockname": PEER})
        self._loop = asyncio.get_running_loop()
        self._protocol, self._wire, self._closed = protocol, wire, closed
        self._peer = self
        self._inbound: deque[bytes] = deque()  # b"" is the end
        self._waiting = 0  # octets in it, and on their way into it
        self._is_reading = True
        self._is_scheduled = False
        self._is_full = False  # our protocol was told to pause
        self._high = HIGH
        self._has_ended = False  # our side; and theirs:
        self._has_eof = False
        self._is_lost = False

    # --- what a protocol asks --------------------------------------------------------

    def is_closing(self) -> bool:
        return self._is_lost or self._has_ended

    def is_reading(self) -> bool:
        return self._is_reading and not self._is_lost

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        self._schedule()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH if high is None else high

    def get_write_buffer_size(self) -> int:
        return self._peer._waiting

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        raise NotImplementedError("a connection stays what it is")

    def can_write_eof(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._has_ended or self._is_lost:
            return
        octets, wire = bytes(data), self._wire
        is_last = wire.left is not None and len(octets) >= wire.left
        if wire.left is not None:
            octets = octets[: wire.left]
            wire.left -= len(octets)
        self._give(octets)
        if is_last:
            self._loop.call_soon(self._cut)

    def write_eof(self) -> None:
        if not self._has_ended and not self._is_lost:
            self._has_ended = True
            self._give(b"")

    def close(self) -> None:
        self.write_eof()
        self._loop.call_soon(self.lose, None)

    def abort(self) -> None:
        self._loop.call_soon(self._cut)

    def _cut(self) -> None:
        self._peer.lose(ConnectionResetError("the peer is gone"))
        self.lose(None)

    # --- the net ---------------------------------------------------------------------

    def _give(self, data: bytes) -> None:
        peer, wire = self._peer, self._wire
        peer._waiting += len(data)
        if wire.delay:
            wire.clock.call_later(wire.delay, lambda: peer._arrive(data))
        else:
            peer._arrive(data)
        if peer._waiting > self._high and not self._is_full:
            self._is_full = True
            self._protocol.pause_writing()

    def _arrive(self, data: bytes) -> None:
        self._inbound.append(data)
        self._schedule()

    def _schedule(self) -> None:
        if self._inbound and self._is_reading and not self._is_scheduled and not self._is_lost:
            self._is_scheduled = True
            self._loop.call_soon(self._read)

    def _read(self) -> None:
        """Hand over one piece, as large as the protocol takes."""
        self._is_scheduled = False
        if not self._inbound or not self._is_reading or self._is_lost:
            return
        data = self._inbound.popleft()
        if data:
            self._hand_over(data)
        else:
            self._has_eof = True
            if not self._protocol.eof_received():
                self.close()
        self._schedule()

    def _hand_over(self, data: bytes) -> None:
        buffer = memoryview(self._protocol.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        if size < len(data):
            self._inbound.appendleft(data[size:])
        self._waiting -= size
        self._protocol.buffer_updated(size)
        self._peer.relieve()

    def relieve(self) -> None:
        """The other side has read: our protocol may write again."""
        if self._is_full and self._peer._waiting <= self._high // 4 and not self._is_lost:
            self._is_full = False
            self._protocol.resume_writing()

    def lose(self, error: Exception | None) -> None:
        """It is over for this side. What the other one has yet to read stays there."""
        if self._is_lost:
            return
        self._is_lost = True
        self._inbound.clear()
        self._protocol.connection_lost(error)
        self._closed()

    def cut(self) -> None:
        """The net is gone, for both sides."""
        self.lose(ConnectionResetError("the net is gone"))
        self._peer.lose(ConnectionResetError("the net is gone"))


_Done = Callable[[], None]


def connect(
    one: asyncio.BufferedProtocol,
    other: asyncio.BufferedProtocol,
    there: Wire,
    back: Wire,
    closed: _Done,
) -> MemoryTransport:
    """Connect two protocols; `closed` is called when `one` has lost its side. Its transport."""
    left = MemoryTransport(one, there, closed)
    right = MemoryTransport(other, back, lambda: None)
    left._peer, right._peer = right, left
    other.connection_made(right)
    one.connection_made(left)
    return left
