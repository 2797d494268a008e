"""Files that are read and written away from the loop."""

import asyncio
import os
from pathlib import Path

import pytest

from pyrite.client.transfer import Sink, Source

PATIENCE = 30.0


async def entered(one: Source | Sink) -> None:
    async with one:
        raise AssertionError("it was called off before")


async def called_off(one: Source | Sink, other_end: Path, flag: int) -> int:
    """Call it off while the file is opened; the other end of it, which lets the opening end."""
    async with asyncio.timeout(PATIENCE):
        task = asyncio.create_task(entered(one))
        await asyncio.sleep(0)  # it has begun
        task.cancel()
        descriptor = await asyncio.to_thread(os.open, other_end, flag)
        with pytest.raises(asyncio.CancelledError):
            await task
        return descriptor


async def test_what_is_opened_too_late_to_be_read_is_closed(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "letter.txt")
    descriptor = await called_off(Source(path, 100), path, os.O_WRONLY)
    with os.fdopen(descriptor, "wb", buffering=0) as file, pytest.raises(BrokenPipeError):
        file.write(b"But soft!")  # nobody reads


async def test_what_is_opened_too_late_to_be_written_is_gone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "letter.txt.part")
    sink = Sink(tmp_path / "letter.txt", 100, resume=True)
    descriptor = await called_off(sink, tmp_path / "letter.txt.part", os.O_RDONLY)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        assert file.read() == b""  # nobody writes
    assert os.listdir(tmp_path) == []


async def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await entered(Source(tmp_path / "letter.txt", 100))
    (tmp_path / "letter.txt").touch()
    with pytest.raises(FileExistsError):
        await entered(Sink(tmp_path / "letter.txt", 100))
