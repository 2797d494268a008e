"""Power cords and neighbours: killed processes, a file that cannot grow, two that write."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Stores, open_stores

from .conftest import URL

SOURCE = Path(__file__).parents[2] / "src"
LIMIT = 60  # seconds for a process of ours
ROMEO = JID.parse("romeo@verona.lit")

BEGIN = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from pyrite.core.jid import JID
from pyrite.kit.clock import SystemClock
from pyrite.server.store import open_stores
from pyrite.store.errors import StoreError

ROMEO, NOW = JID.parse("romeo@verona.lit"), datetime(2026, 1, 1, tzinfo=UTC)

async def add(stores, text):
    assert await stores.offline.add(
        ROMEO, ROMEO, text, NOW, limit_count=1 << 30, limit_bytes=1 << 40
    )

async def main(folder, name):
    stores = await open_stores("sqlite:///pyrite.db", Path(folder), SystemClock())
    await act(stores, name)
    await stores.close()
"""
END = "\nasyncio.run(main(*sys.argv[1:]))\n"

#: Writes until it is killed, and tells of each write that was acknowledged.
ENDLESSLY = """
async def act(stores, name):
    async def write(writer):
        for number in range(1 << 30):
            text = f"{writer} {number}"
            await add(stores, text)
            os.write(1, f"{text}\\n".encode())
    await asyncio.gather(*(write(n) for n in range(20)))
"""

#: Waits for the word, then writes 100 groups one after the other.
A_HUNDRED = """
async def act(stores, name):
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(100):
        await asyncio.gather(*(add(stores, f"{name} {number} {n}") for n in range(3)))
"""

#: Fills a file that may have 400 kB, takes the limit away, and goes on.
FILLING = """
async def act(stores, name):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    kept = failed = 0
    while failed < 20:
        try:
            await add(stores, "x" * 5000)
            kept += 1
        except StoreError:
            failed += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    await add(stores, "after")
    print(kept + 1)
"""


def start(code: str, folder: Path, name: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + code + END, str(folder), name],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def stanzas(folder: Path) -> list[str]:
    """What is kept, in a database that is found to be whole."""
    database = sqlite3.connect(folder / "pyrite.db")
    found = [text for (text,) in database.execute("SELECT stanza FROM offline ORDER BY id")]
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    count = database.execute("SELECT count FROM totals WHERE kind = 'offline'").fetchone()
    database.close()
    assert count == (len(found),)
    return found


def test_what_was_acknowledged_survives_a_kill(folder: Path) -> None:
    with start(ENDLESSLY, folder) as process:
        assert process.stdout
        told = [process.stdout.readline().strip() for _ in range(500)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split("\n")[:-1]
        process.wait(LIMIT)
    kept = stanzas(folder)
    assert len(told) >= 500
    assert set(told) <= set(kept)
    assert len(kept) == len(set(kept))


def test_two_processes_write_at_once(folder: Path) -> None:
    processes = [start(A_HUNDRED, folder, name) for name in ("a", "b")]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=LIMIT)
        assert process.returncode == 0
    expected = {f"{name} {number} {n}" for name in "ab" for number in range(100) for n in range(3)}
    kept = stanzas(folder)
    assert len(kept) == len(expected)
    assert set(kept) == expected


def test_a_file_that_cannot_grow_loses_nothing(folder: Path) -> None:
    with start(FILLING, folder) as process:
        output, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 0
    kept = stanzas(folder)
    assert len(kept) == int(output)
    assert kept[-1] == "after"


async def test_what_another_process_writes_is_seen_at_once(
    stores: Stores, folder: Path, clock: ManualClock
) -> None:
    """As when an operator adds an account while the server runs."""
    other = await open_stores(URL, folder, clock)
    created = datetime(2026, 1, 1, tzinfo=UTC)
    assert await other.accounts.create(ROMEO, [], created)
    assert await stores.accounts.exists(ROMEO)
    first, second = await asyncio.gather(
        stores.accounts.set_disabled(ROMEO, True), other.accounts.delete(ROMEO)
    )
    assert second
    assert not await stores.accounts.exists(ROMEO)
    await other.close()
    assert first in (True, False)
    assert await stores.accounts.create(ROMEO, [], created)
