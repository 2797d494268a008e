"""Streams of octets between two clients, whatever carries them."""

from __future__ import annotations

import asyncio
from typing import Protocol, Self

from ..core.jid import JID
from .errors import ClientError

READ = 64 * 1024  # octets that are read at once
MOST_STREAMS = 20  # that are open with all others together


class StreamBroken(ClientError, ConnectionError):
    """The stream ended before its end."""


class ByteStream(Protocol):
    """Octets, in order, both ways."""

    @property
    def peer(self) -> JID:
        """Who is at the other end (full)."""

    async def read(self, most: int = READ) -> bytes:
        """What has come, ``b""`` at the end. Raises `StreamBroken`."""

    async def write(self, data: bytes) -> None:
        """Send, and wait while the other side is slow. Raises `StreamBroken`."""

    async def close(self) -> None:
        """End it, both ways."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


class Buffer:
    """What has come and was not read yet: `most` octets, then whoever brings more waits."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._data = bytearray()
        self._changed = asyncio.Event()
        self._ended: Exception | None = None
        self.is_ended = False

    async def put(self, data: bytes, within: float) -> bool:
        """Add `data` when there is room; False if there was none in so many seconds."""
        try:
            async with asyncio.timeout(within):
                while len(self._data) + len(data) > self._most and not self.is_ended:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return self.put_now(data)

    def put_now(self, data: bytes) -> bool:
        """Add `data`; False if there is no room."""
        if self.is_ended or len(self._data) + len(data) > self._most:
            return False
        self._data += data
        self._changed.set()
        return True

    def end(self, error: Exception | None = None) -> None:
        """Nothing comes any more; what is here can still be read."""
        if not self.is_ended:
            self.is_ended, self._ended = True, error
        self._changed.set()

    async def take(self, most: int) -> bytes:
        """Some of it, ``b""`` at the end; raises the error that it ended with."""
        while not self._data and not self.is_ended:
            self._changed.clear()
            await self._changed.wait()
        taken = bytes(self._data[:most])
        del self._data[:most]
        self._changed.set()
        if not taken and self._ended is not None:
            raise self._ended
        return taken
