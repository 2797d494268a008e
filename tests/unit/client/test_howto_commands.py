"""The examples of docs/how-to/client-commands.md, which are well typed as those of rooms are."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.peer import PATIENCE

from pyrite.client.api import Commands, Disco
from pyrite.client.testing import MemoryServer

DOCS = Path(__file__).parents[3] / "docs" / "how-to"
PAGE = DOCS / "client-commands.md"
ROOMS = DOCS / "client-rooms-cookbook.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)

ORDER, SHOP, ADMINISTER, FORMS = BLOCK.findall(PAGE.read_text())


def load(text: str) -> ModuleType:
    module = ModuleType("example")
    exec(compile(text, str(PAGE), "exec"), module.__dict__)
    return module


async def test_a_shop() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["romeo", "juliet"]) as srv,
        srv.client("romeo", features=[Commands, Disco]) as romeo,
        srv.client("juliet", features=[Commands]) as juliet,
    ):
        load(SHOP).open_shop(romeo)
        assert await load(ORDER).order(juliet, str(romeo.jid)) == [
            "cake is not one of the options",
            "count 100 is not between 1 and 9",
            "2 of apple",
        ]


def test_a_form() -> None:
    wrong = load(FORMS).try_it(load(SHOP).CAKES)
    assert wrong == {"count": "not an integer: 'many'"}


@pytest.mark.parametrize("page", [PAGE, ROOMS], ids=lambda page: page.stem)
def test_examples_are_well_typed(page: Path, tmp_path: Path) -> None:
    for number, text in enumerate(BLOCK.findall(page.read_text())):
        (tmp_path / f"example_{number}.py").write_text(text)
    files = [str(path) for path in sorted(tmp_path.glob("*.py"))]
    assert files
    options = ["--strict", "--disallow-any-unimported", "--no-incremental", "--config-file="]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
