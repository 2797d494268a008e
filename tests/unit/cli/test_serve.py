"""The server as a process: ready, signals, the control socket, a clean end."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.peer import PATIENCE

from pyrite.server import control

SETTINGS = """
data = "data"
listen.c2s = "127.0.0.1:0"
[host."verona.lit"]
modules = []
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pyrite.toml"
    path.write_text(SETTINGS)
    return path


def start(file: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pyrite.cli.main", "serve", "--config", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


@contextmanager
def serving(file: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A server that has said that it is ready."""
    process = start(file, **environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Running"]:
    """One server for the tests that leave it running."""
    file = tmp_path_factory.mktemp("serve") / "pyrite.toml"
    file.write_text(SETTINGS)
    with serving(file) as process:
        yield Running(file, process)


class Running(NamedTuple):
    file: Path
    process: subprocess.Popen[str]

    def ask(self, name: str, **args: object) -> Any:
        return control.ask(self.file.parent / "data", name, args, PATIENCE)

    def line_with(self, text: str) -> str:
        """The next line of its log that has `text`."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if text in line)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_ready_when_it_accepts_and_ends_cleanly(
    file: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        with serving(file, NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
            assert manager.recv(100) == b"READY=1"
            assert process.stderr is not None
            line = next(line for line in process.stderr if "listening: c2s on 127.0.0.1:" in line)
            port = int(line.rpartition(":")[2])
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
            process.send_signal(stop)
            assert manager.recv(100) == b"STOPPING=1"
            code, out, err = ended(process)
    assert (code, out) == (0, "")
    assert "Traceback" not in err
    assert not (file.parent / "data" / control.NAME).exists()


def test_accounts_are_made_while_it_runs(running: Running) -> None:
    words = ["account", "add", "romeo@verona.lit", "--password-stdin", "--config", running.file]
    done = subprocess.run(
        [sys.executable, "-m", "pyrite.cli.main", *words],
        input="wherefore\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert running.ask("account-list") == ["romeo@verona.lit"]


def test_a_hangup_reads_the_settings_again(running: Running) -> None:
    running.file.write_text(running.file.read_text() + '[host."mantua.lit"]\nmodules = []\n')
    running.process.send_signal(signal.SIGHUP)
    running.line_with("command run: reload")
    assert [one["host"] for one in running.ask("host-list")] == ["verona.lit", "mantua.lit"]


def test_a_hangup_with_wrong_settings_changes_nothing(running: Running) -> None:
    before, hosts = running.file.read_text(), running.ask("host-list")
    running.file.write_text(before + "wrong = \n")
    running.process.send_signal(signal.SIGHUP)
    line = running.line_with(f"pyrite.toml:{before.count(chr(10)) + 1}")
    running.file.write_text(before)
    assert "is not TOML" in line
    assert running.ask("host-list") == hosts


def test_reload_tells_what_changed_and_when_it_counts(running: Running) -> None:
    text = running.file.read_text()
    running.file.write_text(text.replace("listen.c2s", 'log.level = "debug"\nlisten.c2s-tls'))
    told = running.ask("reload")
    running.file.write_text(text)
    running.ask("reload")
    assert told == [
        {"setting": "listen.c2s", "applies": "at the next start"},
        {"setting": "listen.c2s-tls", "applies": "at the next start"},
        {"setting": "log.level", "applies": "now"},
    ]


def test_a_second_server_does_not_start(running: Running) -> None:
    other = running.file.with_name("other.toml")
    other.write_text(SETTINGS)
    code, out, err = ended(start(other))
    assert (code, out) == (1, "")
    assert "another process works with" in err


def test_what_it_makes_is_private(running: Running) -> None:
    made = list((running.file.parent / "data").iterdir())
    assert made
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []


def test_wrong_settings_stop_the_start(file: Path) -> None:
    file.write_text(file.read_text() + "[limit]\n")
    code, out, err = ended(start(file))
    assert (code, out) == (2, "")
    assert err == f'{file}:6: limit: unknown key; did you mean "limits"?\n'


def test_a_taken_port_is_said(file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file.write_text(SETTINGS.replace(":0", f":{port}"))
        code, out, err = ended(start(file))
    assert (code, out) == (1, "")
    assert "Address already in use" in err.splitlines()[-1]
    assert "Traceback" not in err
