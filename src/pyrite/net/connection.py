"""Carries bytes and events over one socket, plain or TLS. Knows nothing of what they mean."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Generic, TypeVar

from ..kit.rate import Bucket, Limit
from ..kit.tasks import Rest, enter_task, leave_task, start
from .ahead import Ahead
from .flow import BUSY, EOF, FLOOD, GRACE, HIGH_WATER, STALL, TURN, ConnectionEndedError, Flow
from .reach import CONNECT, connect
from .shared import READ_SIZE
from .tls import TlsContext, TlsError, TlsSession

__all__ = [
    "BATCH",
    "CONNECT",
    "GRACE",
    "HIGH_WATER",
    "READ_SIZE",
    "STALL",
    "Connection",
    "ConnectionEndedError",
    "connect",
]

E = TypeVar("E")

BATCH = 16 * 1024  # octets in one answer of `fill` that mean: there may be more


class Connection(Flow, Generic[E]):
    """A socket whose bytes `feed` turns into events, and `fill` provides.

    `handle` is run for each event, in order, as soon as it is read, without a task. When it
    really waits, nothing more is read; the task that is in `run` finishes it, and the events
    after it. `fill` gives what is to be written; it is asked after `wake`, at most once in a turn
    of the loop, and not while the peer has more than HIGH_WATER octets to take. When it gives
    BATCH octets or more, it is asked again.
    """

    __slots__ = (
        *("_ahead", "_bucket", "_context", "_events", "_feed", "_fill", "_handle", "_is_busy"),
        *("_idle", "_parked", "_rest", "_secured", "_task", "_tls_context", "tls"),
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
        """`tls` begins at once; `rate` is of octets: who sends more is read more slowly."""
        super().__init__()
        self._feed, self._handle, self._fill = feed, handle, fill
        self.tls: TlsSession | None = None
        self._tls_context = tls  # of the handshake to come or under way
        self._bucket = Bucket(rate) if rate else None
        self._events: Iterator[E] = iter(())  # of this read, not handled yet
        self._ahead: Ahead[E] | None = None  # what is read while a handler waits for it
        self._rest: Rest | None = None  # of the handler that waits
        self._is_busy = False  # the task in `run` has events to finish
        self._task: asyncio.Task[Any] | None = None
        self._context: contextvars.Context | None = None  # that handlers run in
        self._parked: asyncio.Future[None] | None = None  # what `run` waits on
        self._secured: asyncio.Future[None] | None = None  # what `secured` waits on
        self._idle: asyncio.Future[None] | None = None  # what `idle` waits on

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
            self.abort()
            self._tell_idle()
            self._let_go()
        if self._crash is not None:
            raise self._crash

    def skip_rest(self) -> None:
        """Drop the events of this read that are not handled yet."""
        self._events = iter(())
        if self._ahead is not None:
            self._ahead.drop()

    async def hear(self, take: Callable[[E], bool], heard: asyncio.Future[None]) -> None:
        """Wait for `heard`, in `handle`, and read on meanwhile: the peer is to bring it about.

        `take` is offered what is read, in order, and says of each event whether that is all to be
        done with it; the others are handled in their turn, behind the handler that waits. Ends
        as soon as nothing is to be heard any more: the peer is gone, or has sent too much.
        """
        ahead = self._ahead = Ahead() if self._ahead is None else self._ahead
        silence = ahead.begin(take)
        events, self._events = self._events, iter(())
        ahead.add(events, 0)
        if self.is_closing or self._has_peer_ended:
            ahead.silence()
        elif not ahead.is_far:
            self._release(BUSY)
        try:
            await asyncio.wait((heard, silence), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ahead.stop()
            if self._is_busy:
                self._hold(BUSY)

    def start_tls(self, context: TlsContext) -> None:
        """Write what `fill` has, then begin TLS. What the peer sent ahead is dropped.

        To be called in `handle`. Events come again after the handshake, which a deadline covers.
        """
        self.skip_rest()
        self._write(self._fill())
        self._begin_tls(context)

    async def secured(self) -> None:
        """Wait until the TLS handshake is done. Raises TlsError or ConnectionEndedError.

        Not to be awaited in `handle`: nothing is read until that has ended.
        """
        if self.tls is not None and self.tls.handshake_done:
            return
        if not self.is_closing:
            self._secured = self._secured or self._loop.create_future()
            await asyncio.shield(self._secured)
        if self.tls is None or not self.tls.handshake_done:
            raise self.error or ConnectionEndedError("closed before TLS was there")

    async def idle(self) -> None:
        """Wait until no handler is under way. After `close`, none begins any more.

        Not to be awaited in `handle`.
        """
        if self._is_busy:
            self._idle = self._idle or self._loop.create_future()
            await asyncio.shield(self._idle)

    def close(self) -> None:
        """Write what `fill` still gives, end our side, and let the peer end its own.

        Events not handled yet are dropped, and none come any more.
        """
        if self.is_closing or self._transport is None:
            return
        self.is_closing = True
        self.skip_rest()
        self._limit_end("the peer did not end its side")
        if self.tls is not None and not self.tls.handshake_done:
            self._end_writing()
        else:
            self.wake()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._tls_context is not None:
            self._begin_tls(self._tls_context)

    def buffer_updated(self, nbytes: int) -> None:
        self.bytes_in += nbytes
        now = self.last_read = self._loop.time()
        if self.is_closing:
            return
        data = self._view[:nbytes].tobytes()
        if self._bucket is not None and (wait := self._bucket.spend(now, nbytes)) > 0:
            self._hold(FLOOD)
            self._loop.call_later(wait, self._release, FLOOD)
        elif nbytes == READ_SIZE:  # others first: the loop would read from us again at once
            self._hold(TURN)
            self._loop.call_soon(self._release, TURN)
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
        self._holds |= EOF  # a paused and resumed transport would tell us again
        if self._is_ended:
            self._transport.close()
        else:
            self._peer_ended()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._tell_secured()
        if self._ahead is not None:
            self._ahead.silence()
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
            self._write(tls.take())
            if tls.handshake_done and self._tls_context is not None:
                self._tls_context = None
                self._tell_secured()
                self.wake()
            if tls.is_over:
                self._loop.call_soon(self._peer_ended)  # after what came before it
        return data

    def _receive(self, data: bytes) -> None:
        events = self._feed(data)
        task, context = self._task, self._context
        if self._is_busy and self._ahead is not None and context is not None:
            context.run(self._ahead.add, events, len(data))
            if self._ahead.is_far:
                self._hold(BUSY)
            return
        if not events:
            return
        self._events = iter(events)
        if task is None or context is None:  # `run` has not begun: it will handle them
            self._is_busy = True
            self._hold(BUSY)
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
                if self._ahead is None or not self._ahead.is_heard:
                    self._hold(BUSY)
                self._unpark()
                return
            if self._events is not events:  # dropped
                return

    async def _finish_events(self) -> None:
        """In the task: what waits, and the events after it. Then reading goes on."""
        context = self._context
        try:
            rest, self._rest = self._rest, None
            if rest is not None:
                await rest
            while context is not None and (event := self._next()) is not None:
                if (rest := context.run(start, self._handle(event))) is not None:
                    rest.context = context
                    await rest
        except asyncio.CancelledError as error:
            if self._task is None or self._task.cancelling():
                raise
            self._fail(error)
        except Exception as error:
            self._fail(error)
        self._is_busy = False
        self._tell_idle()
        self._release(BUSY)
        if self._has_peer_ended:
            self.close()

    def _next(self) -> E | None:
        """What is to be handled next: of one read, then what was read ahead."""
        event = next(self._events, None)
        return self._ahead.next() if event is None and self._ahead else event

    @property
    def _has_peer_ended(self) -> bool:
        return bool(self._holds & EOF) or (self.tls is not None and self.tls.is_over)

    def _peer_ended(self) -> None:
        """The peer sends no more. What it has sent is handled first."""
        if not self._is_busy:
            self.close()
        elif self._ahead is not None:
            self._ahead.silence()

    # Writing

    def flush(self) -> None:
        """Ask `fill` and write. For `Shared`, once in a turn of the loop."""
        self._is_dirty = False
        if self.is_full or self._is_ended or self._is_lost:
            return
        tls = self.tls
        if tls is not None and not tls.handshake_done:
            return
        try:
            data = self._fill()
            if data:
                self._write(data if tls is None else tls.send(data))
            if len(data) >= BATCH:
                self.wake()
            elif self.is_closing:
                self._end_writing()
        except TlsError as error:
            self._fail_tls(tls, error)
        except Exception as error:
            self._fail(error)
            self.abort()

    def _end_writing(self) -> None:
        if self.tls is not None:
            self.tls.close()
            self._write(self.tls.take())
        super()._end_writing()

    # TLS

    def _begin_tls(self, context: TlsContext) -> None:
        self._tls_context = context
        self.tls = context.session()
        self._write(self.tls.take())

    def _tell_secured(self) -> None:
        if self._secured is not None and not self._secured.done():
            self._secured.set_result(None)

    def _tell_idle(self) -> None:
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _fail_tls(self, tls: TlsSession | None, error: TlsError) -> None:
        """The alert is the last that the peer gets."""
        self.error = self.error or error
        self._tell_secured()
        if self._is_ended:
            return
        if not self.is_closing:
            self.is_closing = True
            self.skip_rest()
            self._limit_end()
        self._end_writing()

    # The task in `run`

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

    def _let_go(self) -> None:
        """Forget the owner, who knows us: neither has to wait for the garbage collector."""
        self._task = self._context = None
        self._feed, self._handle, self._fill = _feed_nothing, _handle_nothing, bytes


def _feed_nothing(_: bytes) -> Sequence[Any]:
    return ()


async def _handle_nothing(_: Any) -> None:
    return
