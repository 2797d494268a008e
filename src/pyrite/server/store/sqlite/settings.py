"""Live settings in SQLite."""

from __future__ import annotations

from typing import Final

from ....store.engine import Engine

LOAD: Final = "SELECT name, value FROM settings ORDER BY name"
PUT: Final = """INSERT INTO settings (name, value) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
REMOVE: Final = "DELETE FROM settings WHERE name = ?"


class SqliteSettings:
    """See `LiveSettings`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def load(self) -> dict[str, str]:
        return dict(await self._engine.read(lambda db: db.execute(LOAD).fetchall()))

    async def put(self, name: str, value: str) -> None:
        await self._engine.write(lambda db: db.execute(PUT, (name, value)).rowcount)

    async def remove(self, name: str) -> bool:
        return await self._engine.write(lambda db: db.execute(REMOVE, (name,)).rowcount > 0)
