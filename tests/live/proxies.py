"""Proxies that others wrote, on free loopback ports: Tinyproxy for HTTP, and MicroSocks."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop.servers import START, STOP, free_ports

USER, PASSWORD = "romeo", "star-crossed"

TINYPROXY = """
    Port {port}
    Listen 127.0.0.1
    Allow 127.0.0.1
    Timeout 60
    BasicAuth {user} {password}
    LogFile "{home}/tinyproxy.log"
    LogLevel Connect
"""


def program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/usr/local/bin")
    assert found, f"{name} is not installed: make test as root installs it"
    return found


def words(kind: str, home: Path, port: int) -> list[str]:
    if kind == "socks5":
        login = ["-u", USER, "-P", PASSWORD]
        return [program("microsocks"), "-i", "127.0.0.1", "-p", str(port), *login]
    settings = home / "tinyproxy.conf"
    text = TINYPROXY.format(port=port, user=USER, password=PASSWORD, home=home)
    settings.write_text("\n".join(line.strip() for line in text.splitlines()))
    return [program("tinyproxy"), "-d", "-c", str(settings)]


@contextmanager
def running(kind: str, home: Path) -> Iterator[int]:
    """A proxy that wants a log-in; its port."""
    (port,) = free_ports(1)
    with (home / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(
            words(kind, home, port), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        wait_until_open(process, port)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            assert process.poll() is None, "the proxy has ended"
            assert time.monotonic() < until, "the proxy does not listen"
            threading.Event().wait(0.02)
