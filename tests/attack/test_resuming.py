"""Attack 9: taking over what somebody else has left. Nothing is resumed here, nor kept for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import VERONA, serving

from pyrite.core.xml import write

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

NS = "urn:xmpp:sm:3"


@pytest.mark.parametrize(
    "asked",
    [
        f"<enable xmlns='{NS}' resume='true'/>",
        f"<resume xmlns='{NS}' previd='somebody-elses' h='4294967295'/>",
        f"<a xmlns='{NS}' h='4294967295'/>",
        f"<r xmlns='{NS}'/>",
    ],
)
async def test_resumption_is_neither_offered_nor_begun(asked: str, tmp_path: Path) -> None:
    """XEP-0198 in each phase."""
    async with serving(tmp_path, clear=True) as service:
        for phase in ("before", "authenticated", "bound"):
            client = await service.connect()
            features = await client.open(VERONA)
            if phase != "before":
                await client.plain("romeo")
                features = await client.open(VERONA)
            assert NS not in write(features)
            if phase == "bound":
                await client.bind("a")
            await client.send(asked)
            await client.ends_with("unsupported-stanza-type")
