"""A program in a real terminal: what is typed, and what its screen shows."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable, Mapping

import pexpect
import pyte

ROWS, COLUMNS = 50, 160
PATIENCE = 60.0  # seconds until the screen shows what is expected


class Terminal:
    """Runs on the loop that is running. Use as an asynchronous context manager."""

    def __init__(self, *words: str, env: Mapping[str, str] | None = None) -> None:
        self._words = words
        self._env = {**os.environ, "TERM": "linux", "LC_ALL": "C.UTF-8", **(env or {})}
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._drawn = asyncio.Event()
        self._ended = False

    async def __aenter__(self) -> Terminal:
        program, *arguments = self._words
        self._child = pexpect.spawn(
            program, arguments, env=self._env, dimensions=(ROWS, COLUMNS), echo=False
        )
        asyncio.get_running_loop().add_reader(self._child.child_fd, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._child.child_fd)
        self._child.kill(signal.SIGKILL)  # `close` gives it a tenth of a second to be gone
        await asyncio.to_thread(self._child.wait)
        self._child.close()

    def _read(self) -> None:
        try:
            self._stream.feed(os.read(self._child.child_fd, 65536))
        except OSError:  # the program has ended
            asyncio.get_running_loop().remove_reader(self._child.child_fd)
            self._ended = True
        self._drawn.set()

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def type(self, text: str) -> None:
        self._child.send(text)

    def enter(self, line: str) -> None:
        """Type a whole line."""
        self._child.send(f"{line}\r")

    async def ends(self) -> None:
        """Wait until the program has ended."""
        async with asyncio.timeout(PATIENCE):
            while not self._ended:
                self._drawn.clear()
                await self._drawn.wait()

    async def shows(self, pattern: str) -> re.Match[str]:
        """Wait until the screen shows the regular expression."""
        match = await self._until(pattern, lambda match: match is not None)
        assert match
        return match

    async def hides(self, pattern: str) -> None:
        """Wait until the screen does not show the regular expression any more."""
        await self._until(pattern, lambda match: match is None)

    async def _until(
        self, pattern: str, is_wanted: Callable[[re.Match[str] | None], bool]
    ) -> re.Match[str] | None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_wanted(match := re.search(pattern, self.text)):
                    self._drawn.clear()
                    await self._drawn.wait()
                return match
        except TimeoutError:
            raise AssertionError(f"waited for {pattern!r}; the screen:\n{self.text}") from None
