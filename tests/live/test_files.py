"""Streams and files between two clients, through every server."""

import asyncio
from pathlib import Path

import pytest

from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files, Ibb, Socks5
from pyrite.wire.ping import Ping

from .conftest import Login

PATIENCE = 15.0
DATA = bytes(range(256)) * 50


async def test_octets_in_stanzas(login: Login) -> None:
    data = bytes(range(256)) * 100
    async with (
        login("romeo", features=[Ibb]) as romeo,
        login("juliet", features=[Ibb]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        streams = juliet[Ibb].streams()
        async with await romeo[Ibb].open(juliet.jid) as his:
            hers = await streams.next()
            await his.write(data)
        got = b""
        while chunk := await hers.read():
            got += chunk
        assert got == data


@pytest.mark.lacks(pyrite="no proxy yet")
async def test_octets_through_the_servers_proxy(login: Login) -> None:
    data = bytes(range(256)) * 2000
    async with (
        login("romeo", features=[Socks5]) as romeo,
        login("juliet", features=[Socks5]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        assert await romeo[Socks5].proxies()
        streams = juliet[Socks5].streams()
        async with await romeo[Socks5].open(juliet.jid) as his, await streams.next() as hers:
            await hers.write(b"back")
            assert await his.read() == b"back"

            async def write() -> None:
                await his.write(data)
                await his.close()  # COMPAT: Prosody's proxy holds the last 4096 octets until then

            writing = asyncio.create_task(write())
            got = b""
            while chunk := await hers.read():
                got += chunk
            await writing
        assert got == data


async def test_octets_from_client_to_client(login: Login) -> None:
    async with (
        login("romeo", features=[Socks5]) as romeo,
        login("juliet", features=[Socks5]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        romeo[Socks5].addresses = ("127.0.0.1",)
        streams = juliet[Socks5].streams()
        async with await romeo[Socks5].open(juliet.jid) as his, await streams.next() as hers:
            await his.write(b"direct")
            assert await hers.read() == b"direct"


@pytest.mark.parametrize("told", [(), ("127.0.0.1",)], ids=["proxy-or-stanzas", "direct"])
async def test_a_file_from_client_to_client(
    login: Login, tmp_path: Path, told: tuple[str, ...]
) -> None:
    path = tmp_path / "letter.txt"
    await asyncio.to_thread(path.write_bytes, DATA)
    async with (
        login("romeo", features=[Disco, Files]) as romeo,
        login("juliet", features=[Disco, Files]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        romeo[Socks5].addresses = told
        offers = juliet[Files].offers()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(romeo[Files].send(path, juliet.jid))
            offer = await offers.next()
            await offer.accept(tmp_path / offer.peer.domain)
    assert await asyncio.to_thread((tmp_path / "verona.example").read_bytes) == DATA
