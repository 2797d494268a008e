"""The flow through one transport: when it is read, how long it may stall, how it ends.

What `Connection` builds on; it knows neither TLS nor events.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from .shared import Shared, shared

HIGH_WATER = 64 * 1024  # octets written that the socket has not taken: nothing is added
STALL = 60.0  # seconds in which the peer takes LEAST octets, or all, of what waits for it
LEAST = 64 * 1024
GRACE = 5.0  # seconds that the peer has to end its side after we ended ours

# Why nothing is read at the moment; reading goes on when no reason is left.
BUSY, FLOOD, TURN, EOF = 1, 2, 4, 8


class ConnectionEndedError(Exception):
    """Why a connection ended that nobody closed in good order."""


class Flow(asyncio.BufferedProtocol):
    """A transport with reasons not to read, time limits, and an end in two halves."""

    __slots__ = (
        *("bytes_in", "bytes_out", "error", "is_closing", "last_read"),
        *("is_full", "local_port", "peer_address"),
        *("_crash", "_deadline", "_drained", "_end", "_holds", "_is_dirty", "_is_ended"),
        *("_is_lost", "_loop", "_shared", "_stall", "_transport", "_view"),
    )
    _loop: asyncio.AbstractEventLoop
    _shared: Shared
    _view: memoryview

    def __init__(self) -> None:
        self.bytes_in = self.bytes_out = 0  # on the wire, so with what TLS adds
        self.last_read = 0.0  # the loop's time
        self.peer_address = ""
        self.local_port = 0
        self.is_closing = False
        self.error: Exception | None = None  # why it ended, if not in good order
        self._crash: BaseException | None = None  # a bug of ours that ends it
        self._holds = 0
        self._is_dirty = False  # `flush` will be called
        self.is_full = False  # the peer has too much to take
        self._is_ended = self._is_lost = False  # our side of the socket; all of it
        self._transport: Any = None
        self._drained: asyncio.Future[None] | None = None  # what `writable` waits on
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Say that there may be something to write. Never waits."""
        if not self._is_dirty:
            self._is_dirty = True
            if self._transport is not None:
                self._shared.add(self, self._loop)

    async def writable(self) -> None:
        """Wait until the peer has not too much to take any more, or is gone; STALL bounds it."""
        while self.is_full and not self._is_lost:
            self._drained = self._drained or self._loop.create_future()
            await asyncio.shield(self._drained)

    def set_deadline(self, seconds: float, on_expiry: Callable[[], None] | None = None) -> None:
        """Call `on_expiry`, or else abort, unless cleared in time. Replaces one set before.

        However much the peer sends, it does not move.
        """
        self.clear_deadline()
        if not self._is_lost:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(seconds, self._expire, on_expiry)

    def clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def abort(self, reason: str = "") -> None:
        """End at once; what is not written is lost. `reason`, if any, becomes `error`."""
        if self._is_lost or self._transport is None:
            return
        self.is_closing = self._is_ended = True
        self.skip_rest()
        if reason and self.error is None:
            self.error = ConnectionEndedError(reason)
        self._transport.abort()

    @abstractmethod
    def close(self) -> None:
        """Write what is left, end our side, and let the peer end its own."""

    @abstractmethod
    def skip_rest(self) -> None:
        """Drop what was read and not handled yet."""

    @abstractmethod
    def flush(self) -> None:
        """Write what there is. For `Shared`, once in a turn of the loop."""

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._shared = shared(self._loop)
        self._view = self._shared.view
        self.last_read = self._loop.time()
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if isinstance(peer, tuple) and isinstance(local, tuple):
            self.peer_address, self.local_port = str(peer[0]), int(local[1])
        self._transport.set_write_buffer_limits(HIGH_WATER)
        if self._is_dirty:
            self._shared.add(self, self._loop)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._shared.buffer

    def pause_writing(self) -> None:
        self.is_full = True
        self._watch(self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self.is_full = False
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self._tell_drained()
        self.wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = self.is_closing = True
        self.error = self.error or error
        self.clear_deadline()
        for timer in (self._stall, self._end):
            if timer is not None:
                timer.cancel()
        self._stall = self._end = None
        self._tell_drained()

    # For the connection

    def _hold(self, reason: int) -> None:
        """Read no more for this reason."""
        if not self._holds and not self._transport.is_closing():
            self._transport.pause_reading()
        self._holds |= reason

    def _release(self, reasons: int) -> None:
        """Read again, unless there are other reasons not to."""
        if self._holds & reasons:
            self._holds &= ~reasons
            if not self._holds and not self._transport.is_closing():
                self._transport.resume_reading()

    def _write(self, data: bytes) -> None:
        if data:
            self.bytes_out += len(data)
            self._transport.write(data)

    def _limit_end(self, reason: str = "") -> None:
        """The peer has GRACE seconds from now."""
        self.clear_deadline()
        self._end = self._loop.call_later(GRACE, self.abort, reason)

    def _watch(self, waiting: int) -> None:
        self._stall = self._loop.call_later(STALL, self._look, waiting)

    def _look(self, before: int) -> None:
        """Go on watching a peer that takes some of what waits for it, if slowly."""
        waiting = self._transport.get_write_buffer_size()
        if before - waiting < LEAST:
            self.abort("the peer stopped reading")
        else:
            self._watch(waiting)

    def _tell_drained(self) -> None:
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    def _end_writing(self) -> None:
        """FIN, after all that was written; then wait for the peer's."""
        self._is_ended = True
        if self._holds & EOF:
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # asyncio finds out here that the peer is gone
            self._transport.abort()
            return
        self._release(BUSY | FLOOD | TURN)  # to see the peer's end

    def _fail(self, error: BaseException) -> None:
        """A bug: it ends this connection, and comes out of `run`."""
        if isinstance(error, asyncio.CancelledError):  # not ours: who cancels a task ends it
            error = RuntimeError("what a handler waited for was cancelled")
        self._crash = self._crash or error
        self.close()

    def _expire(self, on_expiry: Callable[[], None] | None) -> None:
        self._deadline = None
        if on_expiry is None:
            self.abort("the deadline has passed")
            return
        try:
            on_expiry()
        except Exception as error:
            self._fail(error)
