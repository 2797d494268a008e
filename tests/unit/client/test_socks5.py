"""Streams over connections of their own, on loopback, and what a wrong peer gets."""

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import JULIET, ROMEO, serving
from tests.unit.client.pair import pair

from pyrite.client import socks
from pyrite.client.mod.files.socks5 import Socks5, reach
from pyrite.core.errors import StanzaError
from pyrite.wire import socks5


async def test_octets_both_ways(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    async with (
        serving(tmp_path) as service,
        pair(service, Socks5) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        romeo[Socks5].addresses = ("127.0.0.1",)
        streams = juliet[Socks5].streams()
        async with await romeo[Socks5].open(juliet.jid) as his, await streams.next() as hers:
            assert (hers.peer, his.peer) == (romeo.jid, juliet.jid)
            writing = asyncio.create_task(his.write(data))
            got = b""
            while len(got) < len(data):
                got += await hers.read()
            await writing
            assert got == data
            await hers.write(b"back")
            assert await his.read() == b"back"
            await his.close()
            assert await hers.read() == b""


async def test_refused(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Socks5) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        romeo[Socks5].addresses = ("127.0.0.1",)
        with pytest.raises(StanzaError, match="not-acceptable"):
            await romeo[Socks5].open(juliet.jid)
        with pytest.raises(StanzaError, match="bad-request"):
            await romeo.request(socks5.Query("s"), juliet.jid, type="set")
        streams = juliet[Socks5].streams()
        async with socks.listening(("127.0.0.1",)) as listener:
            ((host, port),) = listener.ports
            hosts = (socks5.StreamHost(romeo.jid, host, port),)
            with pytest.raises(StanzaError, match="item-not-found"):  # it expects no such name
                await romeo.request(socks5.Query("s", hosts=hosts), juliet.jid, type="set")
            for name in ("é", "x" * 256):
                query = socks5.Query("s", dstaddr=name, hosts=hosts)
                with pytest.raises(StanzaError, match="bad-request"):
                    await romeo.request(query, juliet.jid, type="set")
        with pytest.raises(StanzaError, match="item-not-found"):  # nobody is there any more
            await romeo.request(socks5.Query("s", hosts=hosts), juliet.jid, type="set")
        with pytest.raises(StanzaError, match="not-acceptable"):
            await romeo.request(socks5.Query("s", "udp", hosts=hosts), juliet.jid, type="set")
        streams.close()


async def test_hosts_that_say_nothing_keep_nobody_from_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is tried a little after the one before, and none is waited for (XEP-0260 §4)."""
    monkeypatch.setattr(socks, "CONNECTING", 2 * PATIENCE)  # which this does not last
    name, mute = "a" * 40, asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await mute.wait()
        writer.transport.abort()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    address, port = silent.sockets[0].getsockname()
    nobody = socks5.StreamHost(ROMEO, address, port)
    async with asyncio.timeout(PATIENCE), socks.listening(("127.0.0.1",)) as listener:
        arriving = listener.expect(name)
        proxy = socks5.StreamHost(JULIET, *listener.ports[0])
        used, (_, writer) = await reach((nobody, nobody, nobody, nobody, proxy), name)
        assert used == proxy
        (await arriving)[1].transport.abort()
        writer.transport.abort()
    mute.set()
    silent.close()


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b"\x04\x01\x00", b"\x05\xff"),  # another version
        (b"\x05\x01\x02", b"\x05\xff"),  # only with a password
        (b"\x05\x01\x00\x05\x02\x00\x03\x01a\x00\x00", b"\x05\x00" + socks5.refused()),  # BIND
        (b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x00", b"\x05\x00" + socks5.refused()),
        (b"\x05\x01\x00\x05\x01\x00\x03\x01a\x00\x00", b"\x05\x00" + socks5.refused()),
        (b"\x05\x01\x00\x05\x01\x00\x03\x01\xff\x00\x00", b"\x05\x00"),  # no text
    ],
)
async def test_our_own_host_lets_nobody_else_in(said: bytes, heard: bytes) -> None:
    async with socks.listening(("127.0.0.1",)) as listener, asyncio.timeout(PATIENCE):
        expected = listener.expect("b")
        reader, writer = await asyncio.open_connection(*listener.ports[0])
        writer.write(said)
        got = b""
        while len(got) < len(heard):
            chunk = await reader.read(100)
            assert chunk, got
            got += chunk
        assert got == heard
        assert not expected.done()
        writer.transport.abort()


async def test_a_name_is_good_for_one_connection() -> None:
    async with socks.listening(("127.0.0.1",)) as listener, asyncio.timeout(PATIENCE):
        expected = listener.expect("name")
        host, port = listener.ports[0]
        _, first = await socks.connect(host, port, "name")
        _, other = await expected
        with pytest.raises(OSError, match="refuses"):
            await socks.connect(host, port, "name")
        await asyncio.gather(socks.close(first), socks.close(other))


async def test_a_host_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socks, "CONNECTING", 0.05)
    over = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError):
            await socks.connect("127.0.0.1", port, "name")
        over.set()
