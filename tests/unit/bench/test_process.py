"""Servers under test start, end, and leave nothing behind."""

import os
import select
import signal
import socket
import sys
from pathlib import Path

import pytest
from bench import measure, process
from bench.process import ServerError, directory, ports, running

SERVER = """
import socket, subprocess, sys, time
port, ready, child = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if child:
    subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
listener = socket.create_server(("127.0.0.1", port))
print("some line", flush=True)
print(ready, flush=True)
while True:
    listener.accept()
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def command(port: int, *, ready: str = "", child: str = "", before: str = "") -> list[str]:
    return [sys.executable, "-c", before + SERVER, str(port), ready, child]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("ready", ["", "ready"])
async def test_a_server_runs_as_long_as_the_block(tmp_path: Path, ready: str) -> None:
    [port] = ports(1)
    words = command(port, ready=ready)
    log = tmp_path / "log"
    async with running(words, port=port, log=log, ready=ready.encode() or None) as pid:
        assert is_running(pid)
        socket.create_connection(("127.0.0.1", port)).close()
    assert not is_running(pid)


async def test_it_ends_with_an_error_too(tmp_path: Path) -> None:
    [port] = ports(1)
    with pytest.raises(ZeroDivisionError):
        async with running(command(port), port=port, log=tmp_path / "log") as pid:
            _ = 1 / 0
    assert not is_running(pid)


async def test_its_children_end_with_it(tmp_path: Path) -> None:
    [port] = ports(1)
    async with running(command(port, child="yes"), port=port, log=tmp_path / "log") as pid:
        _, child = measure.tree(pid)
        ended = os.pidfd_open(child)  # becomes readable
    assert not is_running(pid)
    assert select.select([ended], [], [], 10)[0]
    os.close(ended)


async def test_one_that_does_not_listen_to_reason_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STOP", 0.1)
    [port] = ports(1)
    words = command(port, before=DEAF, ready="ready")
    async with running(words, port=port, log=tmp_path / "log", ready=b"ready") as pid:
        os.kill(pid, signal.SIGTERM)
        assert is_running(pid)
    assert not is_running(pid)


@pytest.mark.parametrize("ready", [None, b"ready"])
async def test_one_that_does_not_start_says_why(tmp_path: Path, ready: bytes | None) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('no such setting')"]
    with pytest.raises(ServerError, match="no such setting"):
        async with running(words, port=ports(1)[0], log=tmp_path / "log", ready=ready):
            raise AssertionError("it has started")


async def test_one_that_is_never_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START", 0.3)
    [port] = ports(1)
    with pytest.raises(ServerError, match="did not start"):
        async with running(command(port), port=port, log=tmp_path / "log", ready=b"ready"):
            raise AssertionError("it has started")


def test_ports_are_free_and_differ() -> None:
    given = ports(10)
    assert len(set(given)) == 10
    for port in given:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_directory_goes_with_all_that_is_in_it() -> None:
    with directory(None) as home:
        (home / "below").mkdir()
        (home / "below" / "file").write_text("text")
    assert not home.exists()
