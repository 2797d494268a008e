"""Accepts connections for small services that answer one question and close."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

log = logging.getLogger(__name__)

BACKLOG = 128  # peers that may wait in the kernel's queue
PAUSE = 1.0  # seconds before accepting is tried again after the system refused

Handle = Callable[[socket.socket], Awaitable[None]]


@asynccontextmanager
async def accepting(
    listeners: Sequence[socket.socket], handle: Handle, at_most: int
) -> AsyncIterator[None]:
    """Give each connection to `handle` while the block runs, `at_most` at a time per listener.

    Further peers wait in the kernel's queue. A peer's own trouble (OSError, TimeoutError) ends
    its connection; what else a handler raises is logged, and ends that connection too. The
    listeners are bound, and are closed in the end.
    """
    for listener in listeners:
        listener.setblocking(False)
        listener.listen(BACKLOG)
    try:
        async with asyncio.TaskGroup() as tasks:
            doors = [_Door(listener, handle, at_most, tasks) for listener in listeners]
            try:
                yield
            finally:
                for door in doors:
                    door.close()
    finally:
        for listener in listeners:
            listener.close()


class _Door:
    """One listener, and the tasks of those who came through it.

    It accepts in the loop's callback, not in a coroutine: a connection that comes while that
    is cancelled would be lost, and stay open.
    """

    def __init__(
        self, listener: socket.socket, handle: Handle, at_most: int, tasks: asyncio.TaskGroup
    ) -> None:
        self._listener, self._handle, self._at_most = listener, handle, at_most
        self._tasks, self._served = tasks, set[asyncio.Task[None]]()
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._is_open = True
        self._wait()

    def close(self) -> None:
        """Accept nobody any more, and cancel what is under way."""
        self._is_open = False
        self._loop.remove_reader(self._listener)
        if self._pause:
            self._pause.cancel()
        for task in self._served:
            task.cancel()

    def _wait(self) -> None:
        if self._is_open and len(self._served) < self._at_most:
            self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # it has gone again
            return
        except OSError as error:  # no more descriptors, for a while
            log.warning("cannot accept: %s", error.strerror)
            self._loop.remove_reader(self._listener)
            self._pause = self._loop.call_later(PAUSE, self._wait)
            return
        task = self._tasks.create_task(_serve(peer, self._handle))
        self._served.add(task)
        task.add_done_callback(lambda done: self._left(done, peer))
        if len(self._served) >= self._at_most:
            self._loop.remove_reader(self._listener)

    def _left(self, task: asyncio.Task[None], peer: socket.socket) -> None:
        peer.close()  # here, since a task that is cancelled at once never begins
        self._served.discard(task)
        self._wait()


async def _serve(peer: socket.socket, handle: Handle) -> None:
    try:
        peer.setblocking(False)
        await handle(peer)
    except (OSError, TimeoutError):
        return
    except Exception:
        log.exception("a connection failed")
