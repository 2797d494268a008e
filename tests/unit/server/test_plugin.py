"""A plugin from elsewhere: installed, loaded, used, set otherwise and unloaded, as it runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyrite.core.xml import write
from pyrite.server.commands import CommandError

from ...peer import PASSWORD, PATIENCE, Peer
from ...process import Process, running

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "away"
HOST = """
[host."example.org"]
modules = ["disco", "ping"]
"""
ROMEO, JULIET = "romeo@example.org", "juliet@example.org"
HELLO = f"<message to='{JULIET}/b' type='chat'><body>hello</body></message>"
SET = "<iq type='set' id='s'><notice xmlns='urn:pyrite:away:1'>{}</notice></iq>"
INFO = (
    "<iq type='get' id='d' to='example.org'>"
    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
)

once = pytest.mark.asyncio(loop_factories=["uvloop"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is installed, as a user would do it, but from no index."""
    target = tmp_path_factory.mktemp("plugins")
    words = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *words, "--target", target, EXAMPLE],
        check=True,
        timeout=PATIENCE * 3,
    )
    return target


def path_with(installed: Path) -> str:
    return os.pathsep.join((str(installed), str(ROOT / "src")))


def test_its_own_tests_pass(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests"],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONPATH": path_with(installed)},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
    )
    assert done.returncode == 0, done.stdout


@once
async def test_it_comes_and_goes_while_the_server_runs(installed: Path, tmp_path: Path) -> None:
    async with running(tmp_path, HOST, PYTHONPATH=path_with(installed)) as server:
        for account in (ROMEO, JULIET):
            await server.ask("account-add", jid=account, password=PASSWORD)
        romeo, juliet = await server.online(f"{ROMEO}/a"), await server.online(f"{JULIET}/b")
        assert await hosts_with_it(server) == []
        assert "service-unavailable" in await said(juliet, SET.format("Away"))

        await server.ask("module-load", name="away", host="example.org")
        assert await hosts_with_it(server) == ["example.org"]
        assert "urn:pyrite:away:1" in await said(romeo, INFO)
        assert 'type="result"' in await said(juliet, SET.format("Away"))
        assert "<body>Away</body>" in await said(romeo, HELLO)
        assert await said(romeo, HELLO) == ""
        assert await server.ask("away-show", jid=JULIET) == "Away"
        assert await numbers(server) == {"away_answers": 1}

        file = tmp_path / "pyrite.toml"
        modules = 'modules = ["disco", "ping", "away"]\n[modules.away]\nsize = "3B"\n'
        file.write_text(file.read_text().replace('modules = ["disco", "ping"]', modules))
        changed = await server.ask("reload")
        assert {"setting": "modules.away", "applies": "now"} in changed
        assert "not-acceptable" in await said(juliet, SET.format("Away"))
        assert await server.ask("away-show", jid=JULIET) == "Away"
        assert await numbers(server) == {"away_answers": 0}

        await server.ask("module-unload", name="away", host="example.org")
        assert await hosts_with_it(server) == []
        assert "urn:pyrite:away:1" not in await said(romeo, INFO)
        assert "service-unavailable" in await said(juliet, SET.format("Away"))
        assert await said(romeo, HELLO) == ""
        assert await numbers(server) == {}
        with pytest.raises(CommandError, match="there is no command away-show"):
            await server.ask("away-show", jid=JULIET)


@once
async def test_one_that_cannot_be_imported_is_said(tmp_path: Path) -> None:
    """The server goes on without it; settings that name it are refused with the reason."""
    plugins = tmp_path / "plugins"
    info = plugins / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pyrite.server]\nbroken = broken_plugin:Broken\n")
    (plugins / "broken_plugin.py").write_text("raise RuntimeError('out of order')\n")
    async with running(tmp_path, HOST, PYTHONPATH=path_with(plugins)) as server:
        with pytest.raises(CommandError, match="cannot be imported: RuntimeError: out of order"):
            await server.ask("module-load", name="broken", host="example.org")
        assert (await server.ask("status"))["hosts"] == 1


async def said(peer: Peer, xml: str) -> str:
    """What comes for a client that has sent `xml`, until the server has handled it."""
    await peer.send(xml)
    return "".join(write(element) for element in await peer.barrier())


async def hosts_with_it(server: Process) -> list[str]:
    found = {one["module"]: one["hosts"] for one in await server.ask("module-list")}
    hosts: list[str] = found["away"]
    return hosts


async def numbers(server: Process) -> dict[str, float]:
    samples = await server.ask("metrics")
    return {one["name"]: one["value"] for one in samples if one["name"].startswith("away")}
