"""The examples of docs/how-to/client-messages.md do what the page says."""

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PASSWORD, PATIENCE
from tests.service import JULIET, ROMEO, serving

from pyrite.client.account import Trust
from pyrite.client.api import Carbons, Chats, Client, Receipts, Said
from pyrite.client.connector import Tcp
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping

from .pair import client

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "client-messages.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.M | re.S)
BLOCKS = [(found[1], found[2] or "") for found in BLOCK.finditer(PAGE.read_text())]


def robot(juliet: Client) -> None:
    """She says again what she has heard, and wants to know whether he is typing."""

    @juliet.on(Said)
    async def answer(event: Said) -> None:
        sender = event.message.sender
        assert sender is not None
        await juliet.send(sender, f"You said: {event.text}")


async def run(text: str, names: dict[str, Any]) -> None:
    code = compile(text, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.isawaitable(result):
        await result


def test_there_are_examples() -> None:
    assert len(BLOCKS) > 10
    assert sum(bool(printed) for _, printed in BLOCKS) > 5


@pytest.mark.parametrize(
    ("text", "printed"), BLOCKS, ids=[str(number) for number in range(1, len(BLOCKS) + 1)]
)
async def test_an_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, printed: str
) -> None:
    async with (
        serving(tmp_path, host='registration = "open"') as service,
        client(service, ROMEO, Chats, Carbons) as romeo,
        client(service, JULIET, Chats, Receipts) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        robot(juliet)
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        login = {
            "trust": Trust(authorities=service.folder / "ca.pem"),
            "connector": Tcp([Target("127.0.0.1", service.port)]),
        }
        names = {"romeo": romeo, "login": login, "password": PASSWORD, "history": {}}
        await run(text, names)
        assert capsys.readouterr().out == printed
        assert not romeo.forged
