"""Starting a server so that it surely ends, and finding it room."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from . import measure

START = 60.0  # seconds that a server may take until it accepts connections
STOP = 10.0  # seconds that it may take to end before it is killed
POLL = 0.05  # seconds between two looks whether it accepts
LINES = 15  # of a server's log, shown when it fails


class ServerError(Exception):
    """A server does not start, or is not installed."""


@contextmanager
def directory(owner: str | None) -> Iterator[Path]:
    """A temporary directory that the user may write, removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield give(path, owner)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def give(path: Path, owner: str | None) -> Path:
    """Make the path, and all below it, the user's, if we may."""
    if owner is not None and os.geteuid() == 0:
        for each in (path, *path.rglob("*")):
            shutil.chown(each, owner, pwd.getpwnam(owner).pw_gid)
    return path


def ports(count: int) -> list[int]:
    """So many free TCP ports of the loopback."""
    with_sockets = [socket.socket() for _ in range(count)]
    try:
        for each in with_sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in with_sockets]
    finally:
        for each in with_sockets:
            each.close()


@asynccontextmanager
async def running(
    command: Sequence[str | Path],
    *,
    port: int,
    log: Path,
    owner: str | None = None,
    env: Mapping[str, str] | None = None,
    ready: bytes | None = None,
) -> AsyncIterator[int]:
    """The pid of a server that accepts on `port`; it has ended when this ends.

    It runs as the `owner` if we are root, and dies with us. When `ready` is given, the
    server also has to print that line. Raises ServerError when it does not start.
    """
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *_wrapped(owner),
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(env or {})},
            cwd=log.parent,
        )
    draining: asyncio.Task[None] | None = None
    try:
        try:
            async with asyncio.timeout(START):
                if ready is not None:
                    await _prints(process, ready)
                draining = asyncio.create_task(_prints(process, None))
                await _accepts(process, port)
        except (TimeoutError, EOFError):
            raise ServerError(f"{command[0]} did not start:\n{_last(log)}") from None
        yield process.pid
    finally:
        await _stop(process)
        if draining is not None:
            draining.cancel()


def _last(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LINES:])


def _wrapped(owner: str | None) -> list[str]:
    """setpriv, which becomes the command: less privilege, and an end when its parent ends."""
    words = ["setpriv", "--pdeathsig", "KILL"]
    if owner is not None and os.geteuid() == 0:
        words += ["--reuid", owner, "--regid", str(pwd.getpwnam(owner).pw_gid), "--clear-groups"]
    return [*words, "--"]


async def _prints(process: asyncio.subprocess.Process, wanted: bytes | None) -> None:
    """Read what it prints until it is the wanted line, or to the end. Raises EOFError."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.strip() == wanted:
            return
    if wanted is not None:
        raise EOFError


async def _accepts(process: asyncio.subprocess.Process, port: int) -> None:
    while process.returncode is None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(POLL)
    raise EOFError


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End it and all that it has started."""
    if process.returncode is not None:
        return
    pids = list(measure.tree(process.pid))
    _signal(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP):
            await process.wait()
    except TimeoutError:
        _signal(process.pid, signal.SIGKILL)
        await process.wait()
    for pid in pids[1:]:
        _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    """Not by the process object, which would take its exit code from who waits for it."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
