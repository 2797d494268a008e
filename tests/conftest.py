"""What holds for every test: both event loops, and no warning left in the log."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvloop

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every coroutine test runs once on each, but for those that choose by
    ``@pytest.mark.asyncio(loop_factories=["uvloop"])``."""
    return LOOPS


@pytest.fixture(autouse=True)
def no_unexpected_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A test that logs a warning fails, unless it looked at the log and cleared it."""
    yield
    for phase in ("setup", "call"):
        left = [r for r in caplog.get_records(phase) if r.levelno >= logging.WARNING]
        assert not left, "\n".join(f"{r.levelname} {r.name}: {r.getMessage()}" for r in left)
