"""The examples for who tests programs, and who extends the library; and the very first one."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.peer import PATIENCE

from pyrite.client import api
from pyrite.client.api import Client, StanzaError, decode, encode
from pyrite.client.testing import MemoryServer

ROOT = Path(__file__).parents[3]
FILE = re.compile(r"^\*\*(\w+\.py)\*\*\n\n```python\n(.*?)^```$", re.M | re.S)
FENCE = re.compile(r"^```python$", re.M)
INI = """\
[pytest]
addopts = --strict-markers -W error
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


def files(page: str) -> dict[str, str]:
    """Name -> text, of all that a page shows."""
    text = (ROOT / page).read_text()
    found = dict(FILE.findall(text))
    assert len(found) == len(FENCE.findall(text)), "a file without a name"
    return found


def check_types(folder: Path) -> None:
    """With nothing of the library's that is of any type whatever."""
    strict = ["--strict", "--disallow-any-unimported", "--disallow-any-expr"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *strict, "--no-incremental", "--config-file=", "."],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_programs_are_tested_so(tmp_path: Path) -> None:
    for name, text in files("docs/how-to/client-testing.md").items():
        (tmp_path / name).write_text(text)
    (tmp_path / "pytest.ini").write_text(INI)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=PATIENCE,
    )
    assert "9 passed" in done.stdout, done.stdout + done.stderr


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Modules of another distribution: here, of a folder."""
    for name, text in files("docs/how-to/client-extend.md").items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import calculating  # type: ignore[import-not-found]  # noqa: F401
    import game  # type: ignore[import-not-found]

    yield game
    for name in ("game", "pyrite_dice", "calculating"):
        sys.modules.pop(name, None)


async def test_a_specification_in_one_file_of_ones_own(theirs: Any, tmp_path: Path) -> None:
    dice: ModuleType = sys.modules["pyrite_dice"]
    made = dice.Throw(12, 3)
    assert decode(dice.Throw, encode(made)) == made
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a", features=[dice.Dice, api.Disco]) as a,
        srv.client("b", features=[dice.Dice, api.Disco]) as b,
    ):
        watching = asyncio.create_task(theirs.watch(b))
        await srv.quiet()
        points = await theirs.play(a, b.jid)
        assert await watching == dice.DiceFell(a.jid, points)
        with pytest.raises(StanzaError, match="that is a ball"):
            await a[dice.Dice].ask(b.jid, 1)
        assert await a[api.Disco].supports(b.jid, dice.NS)
    await asyncio.to_thread(check_types, tmp_path)


async def test_what_has_no_feature(theirs: Any) -> None:
    calculating: ModuleType = sys.modules["calculating"]
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a") as a,
        srv.client("b", features=[calculating.Calculating]) as b,
    ):
        await srv.quiet()
        listening = asyncio.create_task(calculating.overheard(b))
        await srv.quiet()
        await calculating.whisper(a, b.jid)
        assert await listening == ("the end of the play", "He dies.")
        assert await calculating.add(a, b.jid, 2, 3, 4) == [9]


async def test_the_first_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """README's, as it is."""
    (text,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    ran: list[Any] = []
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["romeo"], domain="example.net") as srv,
        srv.component("example.com") as theirs,
    ):

        def made(jid: str, password: str) -> Client:
            return srv.client(jid.partition("@")[0], password=password)

        monkeypatch.setattr(api, "Client", made)
        monkeypatch.setattr("getpass.getpass", lambda: "open sesame")
        monkeypatch.setattr(asyncio, "run", ran.append)
        exec(compile(text, "README.md", "exec"), {})
        heard = theirs.messages()
        running = asyncio.create_task(ran[0])
        event = await heard.next()
        assert event.body == "But soft!"
        shown = ""
        while "Ay me!" not in shown:
            await theirs.send(event.reply("Ay me!"))
            await srv.quiet()
            shown += capsys.readouterr().out
        assert shown.startswith("juliet@example.com Ay me!\n")
        running.cancel()
        await asyncio.wait([running])


def test_the_first_example_is_well_typed(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    assert len([line for line in text.splitlines() if line.strip().startswith("await")]) < 6
    (tmp_path / "readme.py").write_text(text)
    check_types(tmp_path)


def test_no_example_for_programs_is_left_out() -> None:
    """Every page with Python in it is read by a test, which is to run all of it."""
    tests = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    pages = [*(ROOT / "docs/how-to").glob("client-*.md"), *(ROOT / "docs/tutorial").glob("*.md")]
    shown = [page.name for page in pages if FENCE.search(page.read_text())]
    assert len(shown) > 10
    assert [name for name in shown if not any(name in test for test in tests)] == []
