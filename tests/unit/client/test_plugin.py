"""The fixtures for other people's tests, in a run of pytest of their own."""

import subprocess
import sys
from pathlib import Path

INI = """\
[pytest]
addopts = --strict-markers -W error
asyncio_default_fixture_loop_scope = function
"""

TESTS = """
import pytest

from pyrite.client.api import Client, Ping, StanzaError
from pyrite.client.testing import MemoryServer

pytestmark = pytest.mark.xmpp(users=["a", "b"], domain="verona.lit")


@pytest.mark.asyncio
@pytest.mark.parametrize("time", range(2))
async def test_hello(xmpp_server: MemoryServer, time: int) -> None:
    async with xmpp_server.client("a") as a, xmpp_server.client("b") as b:
        assert a.jid.domain == "verona.lit"
        heard = b.messages()
        await a.send(b.jid, "hi")
        assert (await heard.next()).body == "hi"


@pytest.mark.asyncio
@pytest.mark.xmpp(users=["nurse"])
async def test_the_nearest_mark_counts(xmpp_server: MemoryServer) -> None:
    await xmpp_server.add("late", "by and by")
    async with xmpp_server.client("nurse"), xmpp_server.client("late", password="by and by") as me:
        await me[Ping].ask()


@pytest.mark.asyncio
async def test_a_crash_fails_the_test(xmpp_server: MemoryServer) -> None:
    async with xmpp_server.client("a") as a, xmpp_server.client("b") as b:
        b.messages()
        raise RuntimeError("a bug")
"""


def test_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["pyrite.client.testing.plugin"]\n')
    (tmp_path / "test_theirs.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "RuntimeError: a bug" in done.stdout
