"""The examples of docs/how-to/client-files.md do what the page says."""

import ast
import asyncio
import inspect
import re
from collections.abc import Coroutine
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pyrite.client.app import Client
from pyrite.client.mod.bob import Bob
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files, Ibb
from pyrite.client.mod.upload import Upload
from pyrite.client.transfer import TransferRefused
from pyrite.core.errors import StanzaError
from pyrite.wire import jingle
from pyrite.wire.hashes import Hash
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login
from .test_upload import NONE, Here

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "client-files.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.M | re.S)
BLOCKS = [(found[1], found[2] or "") for found in BLOCK.finditer(PAGE.read_text())]
BY_SERVER = [block for block in BLOCKS if "Upload" in block[0]]
OTHERS = [block for block in BLOCKS if "Upload" not in block[0]]
LETTER = b"But soft!"
HASH = sha256(LETTER).digest()


def test_every_example_is_run() -> None:
    assert len(BY_SERVER) == 2
    assert len(OTHERS) >= 8
    assert sum(bool(printed) for _, printed in BLOCKS) >= 7


async def share_again(romeo: Client, juliet: Client, folder: Path) -> None:
    """Until she listens."""
    while True:
        await romeo[Upload].send(folder / "letter.txt", juliet.jid.bare)
        await romeo.request(Ping())


async def send_again(romeo: Client, juliet: Client, folder: Path) -> None:
    """Until she goes through offers."""
    while True:
        with suppress(TransferRefused):
            return await romeo[Files].send(folder / "letter.txt", juliet.jid)


async def ask_again(romeo: Client, juliet: Client, folder: Path) -> None:
    """Until he goes through requests."""
    wanted = jingle.File(hashes=(Hash("sha-256", HASH),))
    while True:
        with suppress(TransferRefused):
            await juliet[Files].fetch(wanted, romeo.jid, folder / "asked")
            return


async def open_again(romeo: Client, juliet: Client, _: Path) -> None:
    """Until she listens to streams."""
    while True:
        with suppress(StanzaError):
            stream = await romeo[Ibb].open(juliet.jid)
            break
    await stream.write(LETTER)
    assert await stream.read() == b"You said: But soft!"


async def accept(_: Client, juliet: Client, folder: Path) -> None:
    offer = await juliet[Files].offers().next()
    await offer.accept(folder / "accepted")


async def give(romeo: Client, _: Client, folder: Path) -> None:
    await (await romeo[Files].requests().next()).send(folder / "letter.txt")


async def echo(_: Client, juliet: Client, __: Path) -> None:
    stream = await juliet[Ibb].streams().next()
    await stream.write(b"You said: " + await stream.read())


#: What an example does, and what the other one does meanwhile.
MEANWHILE: dict[str, Any] = {
    "juliet.hear(FileShared)": share_again,
    "juliet[Files].offers()": send_again,
    "romeo[Files].requests()": ask_again,
    "juliet[Ibb].streams()": open_again,
    "romeo[Files].send(": accept,
    "juliet[Files].fetch(": give,
    "romeo[Ibb].open(": echo,
}


def other_side(text: str, romeo: Client, juliet: Client, folder: Path) -> Coroutine[Any, Any, Any]:
    for sign, play in MEANWHILE.items():
        if sign in text:
            part: Coroutine[Any, Any, Any] = play(romeo, juliet, folder)
            return part
    return asyncio.sleep(0)


async def run(
    text: str, printed: str, login: Login, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "letter.txt").write_bytes(LETTER)
    features = [Disco, Files, Upload, Bob]
    async with (
        login("romeo", features=features) as romeo,
        login("juliet", features=features) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        romeo[Upload].resolver = juliet[Upload].resolver = Here()
        code = compile(text, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        meanwhile = asyncio.create_task(other_side(text, romeo, juliet, folder))
        await asyncio.sleep(0)
        names = {"romeo": romeo, "juliet": juliet, "folder": folder, "sha256": HASH}
        result = eval(code, names)
        if inspect.isawaitable(result):
            await result
        if "hear(FileShared)" in text:
            meanwhile.cancel()
        with suppress(asyncio.CancelledError):
            await meanwhile
        assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    ("text", "printed"), OTHERS, ids=[str(number) for number in range(1, len(OTHERS) + 1)]
)
async def test_an_example(
    login: Login, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, printed: str
) -> None:
    await run(text, printed, login, tmp_path, capsys)


@pytest.mark.lacks(pyrite=NONE)
@pytest.mark.parametrize(
    ("text", "printed"), BY_SERVER, ids=[str(number) for number in range(1, len(BY_SERVER) + 1)]
)
async def test_an_example_by_the_server(
    login: Login, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, printed: str
) -> None:
    await run(text, printed, login, tmp_path, capsys)
