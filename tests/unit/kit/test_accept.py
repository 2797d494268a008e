"""Small services: a peer's trouble is its own, and the end ends everything."""

import asyncio
import socket

import pytest
from tests.peer import PATIENCE

from pyrite.kit.accept import Handle, accepting


def listener() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


async def said(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.read()
    finally:
        writer.close()


def greeting(*failures: BaseException) -> Handle:
    """Fails once in each of these ways, and then greets."""
    left = list(failures)

    async def handle(peer: socket.socket) -> None:
        if left:
            raise left.pop(0)
        await asyncio.get_running_loop().sock_sendall(peer, b"hello")

    return handle


async def test_a_failure_ends_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    handle = greeting(RuntimeError("a bug"), ConnectionResetError(), TimeoutError())
    one = listener()
    port = one.getsockname()[1]
    async with asyncio.timeout(PATIENCE), accepting([one], handle, 2):
        assert [await said(port) for _ in range(4)] == [b"", b"", b"", b"hello"]
    assert caplog.text.count("a connection failed") == 1
    caplog.clear()


async def test_no_more_than_so_many_are_served_at_a_time() -> None:
    under_way, most, release = 0, 0, asyncio.Event()

    async def handle(peer: socket.socket) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 3:
            release.set()
        await release.wait()
        under_way -= 1

    one = listener()
    async with asyncio.timeout(PATIENCE), accepting([one], handle, 3):
        await asyncio.gather(*(said(one.getsockname()[1]) for _ in range(12)))
    assert most == 3


async def test_the_end_ends_what_is_under_way() -> None:
    began, one = asyncio.Event(), listener()

    async def handle(peer: socket.socket) -> None:
        began.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(PATIENCE):
        async with accepting([one], handle, 1):
            waiting = asyncio.create_task(said(one.getsockname()[1]))
            await began.wait()
        assert await waiting == b""
    assert one.fileno() == -1
