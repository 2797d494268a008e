"""Two servers without sockets that accounts are carried between, and files in memory."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from pyrite.core.jid import JID
from pyrite.server.app import Server
from pyrite.server.commands import PIECE
from pyrite.server.portable import Outcome, Total
from pyrite.server.store import portable as kinds
from pyrite.server.store.archive import Entry

from .service import VERONA, template
from .service import settings as server_settings

HAMLET = JID.parse("hamlet@verona.lit")
PIE = "urn:xmpp:pie:0"


class File:
    """A file in memory, for commands to read and write."""

    def __init__(self, text: str | bytes = "", size: int = PIECE) -> None:
        self._octets = text.encode() if isinstance(text, str) else text
        self._at, self._size = 0, size
        self._written: list[str] = []

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(self._written)

    async def read(self) -> bytes:
        piece = self._octets[self._at : self._at + self._size]
        self._at += len(piece)
        return piece

    async def write(self, text: str) -> None:
        assert len(text) <= PIECE
        self._written.append(text)


class Place:
    """A server without sockets."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def export(self, jid: JID) -> str:
        file = File()
        done = await self.server.commands.run("account-export", {"jid": str(jid)}, stream=file)
        assert (done.accounts, done.left_out) == (1, ())
        assert done.octets == len(file.text.encode())
        return file.text

    async def bring(self, text: str | bytes, **args: object) -> tuple[Total, list[Outcome]]:
        file = File(text)
        total = await self.server.commands.run("account-import", args, stream=file)
        lines = [Outcome(**json.loads(line)) for line in file.text.splitlines()]
        return total, lines

    async def one(self, inside: str, **args: object) -> Outcome:
        """What becomes of Hamlet, who has what is `inside`."""
        _, (outcome,) = await self.bring(document(inside), **args)
        return outcome

    async def things(self, jid: JID = HAMLET) -> list[kinds.Thing]:
        return [thing async for thing in self.server.stores.portable.things(jid)]

    async def history(self, jid: JID = HAMLET) -> list[Entry]:
        return [entry async for entry in self.server.stores.archive.entries(jid)]


def document(inside: str, attrs: str = "name='hamlet'", host: str = VERONA) -> str:
    user = f"<user {attrs}>{inside}</user>"
    return f"<server-data xmlns='{PIE}'><host jid='{host}'>{user}</host></server-data>"


class Places:
    """Two servers, and the loop that they run on."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], *places: Place) -> None:
        self.run = run
        self.here, self.there = places


@contextmanager
def two_places(folder: Path) -> Iterator[Places]:
    """Both with their data below `folder`."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened(name: str) -> Place:
            shutil.copytree(await template(), folder / name)
            server = Server(server_settings(folder / name))
            await stack.enter_async_context(server.opened())
            return Place(server)

        yield Places(runner.run, runner.run(opened("here")), runner.run(opened("there")))
        runner.run(stack.aclose())
