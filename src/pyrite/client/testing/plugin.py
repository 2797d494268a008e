"""For pytest: the server in memory as a fixture. In a `conftest.py`:

    pytest_plugins = ["pyrite.client.testing.plugin"]

and in a test, which `pytest-asyncio` runs:

    @pytest.mark.xmpp(users=["a", "b"])
    async def test_hello(xmpp_server: MemoryServer) -> None:
        async with xmpp_server.client("a") as a, xmpp_server.client("b") as b:
            ...

Nothing is loaded by being installed: a program's tests name what they use.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from .server import MemoryServer

MARK = (
    "xmpp(users, friends, components, domain, host, settings): "
    "what `xmpp_server` is made with, as `pyrite.client.testing.MemoryServer`"
)


def pytest_configure(config: pytest.Config) -> None:
    """Let ``--strict-markers`` know ours."""
    config.addinivalue_line("markers", MARK)


@pytest_asyncio.fixture
async def xmpp_server(request: pytest.FixtureRequest) -> AsyncIterator[MemoryServer]:
    """A server in memory with the users that the mark ``xmpp`` names, for one test.

    The marks of a module, a class and a test are put together; the nearest counts.
    """
    options: dict[str, object] = {}
    for mark in reversed(list(request.node.iter_markers("xmpp"))):
        options |= mark.kwargs
    async with MemoryServer(**options) as server:  # type: ignore[arg-type]
        yield server
