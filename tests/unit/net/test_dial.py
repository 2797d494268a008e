"""Several ways at once, a little apart."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pyrite.net.dial import race

from .ends import LIMIT

Way = Callable[[], Awaitable[str]]


def way(
    name: str, log: list[str], *, until: asyncio.Event | None = None, fails: bool = False
) -> Way:
    async def go() -> str:
        log.append(name)
        try:
            if until is not None:
                await until.wait()
        except asyncio.CancelledError:
            log.append(f"{name} cancelled")
            raise
        if fails:
            raise OSError(name)
        return name

    return go


async def test_the_first_is_enough() -> None:
    log: list[str] = []
    assert await race([way("a", log), way("b", log)], log.append) == "a"
    assert log == ["a"]


async def test_the_next_has_not_long_to_wait() -> None:
    log: list[str] = []
    never = asyncio.Event()
    ways = [way("a", log, until=never), way("b", log)]
    assert await race(ways, log.append, head_start=0.001) == "b"
    assert log == ["a", "b", "a cancelled"]


async def test_a_way_that_fails_is_followed_at_once() -> None:
    log: list[str] = []
    async with asyncio.timeout(LIMIT):
        ways = [way("a", log, fails=True), way("b", log)]
        assert await race(ways, log.append, head_start=60) == "b"


async def test_all_reasons_are_told() -> None:
    with pytest.raises(ExceptionGroup) as group:
        await race([way("a", [], fails=True), way("b", [], fails=True)], print)
    assert [str(error) for error in group.value.exceptions] == ["a", "b"]
    with pytest.raises(ExceptionGroup):
        await race([], print)


async def test_a_second_winner_is_dropped() -> None:
    log: list[str] = []
    go = asyncio.Event()
    dropped: list[str] = []
    ways = [way("a", log, until=go), way("b", log, until=go)]
    racing = asyncio.ensure_future(race(ways, dropped.append, head_start=0))
    while len(log) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    go.set()
    won = await racing
    assert [won, *dropped] in (["a", "b"], ["b", "a"])


async def test_who_waits_may_go() -> None:
    log: list[str] = []
    racing = asyncio.ensure_future(race([way("a", log, until=asyncio.Event())], print))
    while not log:  # noqa: ASYNC110
        await asyncio.sleep(0)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert log == ["a", "a cancelled"]
