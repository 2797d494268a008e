"""Whom people want nothing from (XEP-0191)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ...core.jid import JID


class Blocks(Protocol):
    """The blocked addresses of an owner, bare or full or domains. All raise `StoreError`."""

    async def load(self, owner: JID) -> tuple[JID, ...]:
        """All, in the order in which they were blocked."""

    async def add(self, owner: JID, jids: Iterable[JID], *, limit: int) -> bool:
        """Block all of `jids`; `False`, and nothing is done, if there were then over `limit`."""

    async def remove(self, owner: JID, jids: Iterable[JID] | None = None) -> tuple[JID, ...]:
        """Unblock those of `jids`, or all; which of them were blocked."""
