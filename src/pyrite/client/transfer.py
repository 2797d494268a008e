"""Files on their way: read and written away from the loop, hashed, and never more than announced.

A name that a peer gives is for people to read. Where a file goes is the program's to say alone.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ..wire import sharing
from ..wire.hashes import USED, Hash, Hasher, hasher, is_equal, strongest
from .errors import ClientError

CHUNK = 64 * 1024  # octets that are read, hashed or written at once
UNKNOWN = "application/octet-stream"

Progress = Callable[[int, int | None], None]
"""Is told how many octets have gone, and of how many."""


class TransferFailed(ClientError):
    """The file did not arrive whole."""


class TransferRefused(TransferFailed):
    """The other side does not want it, or has called it off; `reason` is its condition."""

    def __init__(self, text: str, reason: str = "decline") -> None:
        super().__init__(text)
        self.reason = reason


class CutOff(TransferFailed):
    """It ended before all of it was there."""


class NotAsAnnounced(TransferFailed):
    """What came has another hash than was said of it."""


class NoWay(TransferFailed):
    """The two clients found no connection between them."""


class TooLarge(TransferFailed):
    """It is larger than somebody allows. `most` are octets."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"a file of {size} octets, and {most} are allowed")
        self.size, self.most = size, most


async def described(path: Path, algo: str | None = USED) -> sharing.File:
    """What the file at `path` is, and its hash, unless `algo` is None. Raises `OSError`."""
    return await asyncio.to_thread(_described, path, algo)


def _described(path: Path, algo: str | None) -> sharing.File:
    found = path.stat()
    changed = datetime.fromtimestamp(int(found.st_mtime), UTC)
    kind = mimetypes.guess_type(path.name)[0] or UNKNOWN
    if algo is None:
        return sharing.File(changed, kind, path.name, found.st_size)
    hash, size = _hashed(path, algo)
    return sharing.File(changed, kind, path.name, size, hashes=(hash,))


async def hashed(path: Path, algo: str, offset: int = 0, end: int | None = None) -> Hash:
    """The hash of the octets from `offset` to `end`. Raises `OSError`, ValueError."""
    return (await asyncio.to_thread(_hashed, path, algo, offset, end))[0]


def _hashed(path: Path, algo: str, offset: int = 0, end: int | None = None) -> tuple[Hash, int]:
    fed = hasher(algo)
    if fed is None:
        raise ValueError(f"an unknown hash function: {algo}")
    done = offset
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(CHUNK if end is None else min(CHUNK, end - done)):
            fed.update(chunk)
            done += len(chunk)
    return Hash(algo, fed.digest()), done - offset


async def _opened(open: Callable[[], BinaryIO], close: Callable[[BinaryIO], None]) -> BinaryIO:
    """What a thread opens; closed again if it is called off meanwhile."""
    opening = asyncio.ensure_future(asyncio.to_thread(open))

    def is_open(_: object) -> None:
        if not opening.cancelled() and opening.exception() is None:
            close(opening.result())

    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(is_open)
        await asyncio.wait([opening])  # no thread can be called off, but it takes a moment alone
        raise


class Source:
    """A file that is read from the beginning, or from `offset` on: up to `size` and no more.

    `algo` names a hash function that is fed with what is read.
    """

    def __init__(self, path: Path, size: int, offset: int = 0, algo: str | None = None) -> None:
        self.path, self.size, self.offset = path, size, offset
        self.done = offset
        self._file: BinaryIO | None = None
        self._algo, self._fed = algo, hasher(algo) if algo is not None else None

    async def __aenter__(self) -> Self:
        self._file = await _opened(self._open, lambda file: file.close())
        return self

    def _open(self) -> BinaryIO:
        file = self.path.open("rb")
        if self.offset:
            file.seek(self.offset)
        return file

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    async def read(self, most: int = CHUNK) -> bytes:
        """The next octets, ``b""`` at the end. Raises `TransferFailed` if some are missing."""
        left = min(most, self.size - self.done)
        if self._file is None or left <= 0:
            return b""
        chunk = await asyncio.to_thread(self._read, self._file, left)
        if not chunk:
            raise TransferFailed(f"{self.path} has become shorter while it was read")
        self.done += len(chunk)
        return chunk

    def _read(self, file: BinaryIO, most: int) -> bytes:
        chunk = file.read(most)
        if self._fed is not None:
            self._fed.update(chunk)
        return chunk

    @property
    def hash(self) -> Hash | None:
        """That of what was read so far."""
        if self._fed is None or self._algo is None:
            return None
        return Hash(self._algo, self._fed.digest())


class Sink:
    """A new file at `path` for no more than `most` octets; gone again unless all is well.

    With `resume`, what came of it is kept in a file beside it, with ``.part`` after its name, and
    gone on with the next time. One at a time for each path.

    Raises `FileExistsError`: nothing is overwritten.
    """

    def __init__(self, path: Path, most: int, *, resume: bool = False) -> None:
        self.path, self.resume = path, resume
        self.size: int | None = None  # octets in the end, where it is known
        self.done = 0  # octets that are here
        self.is_whole = False
        self._place = path.with_name(f"{path.name}.part") if resume else path
        self._bound = self._most = most
        self._hash: Hash | None = None
        self._algo: str | None = None
        self._fed: Hasher | None = None
        self._file: BinaryIO | None = None
        self._is_spoilt = False

    async def __aenter__(self) -> Self:
        self._file = await _opened(self._open, self._close)
        self.done = self._file.tell()
        return self

    def _open(self) -> BinaryIO:
        if not self.resume:
            return self.path.open("xb")
        if self.path.exists():
            raise FileExistsError(f"{self.path} exists")
        return self._place.open("ab")

    def expect(
        self, size: int | None, hashes: tuple[Hash, ...] = (), algo: str | None = None
    ) -> None:
        """What is to come. `algo` is of a hash that comes later, to `check`. Raises `TooLarge`."""
        self.size, self._hash = size, strongest(hashes)
        self._algo = self._hash.algo if self._hash is not None else algo
        if self._algo is not None and self.done == 0:
            self._fed = hasher(self._algo)
        if size is not None and size > self._bound:
            raise TooLarge(size, self._bound)
        if size is not None and size < self.done:
            self._is_spoilt = True
            raise NotAsAnnounced(f"{self.done} octets are here of a file of {size}")
        self._most = self._bound if size is None else size

    @property
    def most(self) -> int:
        """Octets that there may be in the end."""
        return self._most

    async def begin_anew(self) -> None:
        """Forget what is here: it is of no use."""
        if self._file is not None:
            await asyncio.to_thread(self._file.truncate, 0)
        self.done = 0

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._file is not None:
            await asyncio.to_thread(self._close, self._file)

    def _close(self, file: BinaryIO) -> None:
        file.close()
        if not self.is_whole and not (self.resume and self.done and not self._is_spoilt):
            self._place.unlink(missing_ok=True)

    async def write(self, data: bytes) -> None:
        """Add `data`. Raises `TooLarge` for more than there may be."""
        if self.done + len(data) > self._most:
            self._is_spoilt = True
            raise TooLarge(self.done + len(data), self._most)
        await asyncio.to_thread(self._write, data)
        self.done += len(data)

    def _write(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)
        if self._fed is not None:
            self._fed.update(data)

    async def check(self, later: tuple[Hash, ...] = ()) -> None:
        """It is all there, and what was announced. Raises `TransferFailed`, `FileExistsError`."""
        if self.size is not None and self.done != self.size:
            raise CutOff(f"{self.done} octets of {self.size} have come")
        expected = self._hash or next((one for one in later if one.algo == self._algo), None)
        if expected is not None and not await self._is(expected):
            self._is_spoilt = True
            raise NotAsAnnounced(f"the {expected.algo} is not the one announced")
        await asyncio.to_thread(self._finish)
        self.is_whole = True

    async def _is(self, expected: Hash) -> bool:
        if self._fed is not None:
            return is_equal(expected, self._fed)
        if self._algo is None or hasher(self._algo) is None:
            return True  # nobody here can say
        if self._file is not None:
            await asyncio.to_thread(self._file.flush)
        # what was here before is hashed with what has come: both lie in the file now
        return (await hashed(self._place, expected.algo)).value == expected.value

    def _finish(self) -> None:
        if self._file is not None:
            self._file.flush()
        if not self.resume:
            return
        try:
            os.link(self._place, self.path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if self.path.exists():
                raise FileExistsError(f"{self.path} exists") from None
            self._place.rename(self.path)
        else:
            self._place.unlink()
