"""A connection's events, writing and end, over real sockets."""

import asyncio
import contextvars
import gc
import logging
import socket
import weakref
from typing import cast

import pytest

from pyrite.kit.rate import Limit
from pyrite.net import flow
from pyrite.net.connection import (
    BATCH,
    Connection,
    ConnectionEndedError,
    connect,
)

from .ends import LIMIT, End, eventually, running, serving


def lines(data: bytes) -> list[bytes]:
    return data.splitlines()


async def echo(end: End, event: bytes) -> None:
    end.say(event)


async def test_what_is_said_comes_back() -> None:
    async with serving(lambda: End(echo)) as (port, ends), running(End(), port) as client:
        client.say(b"hello")
        assert await client.read(5) == b"hello"
        (server,) = ends
        assert server.connection.peer_address == "127.0.0.1"
        assert server.connection.local_port == port
        assert server.connection.bytes_in == server.connection.bytes_out == 5
        assert client.connection.bytes_in == client.connection.bytes_out == 5
        loop = asyncio.get_running_loop()
        assert 0 <= loop.time() - server.connection.last_read < LIMIT


# Handling


async def test_handled_in_the_callback_that_read_it() -> None:
    """No task's step lies between reading and handling; still there is a current task."""
    seen = []

    async def handle(end: End, event: bytes) -> None:
        seen.append(event)
        assert asyncio.current_task() is end.task
        if len(seen) == 3:
            end.say(b"done")

    def feed(data: bytes) -> list[bytes]:
        asyncio.get_running_loop().call_soon(seen.append, b"turn")
        return lines(data)

    async with (
        serving(lambda: End(handle, feed=feed)) as (port, _),
        running(End(), port) as client,
    ):
        client.say(b"a\nb\nc\n")
        await client.read(4)
        assert seen[:4] == [b"a", b"b", b"c", b"turn"]


async def test_order_is_kept_when_a_handler_waits() -> None:
    order: list[bytes] = []

    async def handle(end: End, event: bytes) -> None:
        order.append(b"begin " + event)
        if event in (b"b", b"d"):
            await asyncio.sleep(0.01)
        order.append(b"end " + event)
        if event == b"f":
            end.say(b"done")

    async with (
        serving(lambda: End(handle, feed=lines)) as (port, _),
        running(End(), port) as client,
    ):
        client.say(b"a\nb\nc\nd\n")
        client.say(b"e\nf\n")
        await client.read(4)
    assert order == [word + letter for letter in (b"a", b"b", b"c", b"d", b"e", b"f")
                     for word in (b"begin ", b"end ")]  # fmt: skip


async def test_nothing_is_read_while_a_handler_waits() -> None:
    gate = asyncio.Event()

    async def handle(end: End, event: bytes) -> None:
        await gate.wait()

    async with serving(lambda: End(handle)) as (port, ends), running(End(), port) as client:
        client.say(b"first")
        await eventually(lambda: ends and ends[0].events)
        for _ in range(100):
            client.say(b"x" * 10_000)
        await eventually(lambda: not client.queue or client.connection.is_full)
        await asyncio.sleep(0.01)
        assert ends[0].events == [b"first"]
        gate.set()
        await ends[0].until(lambda: sum(map(len, ends[0].events)) == 5 + 1_000_000)


async def test_who_waits_until_no_handler_is_under_way() -> None:
    """After the end of our side, none begins any more, though the peer keeps its own open."""
    gate = asyncio.Event()
    handled: list[bytes] = []

    async def handle(end: End, event: bytes) -> None:
        await gate.wait()
        handled.append(event)

    async with (
        serving(lambda: End(handle, feed=lines)) as (port, ends),
        running(End(), port) as client,
    ):
        client.say(b"a\nb\n")
        await eventually(lambda: ends and ends[0].connection.bytes_in > 0)
        connection = ends[0].connection
        connection.close()
        idle = asyncio.ensure_future(connection.idle())
        await asyncio.sleep(0)
        assert not idle.done()
        gate.set()
        async with asyncio.timeout(LIMIT):
            await idle
        assert handled == [b"a"]
        await connection.idle()


async def test_what_came_before_the_end_is_handled() -> None:
    async def handle(end: End, event: bytes) -> None:
        await asyncio.sleep(0.001)

    async with serving(lambda: End(handle, feed=lines)) as (port, ends):
        async with running(End(), port) as client:
            client.say(b"a\nb\nc\n")
        await eventually(lambda: ends[0].connection.is_closing)
        assert ends[0].events == [b"a", b"b", b"c"]


async def test_what_came_before_a_reset_is_handled() -> None:
    gate = asyncio.Event()

    async def handle(end: End, event: bytes) -> None:
        await gate.wait()

    async with serving(lambda: End(handle, feed=lines)) as (port, ends):
        async with running(End(), port) as client:
            client.say(b"a\nb\n")
            await eventually(lambda: ends and ends[0].events)
            client.connection.abort()
        gate.set()
        await ends[0].until(lambda: len(ends[0].events) == 2)


async def test_a_bug_ends_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    for waits in (False, True):

        async def handle(end: End, event: bytes, waits: bool = waits) -> None:
            if event == b"bug":
                if waits:
                    await asyncio.sleep(0)
                raise LookupError("a bug")
            end.say(event)

        async with (
            serving(lambda: End(handle, feed=lines)) as (port, ends),
            running(End(), port) as other,
        ):
            other.say(b"hello")
            await other.read(5)
            async with running(End(), port) as client:
                client.say(b"fine\nbug\nnever\n")
                await eventually(lambda: client.connection.is_closing)
                assert client.events == [b"fine"]
            other.say(b"still here")
            await other.read(15)
            assert b"never" not in ends[1].events
        (record,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
        assert record.getMessage() == "connection failed"
        assert record.exc_info is not None
        assert isinstance(record.exc_info[1], LookupError)
        caplog.clear()


async def test_a_cancelled_wait_is_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    for waits in (False, True):

        async def handle(end: End, event: bytes, waits: bool = waits) -> None:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            if waits:
                await asyncio.sleep(0)
            await future

        async with serving(lambda: End(handle)) as (port, _), running(End(), port) as client:
            client.say(b"x")
            await eventually(lambda end=client: end.connection.is_closing)
        assert [r.getMessage() for r in caplog.records] == ["connection failed"]
        caplog.clear()


async def test_a_bug_in_fill_and_in_feed_too(caplog: pytest.LogCaptureFixture) -> None:
    def feed(data: bytes) -> list[bytes]:
        raise LookupError("a bug")

    for make in (lambda: End(feed=feed), lambda: End(_breaks_fill)):
        async with serving(make) as (port, _), running(End(), port) as client:
            client.say(b"bug")
            await eventually(lambda end=client: end.connection.is_closing)
        assert [r.getMessage() for r in caplog.records] == ["connection failed"]
        caplog.clear()


async def _breaks_fill(end: End, event: bytes) -> None:
    end.queue.append(cast(bytes, _Broken()))
    end.connection.wake()


class _Broken:
    def __radd__(self, other: bytes) -> bytes:
        raise LookupError("a bug")


async def test_skipped_events_are_not_handled() -> None:
    for waits in (False, True):

        async def handle(end: End, event: bytes, waits: bool = waits) -> None:
            if event == b"restart":
                end.connection.skip_rest()
                if waits:
                    await asyncio.sleep(0)
                end.say(b"restarted")

        async with (
            serving(lambda: End(handle, feed=lines)) as (port, ends),
            running(End(), port) as client,
        ):
            client.say(b"a\nrestart\nb\nc\n")
            await client.read(9)
            client.say(b"d\n")
            await ends[0].until(lambda: b"d" in ends[0].events)
            assert ends[0].events == [b"a", b"restart", b"d"]


async def test_variables_of_a_handler_stay_with_the_connection() -> None:
    variable: contextvars.ContextVar[bytes] = contextvars.ContextVar("variable", default=b"unset")

    async def handle(end: End, event: bytes) -> None:
        end.say(variable.get())
        token = variable.set(event)
        await asyncio.sleep(0)
        variable.reset(token)
        variable.set(event)

    async with (
        serving(lambda: End(handle)) as (port, _),
        running(End(), port) as one,
        running(End(), port) as other,
    ):
        one.say(b"one")
        assert await one.read(5) == b"unset"
        other.say(b"other")
        assert await other.read(5) == b"unset"
        one.say(b"again")
        assert await one.read(8) == b"unsetone"


async def test_time_limits_work_in_handlers() -> None:
    async def handle(end: End, event: bytes) -> None:
        try:
            async with asyncio.timeout(0 if event == b"at once" else 0.01):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            end.say(event)

    async with serving(lambda: End(handle)) as (port, _), running(End(), port) as client:
        client.say(b"at once")
        await client.read(7)
        client.say(b"soon")
        assert await client.read(11) == b"at oncesoon"


async def test_what_came_before_run_is_handled_in_order() -> None:
    server = End(feed=lines)
    listener = await asyncio.get_running_loop().create_server(
        lambda: server.connection, "127.0.0.1", 0
    )
    async with listener:
        async with running(End(), listener.sockets[0].getsockname()[1]) as client:
            client.say(b"a\nb\n")
            await eventually(lambda: server.connection.bytes_in == 4)
            client.say(b"c\n")
            task = asyncio.create_task(server.run())
            await server.until(lambda: len(server.events) == 3)
            assert server.events == [b"a", b"b", b"c"]
        await asyncio.wait_for(task, LIMIT)


# Writing


async def test_fill_is_asked_once_in_a_turn() -> None:
    async with serving(End) as (port, ends), running(End(), port) as client:
        await eventually(lambda: ends)
        for _ in range(10):
            client.connection.wake()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert client.fills == 1


async def test_much_is_asked_for_until_there_is_less() -> None:
    async with serving(End) as (port, ends), running(End(), port) as client:
        client.queue += [b"x" * BATCH] * 20
        client.connection.wake()
        await eventually(lambda: ends)
        await ends[0].read(20 * BATCH)
        assert not client.queue


# Ends


async def test_what_is_queued_goes_out_before_the_end() -> None:
    async def handle(end: End, event: bytes) -> None:
        end.queue += [b"x" * BATCH] * 100
        end.connection.close()

    async with serving(lambda: End(handle)) as (port, _), running(End(), port) as client:
        client.say(b"bye")
        assert len(await client.read(100 * BATCH)) == 100 * BATCH
        await eventually(lambda: client.connection.is_closing)
    assert client.connection.error is None


async def test_events_after_close_are_dropped() -> None:
    async def handle(end: End, event: bytes) -> None:
        end.connection.close()

    async with serving(lambda: End(handle, feed=lines)) as (port, ends):
        async with running(End(), port) as client:
            client.say(b"a\nb\n")
            client.say(b"c\n")
            await eventually(lambda: client.connection.is_closing)
        assert ends[0].events == [b"a"]


async def test_a_peer_that_does_not_end_its_side_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "GRACE", 0.05)

    async def handle(end: End, event: bytes) -> None:
        end.connection.close()

    async with serving(lambda: End(handle)) as (port, ends):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        assert await asyncio.wait_for(reader.read(), LIMIT) == b""
        connection = ends[0].connection
        await eventually(lambda: connection._is_lost)
        assert str(connection.error) == "the peer did not end its side"
        writer.close()


async def test_aborted_it_is_over_at_once() -> None:
    async with serving(End) as (port, _):
        client = End()
        await connect(client.connection, "127.0.0.1", port)
        task = asyncio.create_task(client.run())
        await asyncio.sleep(0)
        client.connection.abort("enough")
        client.connection.abort("twice")
        client.connection.close()
        client.connection.wake()
        await asyncio.wait_for(task, LIMIT)
        assert str(client.connection.error) == "enough"


async def test_cancelled_it_aborts() -> None:
    async with serving(lambda: End(echo)) as (port, ends):
        client = End()
        await connect(client.connection, "127.0.0.1", port)
        task = asyncio.create_task(client.run())
        client.say(b"x")
        await client.read(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: ends[0].connection.is_closing)


async def test_a_handler_is_cancelled_with_the_connection() -> None:
    ended = []

    async def handle(end: End, event: bytes) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(event)

    async with serving(lambda: End(handle), stop=0.05) as (port, ends):
        client = End()
        await connect(client.connection, "127.0.0.1", port)
        task = asyncio.create_task(client.run())
        client.say(b"x")
        await eventually(lambda: ends and ends[0].events)
    assert ended == [b"x"]
    await asyncio.wait_for(task, LIMIT)


async def test_an_ended_connection_leaves_nothing_behind() -> None:
    """Its memory, most of which is OpenSSL's, must not wait for the garbage collector."""
    async with serving(lambda: End(echo)) as (port, ends):
        await _come_and_go(port)
        await eventually(lambda: ends[0].connection._is_lost)
        seen = weakref.ref(ends.pop())
        gc.disable()
        try:
            await eventually(lambda: seen() is None)
        finally:
            gc.enable()


async def _come_and_go(port: int) -> None:
    async with running(End(), port) as client:
        client.say(b"hello")
        await client.read(5)


# Deadlines


async def test_a_drip_does_not_move_the_deadline() -> None:
    loop = asyncio.get_running_loop()

    class Slow(End):
        async def run(self) -> None:
            self.connection.set_deadline(0.2)
            await super().run()

    async with serving(Slow) as (port, ends):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        begin = loop.time()
        async with asyncio.timeout(LIMIT):  # it would not come to an end
            while not (ends and ends[0].connection.is_closing):
                writer.write(b"x")
                await asyncio.sleep(0.01)
        assert loop.time() - begin > 0.1
        assert str(ends[0].connection.error) == "the deadline has passed"
        writer.close()


async def test_a_deadline_may_say_good_bye() -> None:
    class Slow(End):
        async def run(self) -> None:
            self.connection.set_deadline(0.01, self.expired)
            await super().run()

        def expired(self) -> None:
            self.say(b"too slow")
            self.connection.close()

    async with serving(Slow) as (port, _), running(End(), port) as client:
        assert await client.read(8) == b"too slow"


async def test_a_cleared_deadline_is_none() -> None:
    async with serving(End) as (port, ends), running(End(), port) as client:
        await eventually(lambda: ends)
        connection = ends[0].connection
        connection.set_deadline(0.02)
        connection.set_deadline(0.01)
        connection.clear_deadline()
        await asyncio.sleep(0.03)
        assert not connection.is_closing
        client.say(b"x")
        await ends[0].read(1)


async def test_a_bug_in_a_deadline_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    def expired() -> None:
        raise LookupError("a bug")

    class Slow(End):
        async def run(self) -> None:
            self.connection.set_deadline(0.01, expired)
            await super().run()

    async with serving(Slow) as (port, _), running(End(), port) as client:
        await eventually(lambda: client.connection.is_closing)
    assert [r.getMessage() for r in caplog.records] == ["connection failed"]
    caplog.clear()


# Floods


async def test_a_flood_is_read_slowly() -> None:
    loop = asyncio.get_running_loop()
    limit = Limit(rate=1_000_000, burst=20_000)
    async with (
        serving(lambda: End(rate=limit)) as (port, ends),
        running(End(), port) as client,
    ):
        begin = loop.time()
        client.queue += [b"x" * BATCH] * 15
        client.connection.wake()
        await eventually(lambda: ends)
        await ends[0].read(15 * BATCH)
        assert loop.time() - begin >= 0.2  # 245,760 octets at a million a second, less a burst


async def test_a_big_read_lets_others_in() -> None:
    """However fast one sends, others are served between its reads."""
    async with (
        serving(lambda: End(echo)) as (port, ends),
        running(End(), port) as big,
        running(End(), port) as small,
    ):
        big.queue += [b"x" * BATCH] * 200
        big.connection.wake()
        await eventually(lambda: len(ends) > 0 and ends[0].events)
        small.say(b"hello")
        await small.read(5)
        await big.read(200 * BATCH)


# Connecting


async def test_connecting_in_vain() -> None:
    with socket.socket() as held:  # so that nobody else listens there
        held.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match=r"(?i)connect"):
            await connect(End().connection, "127.0.0.1", held.getsockname()[1])


async def test_a_connection_never_made_can_be_closed() -> None:
    connection: Connection[bytes] = End().connection
    connection.close()
    connection.abort()
    connection.wake()
    connection.clear_deadline()
    assert connection.error is None


async def test_secured_says_that_there_is_no_tls() -> None:
    async with serving(End) as (port, _), running(End(), port) as client:
        waiting = asyncio.create_task(client.connection.secured())
        await asyncio.sleep(0)
        client.connection.close()
        with pytest.raises(ConnectionEndedError):
            await asyncio.wait_for(waiting, LIMIT)
