"""Accepting connections within limits."""

import asyncio
import errno
import logging
import socket
from typing import Any

import pytest

from pyrite.kit.rate import Limit
from pyrite.net import listener
from pyrite.net.listener import Gate, Limits, Listener, listening, network

from .ends import FREELY, LIMIT, End, eventually, running, serving

FAST = Limit(1e6, 1e6)


async def echo(end: End, event: bytes) -> None:
    end.say(event)


async def _is_refused(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello")
        answer = await asyncio.wait_for(reader.read(5), LIMIT)
        writer.close()
    except ConnectionError:
        return True
    return not answer


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(Limits(2, 100, FAST), id="total"),
        pytest.param(Limits(100, 2, FAST), id="per address"),
        pytest.param(Limits(100, 100, Limit(0.001, 2)), id="rate"),
    ],
)
async def test_no_more_than_the_limits(limits: Limits) -> None:
    gate = Gate(limits)
    async with (
        serving(lambda: End(echo), gate=gate) as (port, ends),
        running(End(), port) as one,
        running(End(), port) as two,
    ):
        assert await _is_refused(port)
        assert gate.refused == 1
        assert gate.total == 2
        for end in (one, two):
            end.say(b"hello")
            await end.read(5)
        assert len(ends) == 2
    assert gate.total == 0


async def test_there_is_room_again_when_one_leaves() -> None:
    gate = Gate(Limits(1, 1, FAST))
    async with serving(lambda: End(echo), gate=gate) as (port, _):
        for _ in range(3):
            async with running(End(), port) as end:
                end.say(b"hello")
                await end.read(5)
            await eventually(lambda: gate.total == 0)
    assert gate.refused == 0


async def test_two_listeners_may_share_a_gate() -> None:
    gate = Gate(Limits(1, 1, FAST))
    async with (
        serving(lambda: End(echo), gate=gate) as (one, _),
        serving(lambda: End(echo), gate=gate) as (other, _),
        running(End(), one) as end,
    ):
        end.say(b"hello")
        await end.read(5)
        assert await _is_refused(other)


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"),
        ("2001:db8:0:1::9", "2001:db8:0:1::"),
        ("2001:db8:0:2::9", "2001:db8:0:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_what_counts_as_one_address(address: str, same: str) -> None:
    assert network(address) == same


async def test_all_end_with_the_listener() -> None:
    async with serving(lambda: End(echo)) as (port, ends):
        clients = [End() for _ in range(5)]
        tasks = []
        for client in clients:
            await asyncio.get_running_loop().create_connection(
                lambda client=client: client.connection, "127.0.0.1", port
            )
            tasks.append(asyncio.create_task(client.run()))
            client.say(b"hello")
            await client.read(5)
    await asyncio.wait_for(asyncio.gather(*tasks), LIMIT)
    assert all(end.connection._is_lost for end in ends)
    with pytest.raises(OSError, match=r"(?i)connect"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_bug_in_making_one_refuses_one(caplog: pytest.LogCaptureFixture) -> None:
    bugs = [LookupError("a bug")]

    def make() -> End:
        if bugs:
            raise bugs.pop()
        return End(echo)

    gate = Gate(FREELY)
    async with listening(make, "127.0.0.1", gate=gate) as port:
        assert await _is_refused(port)
        assert [record.getMessage() for record in caplog.records] == ["connection refused by a bug"]
        caplog.clear()
        async with running(End(), port) as end:
            end.say(b"hello")
            await end.read(5)
    assert gate.total == 0


async def test_gone_before_it_is_served(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    gate = Gate(FREELY)
    async with serving(lambda: End(echo), gate=gate) as (port, _):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as gone:
                gone.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
                )  # a reset instead of an end
        async with running(End(), port) as end:
            end.say(b"hello")
            await end.read(5)
            await eventually(lambda: gate.total == 1)
    assert not caplog.records


async def test_without_descriptors_it_waits(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "PAUSE", 0.02)
    pauses: list[OSError] = []
    pause = Listener._pause

    def note(self: Listener, listening_socket: Any, error: OSError) -> None:
        pauses.append(error)
        pause(self, listening_socket, error)

    monkeypatch.setattr(Listener, "_pause", note)
    failures = [
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.EHOSTUNREACH, "No route to host"),  # of one peer: no reason to pause
    ]

    class Exhausted(socket.socket):
        def accept(self) -> tuple[socket.socket, Any]:
            if failures:
                raise failures.pop()
            return super().accept()

    monkeypatch.setattr(socket, "socket", Exhausted)
    async with serving(lambda: End(echo)) as (port, _), running(End(), port) as end:
        end.say(b"hello")
        await end.read(5)
    assert [error.errno for error in pauses] == [errno.EMFILE, errno.EMFILE]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    caplog.clear()


async def test_an_address_in_use_is_an_error() -> None:
    async with serving(End) as (port, _):
        with pytest.raises(OSError, match=r"(?i)in use"):
            async with listening(End, "127.0.0.1", port):
                pass


async def test_all_addresses_of_a_host_get_one_port() -> None:
    async with listening(lambda: End(echo), "localhost") as port, running(End(), port) as end:
        end.say(b"hello")
        await end.read(5)


async def test_an_error_in_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError):
        async with serving(End):
            raise LookupError("of the server")
