"""Stores on a real file, already migrated: a copy is quicker than the migrations."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pyrite.kit.clock import ManualClock
from pyrite.server.store import SCHEMA, Stores, open_stores
from pyrite.store.connection import Options, make_file
from pyrite.store.migrate import upgrade

URL = "sqlite:///pyrite.db"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "pyrite.db"
    make_file(path)
    upgrade(path, SCHEMA, Options())
    return path


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A data folder with an empty database."""
    shutil.copy(template, tmp_path)
    return tmp_path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def stores(folder: Path, clock: ManualClock) -> AsyncIterator[Stores]:
    opened = await open_stores(URL, folder, clock)
    yield opened
    await opened.close()
