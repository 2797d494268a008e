"""The client library's figures: both sides do what is compared, to its end."""

import asyncio
import subprocess
import sys

import pytest
from tests.peer import PATIENCE


@pytest.mark.parametrize("side", ["pyrite", "slixmpp"])
@pytest.mark.parametrize("scenario", ["room-time", "roster-time"])
@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_a_figure(side: str, scenario: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"bench.client.{side}", scenario, stdout=subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert float(out) > 0
