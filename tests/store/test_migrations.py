"""Databases of every older version open, and those of no version of ours do not."""

import os
import sqlite3
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from pyrite.core.jid import JID
from pyrite.core.sasl.keys import Keys
from pyrite.kit.clock import ManualClock
from pyrite.server.store import SCHEMA, open_stores
from pyrite.server.store.accounts import Account
from pyrite.server.store.activity import LastActivity
from pyrite.server.store.privacy import PrivacyList
from pyrite.server.store.roster import Item
from pyrite.server.store.vcards import VCard
from pyrite.store.connection import Options, make_file
from pyrite.store.errors import SchemaError, StoreError
from pyrite.store.migrate import Schema, upgrade

from .conftest import URL

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
STORED = sorted(DATA.glob("server-*.sql"))
ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")
HAMLET = JID.parse("hamlet@elsinore.lit")
START = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 60  # seconds for a process of ours


def restore(dump: Path, path: Path) -> None:
    """Make the database that `dump` was made from."""
    database = sqlite3.connect(path)
    database.executescript(dump.read_text())
    database.close()


def schema(path: Path) -> set[str]:
    """All that is defined in a database."""
    database = sqlite3.connect(path)
    found = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    database.close()
    return {sql.strip() for (sql,) in found}


def execute(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(statement)
    database.close()


def test_the_newest_revision_is_the_one_that_the_code_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCHEMA.folder))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA.head]


def test_a_dump_is_kept_of_every_older_revision() -> None:
    assert [path.stem for path in STORED] == [
        f"server-{number:04}" for number in range(1, int(SCHEMA.head))
    ]


@pytest.mark.parametrize("dump", STORED, ids=lambda path: path.stem)
def test_an_older_database_becomes_like_a_new_one(
    dump: Path, template: Path, tmp_path: Path
) -> None:
    path = tmp_path / "pyrite.db"
    restore(dump, path)
    assert schema(path) != schema(template)
    assert upgrade(path, SCHEMA, Options())
    assert schema(path) == schema(template)
    assert not upgrade(path, SCHEMA, Options())


@pytest.mark.parametrize("dump", STORED, ids=lambda path: path.stem)
async def test_what_an_older_database_has_is_still_there(dump: Path, tmp_path: Path) -> None:
    restore(dump, tmp_path / "pyrite.db")
    async with await open_stores(URL, tmp_path, ManualClock()) as stores:
        keys = Keys("SCRAM-SHA-256", b"salt of romeo@verona.lit", 10_000, bytes(32), b"\xff" * 32)
        assert await stores.accounts.find(ROMEO) == Account(ROMEO, START, False, (keys,))
        hamlet = await stores.accounts.find(HAMLET)
        assert hamlet
        assert hamlet.disabled
        assert await stores.accounts.list("verona.lit", after=None, limit=9) == [JULIET, ROMEO]
        assert await stores.accounts.count("verona.lit") == 2
        assert await stores.accounts.deleted_at(JID.parse("paris@verona.lit")) == START
        assert (await stores.roster.load(ROMEO)).items == (
            Item(HAMLET, request="<presence type='subscribe'/>", listed=False),
            Item(JULIET, "Juliet ☂", ("Friends",), "both"),
        )
        (message,) = await stores.offline.load(ROMEO)
        assert message[1:] == (START, "<message><body>ä</body></message>")
        assert await stores.private.find(ROMEO, "storage:bookmarks", "storage") == "<storage/>"
        assert await stores.vcards.find(ROMEO) == VCard("<vCard/>", "ab12")
        assert await stores.privacy.default(ROMEO) == PrivacyList("work", "<item/>")
        assert await stores.activity.find(ROMEO) == LastActivity(START, "gone")
        assert await stores.settings.load() == {"motd": '"hello"'}
        assert await stores.values("plugin").load(ROMEO) == {"a": "1"}
        assert [entry.value for entry in await stores.log("plugin").load(ROMEO)] == ["x"]
        await stores.accounts.delete(JULIET)
        assert await stores.accounts.count("verona.lit") == 1


async def test_a_newer_database_is_refused(folder: Path) -> None:
    execute(folder / "pyrite.db", "UPDATE alembic_version SET version_num = '9000'")
    with pytest.raises(SchemaError, match="newer version: its schema is 9000"):
        await open_stores(URL, folder, ManualClock())


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    execute(tmp_path / "pyrite.db", "CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(SchemaError, match="another program"):
        await open_stores(URL, tmp_path, ManualClock())


async def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyrite.db").write_text("a diary, not a database\n" * 100)
    with pytest.raises(StoreError, match="not a database"):
        await open_stores(URL, tmp_path, ManualClock())


async def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        await open_stores(URL, tmp_path / "absent", ManualClock())


@pytest.mark.parametrize("url", ["", "sqlite:///", "sqlite://pyrite.db", "postgresql://db/x"])
async def test_another_kind_of_store_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot use"):
        await open_stores(url, tmp_path, ManualClock())


async def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    stores = await open_stores(f"sqlite:///{tmp_path}/other 100%?.db", data, ManualClock())
    await stores.close()
    assert (tmp_path / "other 100%?.db").exists()
    assert not list(data.iterdir())


def test_a_new_database_is_for_its_owner_alone(template: Path) -> None:
    assert template.stat().st_mode & 0o777 == 0o600


def test_an_upgrade_that_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    header = "from alembic import op\nrevision = '{}'\ndown_revision = {}\ndef upgrade():\n"
    first = header.format("0001", None) + "    op.execute('CREATE TABLE one (x)')\n"
    second = header.format("0002", "'0001'") + (
        "    op.execute('CREATE TABLE two (x)')\n    op.execute('INSERT INTO three VALUES (1)')\n"
    )
    (versions / "one.py").write_text(first)
    path = tmp_path / "pyrite.db"
    make_file(path)
    upgrade(path, Schema(tmp_path / "migrations", "0001"), Options())
    before = schema(path)
    (versions / "two.py").write_text(second)
    with pytest.raises(StoreError, match="no such table: three"):
        upgrade(path, Schema(tmp_path / "migrations", "0002"), Options())
    assert schema(path) == before


def run(code: str, *arguments: str, source: Path = ROOT / "src") -> subprocess.Popen[str]:
    """Another Python with Pyrite from `source` that runs `code`."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
    )


OPEN = """
import asyncio, sys
from pathlib import Path
from pyrite.kit.clock import SystemClock
from pyrite.server.store import open_stores
async def main():
    stores = await open_stores("sqlite:///pyrite.db", Path(sys.argv[1]), SystemClock())
    print(await stores.accounts.count("x"))
    await stores.close()
asyncio.run(main())
print(sorted({"alembic", "sqlalchemy"} & set(sys.modules)))
"""


def test_a_database_that_is_up_to_date_opens_without_the_tools(folder: Path) -> None:
    process = run(OPEN, str(folder))
    assert process.communicate(timeout=LIMIT)[0].split("\n")[:2] == ["0", "[]"]


def test_of_processes_that_start_together_one_makes_the_database(tmp_path: Path) -> None:
    processes = [run(OPEN, str(tmp_path)) for _ in range(2)]
    for process in processes:
        assert process.communicate(timeout=LIMIT)[0].startswith("0\n")
        assert process.returncode == 0


def test_the_revisions_are_in_the_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=LIMIT)
    site, data = tmp_path / "site", tmp_path / "data"
    data.mkdir()
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    process = run("import pyrite; print(pyrite.__file__)\n" + OPEN, str(data), source=site)
    lines = process.communicate(timeout=LIMIT)[0].split("\n")
    assert lines[0].startswith(str(site))
    assert lines[1] == "0"
