import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pyrite.kit.clock import ManualClock
from pyrite.server.store import open_stores
from unit.auth.world import World

URL = "sqlite:///pyrite.db"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with all tables and nothing in them."""
    folder = tmp_path_factory.mktemp("store")

    async def make() -> None:
        await (await open_stores(URL, folder, ManualClock())).close()

    asyncio.run(make())
    return folder / "pyrite.db"


@pytest.fixture
async def world(empty_store: Path, tmp_path: Path) -> AsyncIterator[World]:
    shutil.copy(empty_store, tmp_path)
    clock = ManualClock()
    stores = await open_stores(URL, tmp_path, clock)
    yield World(stores, clock)
    await stores.close()
