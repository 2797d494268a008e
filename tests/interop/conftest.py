"""The stage: real servers, and people with slixmpp clients on it."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from .ejabberd import Ejabberd
from .people import Cast
from .programs import give_away
from .servers import SERVERS, Prosody, Pyrite, Server

LACKS: dict[str, str] = {}  # server and test -> why it is not played there
STORIES = itertools.count(1)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """These clients are foreign, and the server is its own process: one loop is enough."""
    return {"asyncio": asyncio.new_event_loop}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A story that asks for `server` is played on each, but for what Prosody lacks.

    Those marked ``ejabberd`` are played there too, but for what it lacks: ``ejabberd(reason)``.
    """
    if "server" not in metafunc.fixturenames:
        return
    test = metafunc.definition
    names = ["pyrite"]
    if lacks := test.get_closest_marker("lacking"):
        LACKS[f"Prosody: {test.name}"] = lacks.args[0]
    else:
        names.append("prosody")
    if third := test.get_closest_marker("ejabberd"):
        if third.args:
            LACKS[f"ejabberd: {test.name}"] = third.args[0]
        else:
            names.append("ejabberd")
    metafunc.parametrize("server", names, indirect=True, scope="session")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LACKS:
        terminalreporter.section("stories that Prosody 0.12 and ejabberd 23.01 cannot play")
        for name, reason in sorted(LACKS.items()):
            terminalreporter.line(f"{name}: {reason}")


@pytest.fixture(autouse=True)
def no_unexpected_log() -> None:
    """The clients' libraries may log what they like; the server's log is looked at below."""


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A running server. It must end well, and complain of nothing."""
    kind = Ejabberd if request.param == "ejabberd" else SERVERS[request.param]
    running = kind(tmp_path_factory.mktemp(kind.name))
    running.start()
    yield running
    status = running.stop()
    if isinstance(running, Pyrite):
        assert status == 0
        assert running.complaints() == []


@pytest.fixture(scope="session")
def pyrite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pyrite]:
    """Pyrite alone, for clients that need no second opinion."""
    running = Pyrite(tmp_path_factory.mktemp("pyrite"))
    running.start()
    yield running
    assert running.stop() == 0
    assert running.complaints() == []


@pytest.fixture
async def cast(server: Server) -> AsyncIterator[Cast]:
    people = Cast(server, next(STORIES))
    yield people
    await people.go_home()


@pytest.fixture
def on_prosody(server: Server) -> bool:
    return isinstance(server, Prosody)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory for a client program; nothing of ours is read or written.

    It belongs to whoever `unprivileged` makes the program run as.
    """
    with tempfile.TemporaryDirectory(prefix="pyrite-home-") as name:
        home = Path(name)
        monkeypatch.setenv("HOME", name)
        for kind in ("CONFIG", "DATA", "CACHE", "STATE"):
            monkeypatch.setenv(f"XDG_{kind}_HOME", f"{name}/{kind.lower()}")
        monkeypatch.setenv("XDG_RUNTIME_DIR", f"{name}/run")
        folders = [home / x for x in ("config", "data", "cache", "state", "run")]
        for folder in folders:
            folder.mkdir(mode=0o700)
        for path in (home, *folders):
            give_away(path)
        yield home
