"""The examples of docs/how-to/client-connect.md can be made, and name only what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.service import ROMEO

from pyrite.client import api

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "client-connect.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
NAMED = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.M)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
async def test_an_example(tmp_path: Path, block: str) -> None:
    names: dict[str, Any] = {
        "jid": ROMEO,
        "JID": api.JID,
        "password": "x",
        "certificate": tmp_path / "a.pem",
        "key": tmp_path / "b.pem",
        "token": lambda: "token",
        "folder": tmp_path,
    }
    wrapped = block.replace("async with Client(", "if Client(").replace(") as me:", "):")
    exec(compile(wrapped, str(PAGE), "exec"), names)


def test_errors_are_those_that_programs_see() -> None:
    assert len(NAMED) == 6
    for name in NAMED:
        assert issubclass(getattr(api, name), Exception)
