"""Tries several ways at once, a little apart, and takes the first that works (RFC 8305)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

HEAD_START = 0.25  # seconds that a way has before the next is tried beside it (RFC 8305 §5)


async def race(
    ways: Sequence[Callable[[], Awaitable[T]]],
    drop: Callable[[T], None],
    head_start: float = HEAD_START,
) -> T:
    """What the first of `ways` to succeed gives; the others are cancelled.

    What another one gave at the same moment is given to `drop`. Raises an `ExceptionGroup` of
    what each raised where none succeeds.
    """
    errors: list[Exception] = []
    running: set[asyncio.Task[T]] = set()
    waiting = list(ways)
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(_run(waiting.pop(0))))
            done, running = await asyncio.wait(
                running,
                timeout=head_start if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if (winner := _winner(done, errors, drop)) is not None:
                return winner.result()
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(lambda task: _drop(task, drop))
        if running:
            await asyncio.wait(running)
    raise ExceptionGroup("no way leads there", errors or [OSError("there is no way")])


async def _run(way: Callable[[], Awaitable[T]]) -> T:
    return await way()


def _winner(
    done: set[asyncio.Task[T]], errors: list[Exception], drop: Callable[[T], None]
) -> asyncio.Task[T] | None:
    """The one that succeeded; a second one is dropped, and why others failed is noted."""
    winner: asyncio.Task[T] | None = None
    for task in done:
        error = task.exception()
        if isinstance(error, Exception):
            errors.append(error)
        elif error is not None:
            raise error
        elif winner is None:
            winner = task
        else:
            drop(task.result())
    return winner


def _drop(task: asyncio.Task[T], drop: Callable[[T], None]) -> None:
    if not task.cancelled() and task.exception() is None:
        drop(task.result())
