"""The examples of docs/how-to/client-rooms.md do what the page says."""

import ast
import asyncio
import inspect
import re
from pathlib import Path

import pytest

from pyrite.client.app import Client
from pyrite.client.mod.avatars import Avatars
from pyrite.client.mod.bookmarks import Bookmarks
from pyrite.client.mod.muc import Muc
from pyrite.client.mod.pep import Pep
from pyrite.wire.ping import Ping
from pyrite.wire.tune import Tune

from .conftest import PATIENCE, Login

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "client-rooms.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$\n\n```text\n(.*?)^```$", re.M | re.S)
BLOCKS = [(found[1], found[2]) for found in BLOCK.finditer(PAGE.read_text())]


def test_every_example_is_run() -> None:
    assert len(BLOCKS) == PAGE.read_text().count("```python\n") > 5


async def publish_again(me: Client, text: str) -> None:
    """ejabberd 23 tells only what is published once it knows that we want it."""
    while "subscribe(Tune)" in text:
        await me[Pep].publish(Tune(artist="Prokofiev", title="Dance of the Knights"))
        await me.request(Ping())


@pytest.mark.lacks(pyrite="neither rooms nor publish-subscribe are served yet")
@pytest.mark.parametrize(
    ("text", "printed"), BLOCKS, ids=[str(number) for number in range(1, len(BLOCKS) + 1)]
)
async def test_an_example(
    login: Login, capsys: pytest.CaptureFixture[str], text: str, printed: str
) -> None:
    async with (
        login("romeo", features=[Muc, Pep, Bookmarks]) as romeo,
        login("juliet", features=[Muc, Avatars]) as juliet,
        login("admin") as admin,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        code = compile(text, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        again = asyncio.create_task(publish_again(romeo, text))
        result = eval(code, {"romeo": romeo, "juliet": juliet, "admin": admin})
        if inspect.isawaitable(result):
            await result
        again.cancel()
        await asyncio.wait([again])
        assert capsys.readouterr().out == printed
