"""Settings that are changed while the server runs; the file has the others."""

from __future__ import annotations

from typing import Protocol


class LiveSettings(Protocol):
    """Texts by the name of the setting. All raise `StoreError`."""

    async def load(self) -> dict[str, str]:
        """All of them."""

    async def put(self, name: str, value: str) -> None:
        """Add or change one."""

    async def remove(self, name: str) -> bool:
        """Remove one, so that the file's holds again; whether there was one."""
