"""A client alone in its process, as a program is: it connects, and each turn of its loop is timed.

    python -m tests.unit.client.holding WAY PORT FOLDER PASSWORD

What is printed is JSON: of each turn the milliseconds of the processor and what ran; and what in
a turn waited for a disk, for the net or for a library. In a process of its own everything happens
for the first time, and nothing else is measured along with it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from asyncio import Handle
from pathlib import Path
from typing import Any

from tests.peer import PATIENCE

from pyrite.client.api import (
    JID,
    Account,
    Archive,
    Bosh,
    Carbons,
    Chats,
    Client,
    Connector,
    Csi,
    Disco,
    FileStore,
    Muc,
    Receipts,
    Roster,
    RosterLoaded,
    Target,
    Tcp,
    Trust,
    WebSocket,
)

FEATURES = (Archive, Carbons, Chats, Csi, Disco, Muc, Receipts, Roster)
#: What Python tells of that may wait: for a disk, for a name server, or for another process.
WAITING = {
    "open", "import", "ctypes.dlopen", "os.listdir", "os.scandir", "os.rename", "os.remove",
    "glob.glob", "time.sleep", "socket.getaddrinfo", "subprocess.Popen", "sqlite3.connect",
}  # fmt: skip
#: The loop itself loads these, for the first thread of a program.
FOR_THREADS = ("concurrent.futures.thread", "concurrent/futures/", "queue", "_queue")


class Turns:
    """What runs on the loop of this thread, from now on."""

    def __init__(self) -> None:
        self.took: list[tuple[float, str]] = []
        self.waited: list[str] = []
        self._is_running = False
        self._thread = threading.get_ident()
        run = Handle._run

        def timed(handle: Handle) -> None:
            if threading.get_ident() != self._thread:
                return run(handle)
            self._is_running, begin = True, time.thread_time()
            try:
                run(handle)
            finally:
                self._is_running = False
                self.took.append(((time.thread_time() - begin) * 1000, repr(handle)))

        Handle._run = timed  # type: ignore[method-assign]
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_running and event in WAITING and threading.get_ident() == self._thread:
            what = str(arguments[0]) if arguments else ""
            if not any(what == name or name in what.split("/python")[-1] for name in FOR_THREADS):
                self.waited.append(f"{event} {what}")


class Here:
    """A resolver for which every host is this machine."""

    async def records(self, name: str) -> list[Any]:
        return []

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(2, ("127.0.0.1", port))]


def ask_this_machine(port: int, folder: Path) -> None:
    """Let names be asked for here, as a file says that is read like the system's own."""
    import dns.asyncresolver
    import dns.resolver

    class Resolver(dns.asyncresolver.Resolver):
        def __init__(self) -> None:
            super().__init__(filename=str(folder / "resolv.conf"))
            self.port = port

    dns.asyncresolver.Resolver = Resolver  # type: ignore[misc]


def connector(way: str, port: int) -> Connector:
    match way:
        case "websocket":
            return WebSocket(f"wss://verona.lit:{port}/", resolver=Here())
        case "bosh":
            return Bosh(f"https://verona.lit:{port}/", resolver=Here())
        case "records":
            return Tcp()
        case _:
            return Tcp([Target("localhost", port, direct=way == "direct")])


async def main(way: str, port: int, folder: Path, password: str) -> None:
    trust = Trust(authorities=folder / "ca.pem")
    me = Client(
        "romeo@verona.lit",
        password,
        trust=trust,
        connector=connector(way, port),
        tokens=FileStore(folder / f"tokens-{os.getpid()}"),  # which no run before has filled
        features=FEATURES,
    )
    loaded = me.hear(RosterLoaded)
    async with asyncio.timeout(PATIENCE), me:
        await loaded.next()


async def reach(way: str, port: int, folder: Path) -> None:
    """As far as a stream could begin."""
    account = Account(JID.parse("romeo@verona.lit"), trust=Trust(authorities=folder / "ca.pem"))
    async with asyncio.timeout(PATIENCE):
        link = await connector(way, port).connect(account)
        link.abort()
        await link.ended()


if __name__ == "__main__":
    way, port, folder, password = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    if way == "records":
        ask_this_machine(port, folder)
    gc.collect()
    gc.freeze()  # what was loaded before is not the loop's to look through
    turns = Turns()
    is_web = way in ("websocket", "bosh")
    asyncio.run(reach(way, port, folder) if is_web else main(way, port, folder, password))
    print(json.dumps({"took": turns.took, "waited": turns.waited}))
