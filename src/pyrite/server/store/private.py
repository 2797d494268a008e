"""What clients keep for themselves (XEP-0049)."""

from __future__ import annotations

from typing import Protocol

from ...core.jid import JID
from ...store.shapes import Quota


class Private(Protocol):
    """Elements, as text, by their namespace and name. All raise `StoreError`."""

    async def find(self, owner: JID, namespace: str, name: str) -> str | None:
        """One element."""

    async def put(self, owner: JID, namespace: str, name: str, element: str, quota: Quota) -> bool:
        """Add or replace an element; `False` if that would be more than `quota`."""

    async def remove(self, owner: JID, namespace: str, name: str) -> bool:
        """Remove an element; whether there was one."""
