"""Files by way of the server's HTTP, on the servers that have one."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from pyrite.client.entity import Entity
from pyrite.client.mod.upload import FileShared, NoUploadService, Upload
from pyrite.client.transfer import TooLarge, TransferFailed
from pyrite.net.dns import SystemResolver
from pyrite.wire import sharing
from pyrite.wire.hashes import Hash
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

NONE = "no HTTP File Upload yet"


class Here(SystemResolver):
    """A resolver for which every host is this machine."""

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(socket.AF_INET, ("127.0.0.1", port))]


class HereUpload(Upload):
    """Finds the names of the certificates on loopback."""

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.resolver = Here()


@pytest.mark.lacks(pyrite=NONE)
async def test_a_file_is_shared_and_fetched(login: Login, tmp_path: Path) -> None:
    path = tmp_path / "cool photo.bin"
    path.write_bytes(bytes(range(256)) * 1000)
    steps: list[tuple[int, int | None]] = []
    async with (
        login("romeo", features=[HereUpload]) as romeo,
        login("juliet", features=[HereUpload]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        heard = juliet.hear(FileShared)
        url = await romeo[HereUpload].send(
            path, juliet.jid.bare, progress=lambda done, all: steps.append((done, all))
        )
        assert steps[-1] == (256_000, 256_000)
        assert len(steps) > 1
        event = await heard.next()
        (shared,) = event.files
        assert shared.urls == (url,)
        assert shared.file.name == "cool photo.bin"
        assert shared.sender == romeo.jid
        got = await juliet[HereUpload].fetch(shared, tmp_path / "got")
        assert got.read_bytes() == path.read_bytes()
        with pytest.raises(FileExistsError):
            await juliet[HereUpload].fetch(shared, tmp_path / "got")
        with pytest.raises(TooLarge):
            await juliet[HereUpload].fetch(url, tmp_path / "small", most=255_999)
        wrong = sharing.File(size=256_000, hashes=(Hash("sha-256", b"no"),))
        with pytest.raises(TransferFailed, match="sha-256"):
            await juliet[HereUpload].fetch(type(shared)(wrong, shared.urls), tmp_path / "wrong")
        missing = url.rsplit("/", 2)[0] + "/nothing-here/photo.bin"
        with pytest.raises(TransferFailed, match="404"):
            await juliet[HereUpload].fetch(missing, tmp_path / "missing")
    assert sorted(os.listdir(tmp_path)) == ["cool photo.bin", "got"]


@pytest.mark.lacks(pyrite=NONE)
async def test_several_files_and_the_rest_of_one(login: Login, tmp_path: Path) -> None:
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for path in paths:
        path.write_bytes(path.name.encode() * 10_000)
    async with (
        login("romeo", features=[HereUpload]) as romeo,
        login("juliet", features=[HereUpload]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        heard = juliet.hear(FileShared)
        urls = await romeo[HereUpload].send_all(paths, juliet.jid.bare)
        files = (await heard.next()).files
        assert [shared.urls for shared in files] == [(url,) for url in urls]
        for path, shared in zip(paths, files, strict=True):
            half = path.read_bytes()[:35_000]
            (tmp_path / "got.part").write_bytes(half)  # as if it had been cut off there
            got = await juliet[HereUpload].fetch(shared, tmp_path / "got", resume=True)
            assert got.read_bytes() == path.read_bytes()
            got.unlink()


@pytest.mark.lacks(pyrite=NONE)
async def test_what_is_too_large_is_not_even_begun(login: Login, tmp_path: Path) -> None:
    path = tmp_path / "large"
    async with login("romeo", features=[HereUpload]) as romeo, asyncio.timeout(PATIENCE):
        _, most = await romeo[HereUpload].service()
        assert most is not None
        with path.open("wb") as file:
            file.truncate(most + 1)
        with pytest.raises(TooLarge) as raised:
            await romeo[HereUpload].put(path)
        assert raised.value.most == most


@pytest.mark.lacks(prosody="it has one", ejabberd="it has one")
async def test_a_server_without_a_place(login: Login, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1")
    async with login("romeo", features=[HereUpload]) as romeo, asyncio.timeout(PATIENCE):
        with pytest.raises(NoUploadService):
            await romeo[HereUpload].put(path)
