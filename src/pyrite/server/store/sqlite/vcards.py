"""Cards in SQLite."""

from __future__ import annotations

from typing import Final

from ....core.jid import JID
from ....store.engine import Engine
from ....store.texts import key
from ..vcards import VCard

FIND: Final = "SELECT element, photo FROM vcards WHERE owner = ?"
PHOTO: Final = "SELECT photo FROM vcards WHERE owner = ?"
PUT: Final = """INSERT INTO vcards (owner, element, photo) VALUES (?, ?, ?)
    ON CONFLICT (owner) DO UPDATE SET element = excluded.element, photo = excluded.photo"""
REMOVE: Final = "DELETE FROM vcards WHERE owner = ?"


class SqliteVCards:
    """See `VCards`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def find(self, owner: JID) -> VCard | None:
        row = (key(owner),)
        found = await self._engine.read(lambda db: db.execute(FIND, row).fetchone())
        return VCard(*found) if found else None

    async def photo(self, owner: JID) -> str | None:
        row = (key(owner),)
        found = await self._engine.read(lambda db: db.execute(PHOTO, row).fetchone())
        return found[0] if found else None

    async def put(self, owner: JID, vcard: VCard) -> None:
        row = (key(owner), *vcard)
        await self._engine.write(lambda db: db.execute(PUT, row).rowcount)

    async def remove(self, owner: JID) -> bool:
        row = (key(owner),)
        return await self._engine.write(lambda db: db.execute(REMOVE, row).rowcount > 0)
