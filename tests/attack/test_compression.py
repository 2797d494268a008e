"""Attack 3: what a few octets can become. Nothing is compressed here, so nothing can burst."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import VERONA, serving

from pyrite.core.xml import write

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

NS = "http://jabber.org/protocol/compress"


@pytest.mark.parametrize("method", ["zlib", "lzw", ""])
async def test_compression_is_neither_offered_nor_begun(method: str, tmp_path: Path) -> None:
    """XEP-0138 in each phase; TLS has none either (`tests/unit/net`)."""
    asked = f"<compress xmlns='{NS}'><method>{method}</method></compress>"
    async with serving(tmp_path, clear=True) as service:
        for phase in ("before", "authenticated", "bound"):
            client = await service.connect()
            features = await client.open(VERONA)
            if phase != "before":
                await client.plain("romeo")
                features = await client.open(VERONA)
            assert "compress" not in write(features)
            if phase == "bound":
                await client.bind("a")
            await client.send(asked)
            await client.ends_with("unsupported-stanza-type")
