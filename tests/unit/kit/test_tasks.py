"""The eager driver does what a task would do; a scope leaves nothing behind."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.kit.tasks import Rest, Scope, ScopeFullError, enter_task, leave_task, start

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
LIMIT = 20.0  # seconds that a test may wait for what must come


def test_what_need_not_wait_is_done_at_once() -> None:
    done = []

    async def work() -> None:
        done.append("worked")

    assert start(work()) is None  # no loop anywhere
    assert done == ["worked"]


def test_what_it_raises_comes_out() -> None:
    async def work() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        start(work())


async def test_the_first_wait_is_not_lost() -> None:
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    seen = []

    async def work() -> None:
        seen.append("before")
        seen.append(await gate)
        await asyncio.sleep(0)
        seen.append("after")

    rest = start(work())
    assert rest is not None
    assert seen == ["before"]
    gate.set_result("through")
    await asyncio.wait_for(_all_of(rest), LIMIT)
    assert seen == ["before", "through", "after"]


async def test_a_cancelled_task_cancels_what_is_left() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(True)

    rest = start(work())
    assert rest is not None
    task = asyncio.create_task(_all_of(rest))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_closed_it_runs_what_must_run_at_the_end() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    rest = start(work())
    assert rest is not None
    rest.close()
    assert ended == [True]


@pytest.mark.parametrize("is_done", [False, True])
async def test_cancelled_before_it_is_awaited(is_done: bool) -> None:
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen = []

    async def work() -> None:
        try:
            await gate
        except asyncio.CancelledError:
            seen.append("cancelled")

    rest = start(work())
    assert rest is not None
    if is_done:
        gate.set_result(None)
    rest.cancel()
    await asyncio.wait_for(_all_of(rest), LIMIT)
    assert seen == ["cancelled"]


async def test_a_bare_turn_of_the_loop_is_cancelled_too() -> None:
    rest = start(asyncio.sleep(0))
    assert rest is not None
    rest.cancel()
    task = asyncio.create_task(_all_of(rest))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_variable_set_before_the_wait_is_reset_after_it() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen = []

    async def work() -> None:
        token = variable.set("set")
        await asyncio.sleep(0)
        seen.append(variable.get())
        variable.reset(token)  # fails in another context than it was set in

    context = contextvars.copy_context()
    rest = context.run(start, work())
    assert rest is not None
    rest.context = context
    await rest
    assert seen == ["set"]
    assert variable.get() == "unset"


async def test_time_limits_hold_in_what_began_without_a_task() -> None:
    seen = []

    async def work() -> None:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            seen.append("too late")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(0))
        seen.append("grouped")

    await asyncio.wait_for(_owned(work()), LIMIT)
    assert seen == ["too late", "grouped"]


# What must hold for all programs: the trace is that of a task

STEPS = st.lists(
    st.sampled_from(
        ["note", "turn", "done", "soon", "fail", "timeout", "group", "swallow", "shield", "task"]
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
@pytest.mark.parametrize("new_loop", LOOPS)
def test_eager_or_not_the_trace_is_the_same(
    new_loop: Callable[[], asyncio.AbstractEventLoop], steps: list[str]
) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(_trace(steps, _owned)) == runner.run(_trace(steps, _plainly))


async def _trace(
    steps: list[str], how: Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]
) -> list[str]:
    trace: list[str] = []
    try:
        await asyncio.wait_for(how(_program(steps, trace)), LIMIT)
    except LookupError as error:
        trace.append(f"out: {error}")
    return trace


async def _program(steps: list[str], trace: list[str]) -> None:
    loop = asyncio.get_running_loop()
    for number, step in enumerate(steps):
        trace.append(f"{number} {step}")
        future: asyncio.Future[int] = loop.create_future()
        match step:
            case "turn":
                await asyncio.sleep(0)
            case "done":
                future.set_result(number)
                trace.append(str(await future))
            case "soon":
                loop.call_soon(future.set_result, number)
                trace.append(str(await future))
            case "fail":
                loop.call_soon(future.set_exception, LookupError(number))
                await future
            case "timeout":
                try:
                    async with asyncio.timeout(0):
                        await future
                except TimeoutError:
                    trace.append("timeout")
            case "group":
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_note(trace, number))
            case "swallow":
                loop.call_soon(future.cancel)
                try:
                    await future
                except asyncio.CancelledError:
                    trace.append("cancelled")
            case "shield":
                loop.call_soon(future.set_result, number)
                trace.append(str(await asyncio.shield(future)))
            case "task":
                trace.append(str(asyncio.current_task() is not None))


async def _note(trace: list[str], number: int) -> None:
    await asyncio.sleep(0)
    trace.append(f"note {number}")


async def _plainly(coro: Coroutine[Any, Any, None]) -> None:
    await asyncio.create_task(coro)


async def _owned(coro: Coroutine[Any, Any, None]) -> None:
    """Start `coro` in a callback of the loop, for a task that waits for what is left of it."""
    loop = asyncio.get_running_loop()
    handed_over: asyncio.Future[Rest | None] = loop.create_future()

    async def own() -> None:
        try:
            await asyncio.wait([handed_over])
        except asyncio.CancelledError:  # a time limit passed while the rest was handed over
            if (rest := handed_over.result()) is not None:
                rest.cancel()
        if (rest := handed_over.result()) is not None:
            await rest

    def begin() -> None:
        enter_task(loop, owner)
        try:
            handed_over.set_result(start(coro))
        except BaseException as error:
            handed_over.set_exception(error)
        finally:
            leave_task(loop, owner)

    owner = asyncio.create_task(own())
    await asyncio.sleep(0)
    loop.call_soon(begin)
    await owner


async def _all_of(rest: Rest) -> None:
    await rest


# Scopes


async def test_a_scope_ends_what_it_started() -> None:
    ended = []

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(True)

    async with Scope("test") as scope:
        scope.start(wait())
        scope.start(wait())
        await asyncio.sleep(0)
        assert len(scope) == 2
    assert ended == [True, True]
    assert len(scope) == 0


async def test_a_crash_is_logged_once_and_disturbs_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()

    async def crash() -> None:
        raise LookupError("gone")

    async def work() -> None:
        done.set()

    async with Scope("sweeper") as scope:
        crashed = scope.start(crash())
        await asyncio.wait([crashed])
        scope.start(work())
        await asyncio.wait_for(done.wait(), LIMIT)
    (record,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert record.getMessage() == "task failed: sweeper"
    assert record.exc_info is not None
    caplog.clear()


async def test_a_scope_is_bounded() -> None:
    async with Scope("test", limit=1) as scope:
        scope.start(asyncio.sleep(60))
        with pytest.raises(ScopeFullError, match="full"):
            scope.start(asyncio.sleep(60))
    with pytest.raises(ScopeFullError, match="closed"):
        scope.start(asyncio.sleep(60))


async def test_a_task_may_close_its_own_scope() -> None:
    scope = Scope("test")
    other = scope.start(asyncio.sleep(60))

    async def close() -> None:
        await scope.close()

    await asyncio.wait_for(asyncio.shield(scope.start(close())), LIMIT)
    assert other.cancelled()
