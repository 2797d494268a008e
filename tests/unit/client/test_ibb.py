"""Streams in stanzas between two of our clients, and what a wrong peer gets."""

import asyncio
from pathlib import Path

import pytest
from tests.service import serving
from tests.unit.client.pair import PATIENCE, pair

from pyrite.client.bytestream import StreamBroken
from pyrite.client.mod.files import ibb as module
from pyrite.client.mod.files.ibb import Ibb
from pyrite.core.errors import StanzaError
from pyrite.core.payload import encode
from pyrite.core.stanza import Message
from pyrite.wire import ibb


async def test_octets_both_ways(tmp_path: Path) -> None:
    data = bytes(range(256)) * 100
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        async with await romeo[Ibb].open(juliet.jid, block=1000) as his:
            hers = await streams.next()
            assert (hers.peer, hers.block) == (romeo.jid, 1000)
            await his.write(data)
            await hers.write(b"back")
            assert await his.read() == b"back"
        got = b""
        while chunk := await hers.read(777):
            got += chunk
        assert got == data
        assert await hers.read() == b""
        with pytest.raises(StreamBroken):
            await hers.write(b"after the end")
        with pytest.raises(StreamBroken):
            await his.write(b"after the end")


async def test_refused_while_nobody_listens(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, pair(service, Ibb) as (romeo, juliet):
        with pytest.raises(StanzaError, match="not-acceptable"):
            await romeo[Ibb].open(juliet.jid)
        juliet[Ibb].streams().close()
        with pytest.raises(StanzaError, match="not-acceptable"):
            await romeo[Ibb].open(juliet.jid)
        with pytest.raises(StanzaError, match="item-not-found"):
            await romeo.request(ibb.Data("no", 0, b"1"), juliet.jid, type="set")
        with pytest.raises(StanzaError, match="item-not-found"):
            await romeo.request(ibb.Close("no"), juliet.jid, type="set")


@pytest.mark.parametrize(
    ("block", "condition"),
    [
        (ibb.Data("s", 1, b"1"), "unexpected-request"),
        (ibb.Data("s", 0, b"12345"), "bad-request"),
    ],
)
@pytest.mark.parametrize("kind", ["iq", "message"])
async def test_a_wrong_block_ends_the_stream(
    tmp_path: Path, block: ibb.Data, condition: str, kind: str
) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        await romeo.request(ibb.Open("s", 4), juliet.jid, type="set")
        hers = await streams.next()
        if kind == "iq":
            with pytest.raises(StanzaError, match=condition):
                await romeo.request(block, juliet.jid, type="set")
        else:
            await romeo.send(Message("normal", juliet.jid, payloads=(encode(block),)))
        with pytest.raises(StreamBroken, match=condition):
            await hers.read()


async def test_blocks_in_messages(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        await romeo.request(ibb.Open("s", 4, "message"), juliet.jid, type="set")
        hers = await streams.next()
        for number in range(3):
            block = ibb.Data("s", number, b"%d" % number)
            await romeo.send(Message("normal", juliet.jid, payloads=(encode(block),)))
        got = b""
        while len(got) < 3:
            got += await hers.read()
        assert got == b"012"


async def test_numbers_begin_again(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        his = await romeo[Ibb].open(juliet.jid, block=1)
        hers = await streams.next()
        his._sent = hers._heard = ibb.NUMBERS - 1  # as after 65535 blocks
        await his.write(b"ab")
        assert await hers.read() == b"ab"
        assert hers._heard == 1
        assert his._sent == 1


async def test_a_program_that_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOM", 0.01)
    monkeypatch.setattr(module, "BUFFERED", 1000)
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        his = await romeo[Ibb].open(juliet.jid, block=600)
        hers = await streams.next()
        with pytest.raises(StreamBroken, match="resource-constraint"):
            await his.write(bytes(1200))
        assert len(await hers.read()) == 600
        with pytest.raises(StreamBroken, match="not read in time"):
            await hers.read()


async def test_smaller_blocks_where_they_are_wanted(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, also=[Ibb]) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        asked = []

        @juliet.serve("set", ibb.Open)
        def answer(request):  # type: ignore[no-untyped-def]
            asked.append(request.payload.block_size)
            if request.payload.block_size > 1024:
                raise StanzaError("resource-constraint", type="modify")

        his = await romeo[Ibb].open(juliet.jid)
        assert his.block == 1024
        assert asked == [4096, 2048, 1024]


async def test_streams_end_with_the_client(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        async with pair(service, Ibb) as (romeo, juliet):
            streams = juliet[Ibb].streams()
            await romeo[Ibb].open(juliet.jid)
            hers = await streams.next()
        with pytest.raises(StreamBroken, match="closed"):
            await hers.read()
        with pytest.raises(StopAsyncIteration):
            await streams.next()
