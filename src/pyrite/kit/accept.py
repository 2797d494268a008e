"""Accepts connections for small services that answer one question and close."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

log = logging.getLogger(__name__)

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
        listener.listen(at_most)
    try:
        async with asyncio.TaskGroup() as tasks:
            loops = [tasks.create_task(_accept(one, handle, at_most, tasks)) for one in listeners]
            try:
                yield
            finally:
                for loop in loops:
                    loop.cancel()
    finally:
        for listener in listeners:
            listener.close()


async def _accept(
    listener: socket.socket, handle: Handle, at_most: int, tasks: asyncio.TaskGroup
) -> None:
    slots = asyncio.Semaphore(at_most)
    served: set[asyncio.Task[None]] = set()
    try:
        while True:
            await slots.acquire()
            task = tasks.create_task(_serve(await _next(listener), handle))
            served.add(task)
            task.add_done_callback(served.discard)
            task.add_done_callback(lambda _: slots.release())
    finally:
        for task in served:
            task.cancel()


async def _next(listener: socket.socket) -> socket.socket:
    while True:
        try:
            peer, _ = await asyncio.get_running_loop().sock_accept(listener)
            return peer
        except OSError as error:  # no more descriptors, for a while
            log.warning("cannot accept: %s", error.strerror)
            await asyncio.sleep(PAUSE)


async def _serve(peer: socket.socket, handle: Handle) -> None:
    with peer:
        peer.setblocking(False)
        try:
            await handle(peer)
        except (OSError, TimeoutError):
            return
        except Exception:
            log.exception("a connection failed")
