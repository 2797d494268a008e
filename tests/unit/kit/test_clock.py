"""Time that a test moves."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.peer import PATIENCE

from pyrite.kit.clock import Clock, ManualClock, SystemClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_stands_still_and_moves_as_told() -> None:
    clock = ManualClock(START)
    assert (clock.now(), clock.monotonic()) == (START, 0.0)
    clock.advance(90)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90.0)
    with pytest.raises(ValueError):
        clock.advance(-1)


def test_the_date_is_set_and_nothing_falls_due() -> None:
    clock, made = ManualClock(START), list[str]()
    clock.advance(10)
    clock.call_later(60, lambda: made.append("due"))
    for date in (START + timedelta(hours=1), START - timedelta(hours=1)):
        clock.set(date)
        assert (clock.now(), clock.monotonic(), made) == (date, 10.0, [])
    clock.advance(60)
    assert (clock.now(), made) == (START - timedelta(hours=1) + timedelta(seconds=60), ["due"])


def test_calls_are_made_in_order_each_at_its_moment() -> None:
    clock, made = ManualClock(), list[tuple[str, float]]()
    for name, delay in (("c", 3.0), ("a", 1.0), ("b", 1.0), ("late", 9.0)):
        clock.call_later(delay, lambda name=name: made.append((name, clock.monotonic())))
    clock.advance(3)
    assert made == [("a", 1.0), ("b", 1.0), ("c", 3.0)]
    assert clock.pending == 1


def test_a_call_may_set_the_next() -> None:
    clock, moments = ManualClock(), list[float]()

    def tick() -> None:
        moments.append(clock.monotonic())
        clock.call_later(2, tick)

    clock.call_later(2, tick)
    clock.advance(7)
    assert moments == [2, 4, 6]


def test_a_cancelled_call_is_never_made() -> None:
    clock, made = ManualClock(), list[int]()
    timer = clock.call_later(1, lambda: made.append(1))
    timer.cancel()
    clock.advance(2)
    assert not made
    assert (clock.pending, clock.ahead) == (0, None)


def test_how_far_away_the_next_call_is() -> None:
    clock = ManualClock()
    first = clock.call_later(1, lambda: None)
    clock.call_later(5, lambda: None)
    assert clock.ahead == 1
    first.cancel()
    clock.advance(2)
    assert clock.ahead == 3


async def test_sleepers_wake_when_time_has_passed() -> None:
    clock = ManualClock()
    sleeping = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    clock.advance(4.9)
    await asyncio.sleep(0)
    assert not sleeping.done()
    clock.advance(0.1)
    async with asyncio.timeout(PATIENCE):
        await sleeping


async def test_a_sleeper_that_is_cancelled_leaves_nothing() -> None:
    clock = ManualClock()
    sleeping = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    sleeping.cancel()
    await asyncio.wait([sleeping])
    assert clock.pending == 0


async def test_the_systems_clock_is_a_clock() -> None:
    clock: Clock = SystemClock()
    called = asyncio.Event()
    clock.call_later(0, called.set)
    async with asyncio.timeout(PATIENCE):
        await called.wait()
        await clock.sleep(0)
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
