"""Files on their way: read and written away from the loop, hashed, and never more than announced.

A name that a peer gives is for people to read. Where a file goes is the program's to say alone.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ..wire import sharing
from ..wire.hashes import USED, Hash, hasher, is_equal, strongest
from .errors import ClientError

CHUNK = 64 * 1024  # octets that are read, hashed or written at once
UNKNOWN = "application/octet-stream"

Progress = Callable[[int, int | None], None]
"""Is told how many octets have gone, and of how many."""


class TransferFailed(ClientError):
    """The file did not arrive whole."""


class TransferRefused(TransferFailed):
    """The other side does not want it, or has called it off."""


class TooLarge(TransferFailed):
    """It is larger than somebody allows. `most` are octets."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"a file of {size} octets, and {most} are allowed")
        self.size, self.most = size, most


async def described(path: Path) -> sharing.File:
    """What the file at `path` is, and its hash. Raises `OSError`."""
    return await asyncio.to_thread(_described, path)


def _described(path: Path) -> sharing.File:
    hashed = hasher(USED)
    assert hashed is not None  # noqa: S101 (ours is known)
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hashed.update(chunk)
            size += len(chunk)
    changed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    kind = mimetypes.guess_type(path.name)[0] or UNKNOWN
    return sharing.File(changed, kind, path.name, size, hashes=(Hash(USED, hashed.digest()),))


class Source:
    """A file that is read from the beginning, or from `offset` on: `size` octets and no more."""

    def __init__(self, path: Path, size: int, offset: int = 0) -> None:
        self.path, self.size, self.offset = path, size, offset
        self.done = offset
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        self._file = await asyncio.to_thread(self.path.open, "rb")
        await asyncio.to_thread(self._file.seek, self.offset)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    async def read(self, most: int = CHUNK) -> bytes:
        """The next octets, ``b""`` at the end. Raises `TransferFailed` if some are missing."""
        left = min(most, self.size - self.done)
        if self._file is None or left == 0:
            return b""
        chunk = await asyncio.to_thread(self._file.read, left)
        if not chunk:
            raise TransferFailed(f"{self.path} has become shorter while it was read")
        self.done += len(chunk)
        return chunk


class Sink:
    """A new file at `path` for no more than `most` octets; gone again unless all is well.

    Raises `FileExistsError`: nothing is overwritten.
    """

    def __init__(
        self,
        path: Path,
        size: int | None,
        most: int,
        hashes: tuple[Hash, ...] = (),
        algo: str | None = None,
    ) -> None:
        """`algo` is of a hash that comes later, to `check`."""
        self.path, self.size = path, size
        self._most = most if size is None else min(size, most)
        self._hash = strongest(hashes)
        name = self._hash.algo if self._hash is not None else algo
        self._hashed = hasher(name) if name is not None else None
        self._file: BinaryIO | None = None
        self.done = 0
        self.is_whole = False
        if size is not None and size > most:
            raise TooLarge(size, most)

    async def __aenter__(self) -> Self:
        self._file = await asyncio.to_thread(self.path.open, "xb")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            if not self.is_whole:
                self.path.unlink(missing_ok=True)

    async def write(self, data: bytes) -> None:
        """Add `data`. Raises `TooLarge` for more than there may be."""
        if self.done + len(data) > self._most:
            raise TooLarge(self.done + len(data), self._most)
        await asyncio.to_thread(self._write, data)
        self.done += len(data)

    def _write(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)
        if self._hashed is not None:
            self._hashed.update(data)

    async def check(self, later: tuple[Hash, ...] = ()) -> None:
        """It is all there, and what was announced. Raises `TransferFailed`."""
        if self.size is not None and self.done != self.size:
            raise TransferFailed(f"{self.done} octets of {self.size} have come")
        expected = self._hash or strongest(later)
        if (
            expected is not None
            and self._hashed is not None
            and not is_equal(expected, self._hashed)
        ):
            raise TransferFailed(f"the {expected.algo} is not the one announced")
        if self._file is not None:
            await asyncio.to_thread(self._file.flush)
        self.is_whole = True
