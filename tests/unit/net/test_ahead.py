"""A handler that waits for what the peer says: reading goes on, and nothing is overtaken."""

import asyncio
import socket
import struct

from pyrite.net import ahead
from pyrite.net.shared import READ_SIZE

from .ends import LIMIT, End, eventually, running, serving


class Lines:
    """What comes, line by line, however it was cut."""

    def __init__(self) -> None:
        self.rest = b""

    def __call__(self, data: bytes) -> list[bytes]:
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines


def reset(end: End) -> None:
    """Go without a word, so that the other end reads no end of file."""
    linger = struct.pack("ii", 1, 0)
    sock = end.connection._transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    end.connection.abort()


class Listening:
    """The events ``hear`` wait until ``now`` is said; both ends of each handler are noted."""

    def __init__(self) -> None:
        self.order: list[bytes] = []
        self.waiting = 0
        self.heard = False  # whether the last wait ended because of what was said

    async def handle(self, end: End, event: bytes) -> None:
        self.order.append(event[:20])
        if event == b"hear":
            await self.listen(end)
            self.order.append(b"heard" if self.heard else b"in vain")
        if event == b"last":
            end.say(b"done")

    async def listen(self, end: End) -> None:
        now = asyncio.get_running_loop().create_future()

        def take(event: bytes) -> bool:
            if event == b"now" and not now.done():
                now.set_result(None)
            return event == b"now"

        self.waiting += 1
        async with asyncio.timeout(LIMIT):
            await end.connection.hear(take, now)
        self.heard = now.done()
        now.cancel()

    def end(self) -> End:
        return End(self.handle, feed=Lines())


async def told(*said: bytes) -> list[bytes]:
    """The order in which it was handled; each of `said` is sent when one more has waited."""
    scene = Listening()
    async with serving(scene.end) as (port, _), running(End(), port) as client:
        for number, data in enumerate(said):
            await eventually(lambda number=number: scene.waiting >= number)
            client.say(data)
        await client.read(4)
    return scene.order


async def test_others_keep_their_order() -> None:
    order = await told(b"a\nhear\nb\n", b"c\nnow\nlast\n")
    assert order == [b"a", b"hear", b"heard", b"b", b"c", b"last"]


async def test_what_was_read_already_is_looked_at_first() -> None:
    assert await told(b"hear\na\nnow\nlast\n") == [b"hear", b"heard", b"a", b"last"]


async def test_one_wait_after_another() -> None:
    """What the first has kept for later is not offered to the second."""
    order = await told(b"hear\na\nhear\nb\n", b"c\nnow\n", b"now\nd\nlast\n")
    assert order == [b"hear", b"heard", b"a", b"hear", b"heard", b"b", b"c", b"d", b"last"]


async def test_so_many_and_no_more() -> None:
    """Then the wait is in vain, and another one in its turn is not."""
    many = 2 * ahead.EVENTS
    scene = Listening()
    async with serving(scene.end) as (port, _), running(End(), port) as client:
        client.say(b"hear\n")
        await eventually(lambda: scene.waiting)
        client.say((b"x" * 50 + b"\n") * many + b"now\nlast\n")
        await client.read(4)
        assert scene.order[:2] == [b"hear", b"in vain"]
        assert scene.order[2:] == [b"x" * 20] * many + [b"now", b"last"]
        client.say(b"hear\nnow\nlast\n")
        await client.read(8)
        assert scene.order[-3:] == [b"hear", b"heard", b"last"]


async def test_what_was_handled_counts_no_more() -> None:
    most = (b"x" * 1000 + b"\n") * (ahead.OCTETS // 1500)
    order = await told(b"hear\n", most + b"now\nhear\n", most + b"now\nhear\n", b"now\nlast\n")
    assert order.count(b"heard") == 3


async def test_nothing_is_read_while_it_is_far_ahead() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    scene = Listening()

    async def handle(end: End, event: bytes) -> None:
        if event == b"hear":
            await scene.listen(end)
            begun.set()
            await go_on.wait()
        if event == b"last":
            end.say(b"done")

    async with (
        serving(lambda: End(handle, feed=Lines())) as (port, ends),
        running(End(), port) as client,
    ):
        client.say(b"hear\n")
        await eventually(lambda: scene.waiting)
        client.say((b"x" * 1000 + b"\n") * 4000 + b"last\n")
        async with asyncio.timeout(LIMIT):
            await begun.wait()
        assert not scene.heard
        assert ends[0].connection.bytes_in <= ahead.OCTETS + READ_SIZE + len(b"hear\n")
        go_on.set()
        await client.read(4)


async def test_the_peer_ends_its_side() -> None:
    """It says no more: what it said is handled, and nobody waits for it."""
    scene = Listening()
    async with serving(scene.end) as (port, ends), running(End(), port) as client:
        client.say(b"hear\n")
        await eventually(lambda: scene.waiting)
        client.say(b"a\nhear\n")
        client.connection.close()
        await eventually(lambda: ends[0].connection.is_closing)
    assert scene.order == [b"hear", b"in vain", b"a", b"hear", b"in vain"]


async def test_the_peer_is_gone() -> None:
    scene = Listening()
    async with serving(scene.end) as (port, _), running(End(), port) as client:
        client.say(b"hear\n")
        await eventually(lambda: scene.waiting)
        reset(client)
        await eventually(lambda: len(scene.order) == 2)
    assert scene.order == [b"hear", b"in vain"]


async def test_it_is_closed_meanwhile() -> None:
    """What was kept for later is dropped, as what was read and not handled is."""
    scene = Listening()
    async with serving(scene.end) as (port, ends), running(End(), port) as client:
        client.say(b"hear\n")
        await eventually(lambda: scene.waiting)
        client.say(b"a\n" * 10)
        await eventually(lambda: ends[0].connection.bytes_in == 25)
        ends[0].connection.close()
        await eventually(lambda: len(scene.order) == 2)
    assert scene.order == [b"hear", b"in vain"]


async def test_who_takes_may_close_it() -> None:
    """What is behind that is dropped too."""
    seen: list[bytes] = []

    async def handle(end: End, event: bytes) -> None:
        seen.append(event)
        if event == b"hear":

            def take(event: bytes) -> bool:
                if event == b"close":
                    end.connection.close()
                return event == b"close"

            never = asyncio.get_running_loop().create_future()
            await end.connection.hear(take, never)
            seen.append(b"over")

    async with (
        serving(lambda: End(handle, feed=Lines())) as (port, _),
        running(End(), port) as client,
    ):
        client.say(b"hear\na\nclose\nb\n")
        await eventually(lambda: b"over" in seen)
    assert seen == [b"hear", b"over"]


async def test_in_no_handler_nothing_is_out_of_its_turn() -> None:
    """A task of somebody's may wait as well: then events are handled as they come."""
    scene = Listening()
    async with serving(scene.end) as (port, ends), running(End(), port) as client:
        await eventually(lambda: ends)
        task = asyncio.create_task(scene.listen(ends[0]))
        await eventually(lambda: scene.waiting)
        client.say(b"a\nnow\n")
        await eventually(lambda: len(scene.order) == 2)
        assert not task.done()
        client.connection.abort()
        await asyncio.wait_for(task, LIMIT)
    assert scene.order == [b"a", b"now"]
