"""Streams in stanzas between two of our clients, and what a wrong peer gets."""

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import MALLORY, serving
from tests.unit.client.pair import client, pair

from pyrite.client.bytestream import StreamBroken
from pyrite.client.mod.files import ibb as module
from pyrite.client.mod.files.ibb import Ibb
from pyrite.client.mod.ping import Ping as Pings
from pyrite.core.errors import StanzaError
from pyrite.core.payload import encode
from pyrite.core.stanza import Message
from pyrite.wire import ibb
from pyrite.wire.ping import Ping


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
        # both may close it at once, and neither is told that there was none
        await juliet.request(ibb.Close(his.sid), romeo.jid, type="set")
        with pytest.raises(StanzaError, match="item-not-found"):
            await juliet.request(ibb.Close("another"), romeo.jid, type="set")


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


async def test_a_block_that_waits_holds_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUFFERED", 6)
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb, Pings) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        await romeo.request(ibb.Open("s", 4), juliet.jid, type="set")
        hers = await streams.next()
        # one who does not wait for answers: what does not fit is kept in order all the same
        blocks = (b"abcd", b"efgh", b"i", b"jkl")
        waiting = [
            asyncio.create_task(romeo.request(ibb.Data("s", number, block), juliet.jid, type="set"))
            for number, block in enumerate(blocks)
        ]
        await waiting[0]
        closing = asyncio.create_task(romeo.request(ibb.Close("s"), juliet.jid, type="set"))
        await romeo.request(Ping(), juliet.jid)
        assert not any(one.done() for one in (*waiting[1:], closing))
        got = b""
        while chunk := await hers.read(3):
            got += chunk
        assert got == b"".join(blocks)
        await asyncio.gather(*waiting, closing)


async def test_more_blocks_than_may_be_on_their_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUFFERED", 4)
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        await romeo.request(ibb.Open("s", 4), juliet.jid, type="set")
        hers = await streams.next()
        waiting = [
            asyncio.create_task(
                romeo.request(ibb.Data("s", number, b"abcd"), juliet.jid, type="set")
            )
            for number in range(module.MOST_BLOCKS + 2)
        ]
        with pytest.raises(StanzaError, match="resource-constraint"):
            await waiting[-1]
        assert await hers.read() == b"abcd"
        with pytest.raises(StreamBroken, match="on its way"):
            await hers.read()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert ended[0] is not None
        assert all(isinstance(one, StanzaError) for one in ended[1:])


async def test_two_streams_of_one_name(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        his = await romeo[Ibb].open(juliet.jid, "s")
        hers = await streams.next()
        with pytest.raises(StanzaError, match="conflict"):
            await romeo[Ibb].open(juliet.jid, "s")
        with pytest.raises(StanzaError, match="not-acceptable"):
            await romeo.request(ibb.Open("s", 4), juliet.jid, type="set")
        with pytest.raises(StanzaError, match="conflict"):
            juliet[Ibb].expect(romeo.jid, "s")
        await his.write(b"still there")
        assert await hers.read() == b"still there"


async def test_a_stream_is_its_openers_alone(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        client(service, MALLORY) as mallory,
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()
        his = await romeo[Ibb].open(juliet.jid, "s")
        hers = await streams.next()
        for stolen in (ibb.Data("s", 0, b"forged"), ibb.Close("s")):
            with pytest.raises(StanzaError, match="item-not-found"):
                await mallory.request(stolen, juliet.jid, type="set")
        await his.write(b"his")
        assert await hers.read() == b"his"


async def test_larger_blocks_than_were_agreed(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Ibb) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        expected = juliet[Ibb].expect(romeo.jid, "s", 1000)
        with pytest.raises(StanzaError, match="resource-constraint"):
            await romeo.request(ibb.Open("s", 1001), juliet.jid, type="set")
        his = await romeo[Ibb].open(juliet.jid, "s", 2000)
        assert his.block == (await expected).block == 1000


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
