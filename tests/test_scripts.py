"""Every story, in memory and over sockets, with the handlers of each stage in several orders."""

from pathlib import Path

import pytest

from .scene import in_memory, over_sockets
from .stage import Script, play

SCRIPTS = sorted(Path(__file__).parent.glob("script/*.xmpp"))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_in_memory(path: Path, seed: int, tmp_path: Path) -> None:
    script = Script.load(path)
    async with in_memory(script, tmp_path, seed) as scene:
        await play(script, scene)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_over_sockets(path: Path, tmp_path: Path) -> None:
    script = Script.load(path)
    async with over_sockets(script, tmp_path, seed=len(path.stem)) as scene:
        await play(script, scene)
