"""Peers that read slowly, or not at all."""

import asyncio

import pytest

from pyrite.net import flow
from pyrite.net.connection import BATCH, HIGH_WATER, READ_SIZE

from .ends import LIMIT, End, eventually, running, serving


async def test_a_slow_reader_is_not_written_to() -> None:
    gate = asyncio.Event()

    async def handle(end: End, event: bytes) -> None:
        await gate.wait()

    async with serving(lambda: End(handle)) as (port, ends), running(End(), port) as client:
        client.queue += [b"x" * BATCH] * 2000
        client.connection.wake()
        await eventually(lambda: client.connection.is_full)
        left = len(client.queue)
        client.connection.wake()
        await asyncio.sleep(0.01)
        assert left == len(client.queue) > 0
        assert client.connection._transport.get_write_buffer_size() < HIGH_WATER + 2 * BATCH
        gate.set()
        await ends[0].until(lambda: sum(map(len, ends[0].events)) == 2000 * BATCH)


async def test_who_stops_reading_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "STALL", 0.05)
    gate = asyncio.Event()

    async def handle(end: End, event: bytes) -> None:
        await gate.wait()

    async with serving(lambda: End(handle)) as (port, _), running(End(), port) as client:
        client.queue += [b"x" * BATCH] * 2000
        client.connection.wake()
        await eventually(lambda: client.connection.is_closing)
        assert str(client.connection.error) == "the peer stopped reading"
        gate.set()


async def test_who_reads_slowly_is_waited_for() -> None:
    """What counts is that it reads, not that it reads all: at log-in there may be much."""
    reads = asyncio.Semaphore(0)

    async def handle(end: End, event: bytes) -> None:
        await reads.acquire()

    async with serving(lambda: End(handle)) as (port, ends), running(End(), port) as client:
        client.say(b"x" * (1000 * READ_SIZE))
        connection = client.connection
        await eventually(lambda: connection.is_full and ends and ends[0].events)
        for _ in range(3):  # looks at it, each when some of it was read, however long that takes
            before, timer = connection._transport.get_write_buffer_size(), connection._stall
            while before - connection._transport.get_write_buffer_size() < flow.LEAST:
                read = len(ends[0].events)
                reads.release()
                await eventually(lambda read=read: len(ends[0].events) > read)
            connection._look(before)
            assert not connection.is_closing
            assert connection._stall is not timer
        connection._look(connection._transport.get_write_buffer_size())
        assert str(connection.error) == "the peer stopped reading"
        reads.release()


async def test_who_has_much_to_say_can_wait_for_the_reader() -> None:
    gate = asyncio.Event()

    async def handle(end: End, event: bytes) -> None:
        await gate.wait()

    async with serving(lambda: End(handle)) as (port, _), running(End(), port) as client:
        await client.connection.writable()  # nothing waits: no wait
        client.say(b"x" * (1000 * READ_SIZE))
        await eventually(lambda: client.connection.is_full)
        waiting = asyncio.create_task(client.connection.writable())
        await asyncio.sleep(0)
        assert not waiting.done()
        gate.set()
        async with asyncio.timeout(LIMIT):
            await waiting
        assert not client.connection.is_full


async def test_who_waits_for_the_reader_hears_that_it_is_gone() -> None:
    gate = asyncio.Event()

    async def handle(end: End, event: bytes) -> None:
        await gate.wait()

    async with serving(lambda: End(handle)) as (port, _), running(End(), port) as client:
        client.say(b"x" * (1000 * READ_SIZE))
        await eventually(lambda: client.connection.is_full)
        waiting = asyncio.create_task(client.connection.writable())
        await asyncio.sleep(0)
        client.connection.abort()
        async with asyncio.timeout(LIMIT):
            await waiting
        gate.set()
