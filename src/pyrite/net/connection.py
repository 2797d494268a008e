"""Carries bytes and events over one socket, plain or TLS. Knows nothing of what they mean."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Generic, TypeVar

from ..kit.rate import Bucket, Limit
from ..kit.tasks import Rest, enter_task, leave_task, start
from .shared import READ_SIZE, Shared, shared
from .tls import TlsContext, TlsError, TlsSession

E = TypeVar("E")

HIGH_WATER = 64 * 1024  # octets written that the socket has not taken: `fill` rests
BATCH = 16 * 1024  # octets in one answer of `fill` that mean: there may be more
STALL = 60.0  # seconds that the peer may leave its side of the socket full
GRACE = 5.0  # seconds that the peer has to end its side after we ended ours
CONNECT = 30.0  # seconds in which a connection, and TLS on it, has to be made

# Why nothing is read at the moment; reading goes on when no reason is left.
_BUSY, _FLOOD, _TURN, _EOF = 1, 2, 4, 8


class ConnectionEndedError(Exception):
    """Why a connection ended that nobody closed in good order."""


class Connection(asyncio.BufferedProtocol, Generic[E]):
    """A socket whose bytes `feed` turns into events, and `fill` provides.

    `handle` is run for each event, in order, as soon as it is read, without a task. When it
    really waits, nothing more is read; the task that is in `run` finishes it, and the events
    after it. `fill` gives what is to be written; it is asked after `wake`, at most once in a turn
    of the loop, and not while the peer has more than HIGH_WATER octets to take. When it gives
    BATCH octets or more, it is asked again.
    """

    __slots__ = (
        *("bytes_in", "bytes_out", "error", "is_closing", "last_read"),
        *("local_port", "peer_address", "tls"),
        *("_bucket", "_context", "_crash", "_deadline", "_end", "_events", "_feed", "_fill"),
        *("_handle", "_holds", "_is_busy", "_is_dirty", "_is_ended", "_is_full", "_is_lost"),
        *("_loop", "_parked", "_rest", "_secured", "_shared", "_stall", "_task", "_tls_context"),
        *("_transport", "_view"),
    )

    def __init__(
        self,
        feed: Callable[[bytes], Sequence[E]],
        handle: Callable[[E], Coroutine[Any, Any, None]],
        fill: Callable[[], bytes],
        *,
        tls: TlsContext | None = None,
        rate: Limit | None = None,
    ) -> None:
        self._feed, self._handle, self._fill = feed, handle, fill
        self.tls: TlsSession | None = None
        self._tls_context = tls  # to begin with, once connected
        self._bucket = Bucket(rate) if rate else None  # octets
        self.bytes_in = self.bytes_out = 0
        self.last_read = 0.0  # the loop's time
        self.peer_address = ""
        self.local_port = 0
        self.is_closing = False
        self.error: Exception | None = None  # why it ended, if not in good order
        self._crash: BaseException | None = None  # what `handle` or `fill` raised
        self._events: Iterator[E] = iter(())  # of this read, not handled yet
        self._rest: Rest | None = None  # of the handler that waits
        self._holds = 0
        self._is_busy = False  # the task in `run` has events to finish
        self._is_dirty = False  # `flush` will be called
        self._is_full = False  # the peer has too much to take
        self._is_ended = self._is_lost = False  # our side of the socket; all of it
        self._transport: Any = None
        self._task: asyncio.Task[Any] | None = None
        self._parked: asyncio.Future[None] | None = None  # what `run` waits on
        self._secured: asyncio.Future[None] | None = None  # what `secured` waits on
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        self._context: contextvars.Context | None = None

    # What the owner asks for

    async def run(self) -> None:
        """Read, handle and write until everything is over. Raises what `handle` raised.

        To be awaited once, in a task of its own: it is what `current_task` gives in `handle`.
        Cancelled, it aborts the connection.
        """
        self._task = asyncio.current_task()
        self._context = contextvars.copy_context()
        try:
            while True:
                if self._is_busy:
                    await self._finish_events()
                if self._is_lost:
                    break
                await self._park()
        finally:
            self._task = None
            if not self._is_lost:
                self.abort()
        if self._crash is not None:
            raise self._crash

    def wake(self) -> None:
        """Say that there may be something to write. Never waits."""
        if not self._is_dirty:
            self._is_dirty = True
            if self._transport is not None:
                self._shared.add(self, self._loop)

    def skip_rest(self) -> None:
        """Drop the events of this read that are not handled yet."""
        self._events = iter(())

    def start_tls(self, context: TlsContext) -> None:
        """Write what `fill` has, then begin TLS. What the peer sent ahead is dropped.

        To be called in `handle`. Events come again after the handshake, which a deadline covers.
        """
        self.skip_rest()
        if data := self._fill():
            self._write(data)
        self._begin_tls(context)

    async def secured(self) -> None:
        """Wait until the TLS handshake is done. Raises TlsError or ConnectionEndedError."""
        if self.tls is not None and self.tls.handshake_done:
            return
        if not (self._is_lost or self.is_closing):
            self._secured = self._secured or self._loop.create_future()
            await asyncio.shield(self._secured)
        if self.tls is None or not self.tls.handshake_done:
            raise self.error or ConnectionEndedError("closed before TLS was there")

    def set_deadline(self, seconds: float, on_expiry: Callable[[], None] | None = None) -> None:
        """Call `on_expiry`, or else abort, unless cleared in time. Replaces one set before."""
        self.clear_deadline()
        if not self._is_lost:
            self._deadline = self._loop.call_later(seconds, self._expire, on_expiry)

    def clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def close(self) -> None:
        """Write what `fill` still gives, end our side, and let the peer end its own.

        Events not handled yet are dropped, and none come any more.
        """
        if self.is_closing or self._is_lost:
            return
        self.is_closing = True
        self.skip_rest()
        self._end = self._loop.call_later(GRACE, self._abort, "the peer did not end its side")
        if self.tls is not None and not self.tls.handshake_done:
            self._end_writing()
        else:
            self.wake()

    def abort(self, reason: str = "") -> None:
        """End at once; what is not written is lost. `reason`, if any, becomes `error`."""
        self._abort(reason)

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._shared: Shared = shared(self._loop)
        self._view = self._shared.view
        self.last_read = self._loop.time()
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if isinstance(peer, tuple) and isinstance(local, tuple):
            self.peer_address, self.local_port = str(peer[0]), int(local[1])
        self._transport.set_write_buffer_limits(HIGH_WATER)
        if self._tls_context is not None:
            self._begin_tls(self._tls_context)
        if self._is_dirty:
            self._shared.add(self, self._loop)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.bytes_in += nbytes
        now = self.last_read = self._loop.time()
        if self.is_closing:
            return
        data = self._view[:nbytes].tobytes()
        if self._bucket is not None and (wait := self._bucket.spend(now, nbytes)) > 0:
            self._hold(_FLOOD)
            self._loop.call_later(wait, self._release, _FLOOD)
        elif nbytes == READ_SIZE:  # others first: the loop would read from us again at once
            self._hold(_TURN)
            self._loop.call_soon(self._release, _TURN)
        try:
            if self.tls is not None:
                data = self._decrypt(self.tls, data)
            if data:
                self._receive(data)
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, (Exception, asyncio.CancelledError)):
                raise

    def eof_received(self) -> bool:
        self._holds |= _EOF  # a paused and resumed transport would tell us again
        if self._is_ended:
            self._transport.close()
        else:
            self._peer_ended()
        return True

    def pause_writing(self) -> None:
        self._is_full = True
        self._stall = self._loop.call_later(STALL, self._abort, "the peer stopped reading")

    def resume_writing(self) -> None:
        self._is_full = False
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self.wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True
        self.error = self.error or error
        self.clear_deadline()
        for timer in (self._stall, self._end):
            if timer is not None:
                timer.cancel()
        self._stall = self._end = None
        self._tell_secured()
        self._unpark()

    # Reading

    def _decrypt(self, tls: TlsSession, data: bytes) -> bytes:
        try:
            data = tls.receive(data)
        except TlsError as error:
            self._fail_tls(tls, error)
            return b""
        if tls.news:
            tls.news = False
            self._write_raw(tls.take())
            if tls.handshake_done and self._tls_context is not None:
                self._tls_context = None
                self._tell_secured()
                self.wake()
            if tls.is_over:
                # Only after what came before it.
                self._loop.call_soon(self._peer_ended)
        return data

    def _receive(self, data: bytes) -> None:
        events = self._feed(data)
        if not events:
            return
        self._events = iter(events)
        task, context = self._task, self._context
        if task is None or context is None:  # `run` has not begun: it will handle them
            self._is_busy = True
            self._hold(_BUSY)
            return
        enter_task(self._loop, task)
        try:
            context.run(self._handle_events)
        finally:
            leave_task(self._loop, task)

    def _handle_events(self) -> None:
        """Run `handle` for one event after the other, until one waits."""
        handle = self._handle
        events = self._events
        for event in events:
            if (rest := start(handle(event))) is not None:
                rest.context = self._context
                self._rest = rest
                self._is_busy = True
                self._hold(_BUSY)
                self._unpark()
                return
            if self._events is not events:
                return

    async def _finish_events(self) -> None:
        """In the task: what waits, and the events after it. Then reading goes on."""
        context = self._context
        assert context is not None  # noqa: S101 - `run` has set it
        try:
            rest, self._rest = self._rest, None
            if rest is not None:
                await rest
            while (event := next(self._events, None)) is not None:
                rest = context.run(start, self._handle(event))
                if rest is not None:
                    rest.context = context
                    await rest
        except Exception as error:
            self._fail(error)
        self._is_busy = False
        self._release(_BUSY)
        if self._holds & _EOF or (self.tls is not None and self.tls.is_over):
            self.close()

    def _peer_ended(self) -> None:
        """The peer sends no more. What it has sent is handled first."""
        if not self._is_busy:
            self.close()

    # Writing

    def flush(self) -> None:
        """Ask `fill` and write. For `Shared`, once in a turn of the loop."""
        self._is_dirty = False
        if self._is_full or self._is_ended or self._is_lost:
            return
        tls = self.tls
        if tls is not None and not tls.handshake_done:
            return
        try:
            data = self._fill()
        except Exception as error:
            self._fail(error)
            self.abort()
            return
        if data:
            self._write(data)
            if len(data) >= BATCH:
                self.wake()
                return
        if self.is_closing and not self._is_full:
            self._end_writing()

    def _write(self, data: bytes) -> None:
        if self.tls is not None:
            try:
                data = self.tls.send(data)
            except TlsError as error:
                self._fail_tls(self.tls, error)
                return
        self._write_raw(data)

    def _write_raw(self, data: bytes) -> None:
        if data:
            self.bytes_out += len(data)
            self._transport.write(data)

    def _end_writing(self) -> None:
        """Close_notify and FIN, after all that was written."""
        if self._is_ended or self._is_lost:
            return
        self._is_ended = True
        if self.tls is not None:
            self.tls.close()
            self._write_raw(self.tls.take())
        if self._holds & _EOF:
            self._transport.close()
            return
        self._transport.write_eof()
        self._release(_BUSY | _FLOOD | _TURN)  # to see the peer's end

    # Beginnings and ends

    def _begin_tls(self, context: TlsContext) -> None:
        self._tls_context = context
        self.tls = context.session()
        self._write_raw(self.tls.take())

    def _tell_secured(self) -> None:
        if self._secured is not None and not self._secured.done():
            self._secured.set_result(None)

    def _fail_tls(self, tls: TlsSession, error: TlsError) -> None:
        """The alert is the last that the peer gets."""
        self.error = self.error or error
        self._tell_secured()
        if not self.is_closing:
            self.is_closing = True
            self._end = self._loop.call_later(GRACE, self._abort, "")
            self._write_raw(tls.take())
            self._end_writing()

    def _fail(self, error: BaseException) -> None:
        """A bug: it ends this connection, and comes out of `run`."""
        self._crash = self._crash or error
        self.close()

    def _expire(self, on_expiry: Callable[[], None] | None) -> None:
        self._deadline = None
        if on_expiry is None:
            self._abort("the deadline has passed")
            return
        try:
            on_expiry()
        except Exception as error:
            self._fail(error)

    def _abort(self, reason: str) -> None:
        if self._is_lost or self._transport is None:
            return
        self.is_closing = self._is_ended = True
        self.skip_rest()
        if reason and self.error is None:
            self.error = ConnectionEndedError(reason)
        self._transport.abort()

    # Holding reading back, and the task in `run`

    def _hold(self, reason: int) -> None:
        if not self._holds and not self._is_ended:
            self._transport.pause_reading()
        self._holds |= reason

    def _release(self, reasons: int) -> None:
        if self._holds & reasons:
            self._holds &= ~reasons
            if not self._holds and not self._transport.is_closing():
                self._transport.resume_reading()

    async def _park(self) -> None:
        """Wait until there is something for the task to do."""
        self._parked = self._loop.create_future()
        try:
            await self._parked
        except asyncio.CancelledError:
            # Cancelled after a handler was handed over, as `asyncio.timeout` in it may do:
            # it is the handler's to deal with.
            if self._rest is None:
                raise
            self._rest.cancel()
        finally:
            self._parked = None

    def _unpark(self) -> None:
        if self._parked is not None and not self._parked.done():
            self._parked.set_result(None)


async def connect(
    connection: Connection[E], host: str, port: int, *, within: float = CONNECT
) -> None:
    """Connect `connection` to a server; with direct TLS, until the handshake is done.

    Raises OSError, TimeoutError after `within` seconds, TlsError or ConnectionEndedError. The
    caller then awaits `connection.run()` in a task.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within):
            await loop.create_connection(lambda: connection, host, port)
            if connection.tls is not None:
                await connection.secured()
    except BaseException:
        connection.abort()
        raise
