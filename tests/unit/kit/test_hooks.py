"""Filters, offers and events: who is asked, in which order, and what a crash does."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import Any

import pytest

from pyrite.kit.hooks import Events, Filter, Offer, Stage


class Animal:
    pass


class Cat(Animal):
    pass


class Dog(Animal):
    pass


@dataclass(frozen=True)
class Fed:
    who: str


def stages(called: list[str], hook: Filter[Any]) -> None:
    """A handler in every stage, added in the wrong order."""

    def remember(name: str) -> Any:
        return lambda value: called.append(name)

    for stage in reversed(Stage):
        hook.add(stage, remember(stage.name))


# --- filters ---------------------------------------------------------------------------


async def test_stages_come_in_their_order_whoever_came_first() -> None:
    hook: Filter[int] = Filter("test")
    called: list[str] = []
    stages(called, hook)
    assert await hook.run(1) == 1
    assert called == ["GUARD", "REWRITE", "RECORD", "COPY"]
    hook.reorder(random.Random(1).shuffle)
    assert await hook.run(1) == 1
    assert called[4:] == called[:4]


async def test_rewriting_hands_the_new_value_on() -> None:
    hook: Filter[int] = Filter("test")
    seen: list[int] = []
    hook.add(Stage.RECORD, lambda value: seen.append(value))
    hook.add(Stage.REWRITE, lambda value: value + 1)

    async def double(value: int) -> int:
        await asyncio.sleep(0)
        return value * 2

    hook.add(Stage.REWRITE, double)
    assert await hook.run(1) in (3, 4)
    assert seen == [await hook.run(1)] or len(seen) == 2
    hook.add(Stage.REWRITE, lambda value: None)  # leaves it as it is
    assert await hook.run(1) == seen[0]


async def test_context_is_handed_on() -> None:
    hook: Filter[int] = Filter("test")
    seen: list[object] = []
    hook.add(Stage.GUARD, lambda *given: seen.append(given))
    await hook.run(1, "a", "b")
    assert seen == [(1, "a", "b")]


async def test_kinds_choose_by_class() -> None:
    hook: Filter[object] = Filter("test")
    seen: list[str] = []
    hook.add(Stage.GUARD, lambda value: seen.append("animal"), Animal)
    hook.add(Stage.GUARD, lambda value: seen.append("cat or dog"), Cat, Dog)
    hook.add(Stage.GUARD, lambda value: seen.append("any"))
    for value, expected in (
        (Cat(), {"animal", "cat or dog", "any"}),
        (Animal(), {"animal", "any"}),
        (1, {"any"}),
    ):
        seen.clear()
        await hook.run(value)
        assert set(seen) == expected


@pytest.mark.parametrize("stage", [Stage.GUARD, Stage.REWRITE, Stage.RECORD])
@pytest.mark.parametrize("waits", [False, True])
async def test_a_crash_stops_the_value(stage: Stage, waits: bool) -> None:
    """Fail closed: what a guard or an archive did not see goes nowhere."""
    hook: Filter[int] = Filter("test")
    later: list[int] = []

    def crash(value: int) -> None:
        raise ZeroDivisionError

    async def crash_later(value: int) -> None:
        raise ZeroDivisionError

    hook.add(stage, crash_later if waits else crash)
    hook.add(Stage.COPY, lambda value: later.append(value))
    with pytest.raises(ZeroDivisionError):
        await hook.run(1)
    assert later == []


@pytest.mark.parametrize("waits", [False, True])
async def test_copying_may_fail_alone(waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    hook: Filter[int] = Filter("test")
    copied: list[int] = []

    def crash(value: int) -> None:
        raise ZeroDivisionError("secret body")

    async def crash_later(value: int) -> None:
        raise ZeroDivisionError

    hook.add(Stage.COPY, crash_later if waits else crash)
    hook.add(Stage.COPY, lambda value: copied.append(value))
    assert await hook.run(1) == 1
    assert copied == [1]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "crash" in record.getMessage()
    caplog.clear()


@pytest.mark.parametrize("stage", [Stage.GUARD, Stage.RECORD])
async def test_only_rewriting_may_return_a_value(stage: Stage) -> None:
    hook: Filter[int] = Filter("test")
    hook.add(stage, lambda value: 2)
    with pytest.raises(TypeError):
        await hook.run(1)


async def test_a_copy_that_returns_a_value_fails_alone_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hook: Filter[int] = Filter("test")
    hook.add(Stage.COPY, lambda value: 2)
    assert await hook.run(1) == 1
    assert len(caplog.records) == 1
    caplog.clear()


async def test_a_removed_handler_is_not_called() -> None:
    hook: Filter[int] = Filter("test")
    called: list[int] = []

    def handler(value: int) -> None:
        called.append(value)

    first = hook.add(Stage.GUARD, handler)
    second = hook.add(Stage.GUARD, handler)
    await hook.run(1)
    first()
    first()  # twice is harmless, and takes nobody else's
    await hook.run(2)
    second()
    await hook.run(3)
    assert called == [1, 1, 2]
    assert hook.handlers == []


async def test_handlers_may_come_and_go_while_a_value_passes() -> None:
    hook: Filter[int] = Filter("test")
    called: list[str] = []

    def leave(value: int) -> None:
        called.append("leaves")
        remove()
        hook.add(Stage.COPY, lambda value: called.append("new"))

    remove = hook.add(Stage.GUARD, leave)
    hook.add(Stage.RECORD, lambda value: called.append("stays"))
    await hook.run(1)
    assert called == ["leaves", "stays"]
    await hook.run(1)
    assert called[2:] == ["stays", "new"]


async def test_who_copies_from_now_on_gets_what_waits_at_an_earlier_handler() -> None:
    hook: Filter[str] = Filter("hook")
    copied: list[str] = []
    may_pass = asyncio.Event()

    async def hold(value: str) -> None:
        await may_pass.wait()

    hook.add(Stage.RECORD, hold)
    passing = asyncio.create_task(hook.run("news"))
    await asyncio.sleep(0)
    remove = hook.add(Stage.COPY, copied.append)
    may_pass.set()
    await passing
    assert copied == ["news"]
    remove()
    await hook.run("more")
    assert copied == ["news"]


async def test_cancellation_goes_through() -> None:
    hook: Filter[int] = Filter("test")
    waiting = asyncio.Event()

    async def wait(value: int) -> None:
        waiting.set()
        await asyncio.Event().wait()

    hook.add(Stage.COPY, wait)
    task = asyncio.create_task(hook.run(1))  # type: ignore[arg-type]
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# --- offers ----------------------------------------------------------------------------


async def test_an_offer_is_made_until_somebody_takes_it() -> None:
    offer: Offer[int] = Offer("test")
    asked: list[str] = []

    def handler(name: str, answer: bool) -> Any:
        async def handle(value: int) -> bool:
            asked.append(name)
            return answer

        return handle

    assert not await offer.run(1)
    offer.add(handler("a", False))
    remove = offer.add(handler("b", True))
    offer.add(handler("c", True))
    assert await offer.run(1)
    assert asked == ["a", "b"]
    remove()
    assert await offer.run(1)
    assert asked[2:] == ["a", "c"]


async def test_a_crash_is_not_an_answer() -> None:
    offer: Offer[int] = Offer("test")

    async def crash(value: int) -> bool:
        raise ZeroDivisionError

    offer.add(crash)
    with pytest.raises(ZeroDivisionError):
        await offer.run(1)


# --- events ----------------------------------------------------------------------------


async def test_events_reach_those_of_their_class() -> None:
    events = Events()
    heard: list[object] = []

    async def listen(event: Fed) -> None:
        await asyncio.sleep(0)
        heard.append(event)

    remove = events.on(Fed, listen)
    events.on(Fed, heard.append)
    events.on(int, heard.append)
    await events.tell(Fed("cat"))
    assert heard == [Fed("cat"), Fed("cat")]
    await events.tell("nobody listens")
    remove()
    await events.tell(Fed("dog"))
    assert heard[2:] == [Fed("dog")]


async def test_one_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()
    heard: list[Fed] = []

    def crash(event: Fed) -> None:
        raise ZeroDivisionError

    async def crash_later(event: Fed) -> None:
        raise ZeroDivisionError

    events.on(Fed, crash)
    events.on(Fed, crash_later)
    events.on(Fed, heard.append)
    await events.tell(Fed("cat"))
    assert heard == [Fed("cat")]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    caplog.clear()


async def test_listeners_may_leave_while_they_are_told() -> None:
    events = Events()
    heard: list[str] = []

    def leave(event: Fed) -> None:
        heard.append("leaves")
        remove()

    remove = events.on(Fed, leave)
    events.on(Fed, lambda event: heard.append("stays"))
    await events.tell(Fed("cat"))
    await events.tell(Fed("cat"))
    assert heard == ["leaves", "stays", "stays"]
