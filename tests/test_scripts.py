"""Every story, in memory, with the handlers of each stage in several orders."""

from pathlib import Path

import pytest

from .scene import in_memory
from .stage import Script, play

SCRIPTS = sorted(Path(__file__).parent.glob("script/*.xmpp"))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_script(path: Path, seed: int, tmp_path: Path) -> None:
    script = Script.load(path)
    async with in_memory(script, tmp_path, seed) as scene:
        await play(script, scene)
