"""Streams and files between two clients, through every server."""

import asyncio
import os
from pathlib import Path

import pytest

from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files, Ibb, Socks5
from pyrite.client.transfer import TransferRefused, hashed
from pyrite.wire import jingle
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

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


@pytest.mark.parametrize("told", [(), ("127.0.0.1",)], ids=["proxy-or-stanzas", "direct"])
async def test_the_rest_of_a_file(login: Login, tmp_path: Path, told: tuple[str, ...]) -> None:
    """Offered again after it was cut off, and the rest of the rest asked for."""
    path, got = tmp_path / "letter.txt", tmp_path / "got"
    await asyncio.to_thread(path.write_bytes, DATA)
    async with (
        login("romeo", features=[Disco, Files]) as romeo,
        login("juliet", features=[Disco, Files]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        juliet[Socks5].addresses = told
        (tmp_path / "got.part").write_bytes(DATA[:1000])  # as if it had been cut off there
        offers, steps = juliet[Files].offers(), list[int]()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(romeo[Files].send(path, juliet.jid, hash_later=True))
            offer = await offers.next()
            await offer.accept(got, resume=True, progress=lambda done, _: steps.append(done))
        assert steps[0] > 1000
        assert got.read_bytes() == DATA

        requests = romeo[Files].requests()
        (tmp_path / "asked.part").write_bytes(DATA[:2000])
        whole = jingle.File(hashes=(await hashed(path, "sha-512"),))
        piece = jingle.File(name="letter.txt", range=jingle.Range(256, 512))
        async with asyncio.TaskGroup() as tasks:
            fetching = juliet[Files].fetch(whole, romeo.jid, tmp_path / "asked", resume=True)
            tasks.create_task(fetching)
            await (await requests.next()).send(path)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(juliet[Files].fetch(piece, romeo.jid, tmp_path / "piece"))
            await (await requests.next()).send(path)
        assert (tmp_path / "asked").read_bytes() == DATA
        assert (tmp_path / "piece").read_bytes() == DATA[256:768]


@pytest.mark.parametrize("told", [(), ("127.0.0.1",)], ids=["proxy-or-stanzas", "direct"])
async def test_several_files_at_once(login: Login, tmp_path: Path, told: tuple[str, ...]) -> None:
    paths = [tmp_path / name for name in ("one", "two", "three")]
    for path in paths:
        path.write_bytes(path.name.encode() * 2000)
    async with (
        login("romeo", features=[Disco, Files]) as romeo,
        login("juliet", features=[Disco, Files]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        romeo[Socks5].addresses = juliet[Socks5].addresses = told
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send_all(paths, juliet.jid))
        there = [await offers.next() for _ in paths]
        _, _, last = await asyncio.gather(
            there[0].accept(tmp_path / "got-one"),
            there[1].decline(),
            there[2].accept(tmp_path / "got-three"),
        )
        ends = await sending
        assert [ends[path] is None for path in paths] == [True, False, True]
        assert last.read_bytes() == paths[2].read_bytes()


async def test_called_off_by_either(login: Login, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    await asyncio.to_thread(path.write_bytes, DATA * 50)
    async with (
        login("romeo", features=[Disco, Files]) as romeo,
        login("juliet", features=[Disco, Files]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        offers, begun = juliet[Files].offers(), asyncio.Event()

        def begin(*_: object) -> None:
            begun.set()

        sending = asyncio.create_task(romeo[Files].send(path, juliet.jid))
        taking = asyncio.create_task((await offers.next()).accept(tmp_path / "got", progress=begin))
        await begun.wait()
        taking.cancel()
        with pytest.raises(TransferRefused, match="cancel"):
            await sending
        with pytest.raises(asyncio.CancelledError):
            await taking  # until nothing of it is left

        begun.clear()
        sending = asyncio.create_task(romeo[Files].send(path, juliet.jid))
        taking = asyncio.create_task((await offers.next()).accept(tmp_path / "got", progress=begin))
        await begun.wait()
        sending.cancel()
        with pytest.raises(TransferRefused, match="cancel"):
            await taking
        assert sorted(os.listdir(tmp_path)) == ["letter.txt"]
