"""The server as a process of its own, which may be told to stop, or killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pyrite.core.jid import JID
from pyrite.server import control

from .peer import PATIENCE, Peer

SETTINGS = """
data = "data"
[listen]
c2s = "127.0.0.1:0"
[tls]
required = false
[auth]
plain-without-tls = true
iterations = 4096
"""


class Process:
    """A server that has said that it is ready."""

    def __init__(self, running: asyncio.subprocess.Process, folder: Path) -> None:
        self._running = running
        self.folder = folder
        self.port = 0
        self.peers: list[Peer] = []
        self.lines: list[str] = []  # of its log
        self._reading = asyncio.create_task(self._read_log())
        self._news = asyncio.Condition()

    async def _read_log(self) -> None:
        assert self._running.stderr is not None
        async for line in self._running.stderr:
            async with self._news:
                self.lines.append(line.decode().rstrip("\n"))
                self._news.notify_all()

    async def line_with(self, *texts: str) -> str:
        """The first line of its log that has all of `texts`, once there is one."""
        async with asyncio.timeout(PATIENCE), self._news:
            while True:
                for line in self.lines:
                    if all(text in line for text in texts):
                        return line
                await self._news.wait()

    async def ask(self, command: str, /, **args: object) -> Any:
        """The result of a command by the control socket; raises `CommandError`."""
        data = self.folder / "data"
        return await asyncio.to_thread(control.ask, data, command, args, PATIENCE)

    async def online(self, jid: str) -> Peer:
        """A client that has bound `jid`."""
        peer = await Peer.connect(self.port)
        self.peers.append(peer)
        await peer.log_in(JID.parse(jid))
        return peer

    def tell(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    async def end(self) -> int:
        """Wait until it has ended; its exit code."""
        async with asyncio.timeout(PATIENCE):
            code = await self._running.wait()
            await self._reading
        return code

    async def kill(self) -> None:
        if self._running.returncode is None:
            self._running.kill()
        await self.end()


@asynccontextmanager
async def running(folder: Path, more: str, **environment: str) -> AsyncIterator[Process]:
    """A server whose settings are `SETTINGS` and `more`, and its data below `folder`."""
    file = folder / "pyrite.toml"
    file.write_text(SETTINGS + more)
    words = ("-m", "pyrite.cli.main", "serve", "--config", str(file))
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=pipe, stderr=pipe, env={**os.environ, **environment}
    )
    process = Process(started, folder)
    try:
        assert started.stdout is not None
        async with asyncio.timeout(PATIENCE):
            assert await started.stdout.readline() == b"ready\n", process.lines
        process.port = int((await process.line_with("listening: c2s on")).rpartition(":")[2])
        yield process
    finally:
        for peer in process.peers:
            peer.writer.transport.abort()
        await process.kill()
