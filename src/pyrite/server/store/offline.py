"""Messages that wait for their receiver (RFC 6121 §8.5.2.2, XEP-0160, XEP-0013)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ...core.jid import JID


class Header(NamedTuple):
    """What XEP-0013 tells of a message before it is fetched."""

    id: int
    sender: JID
    stamp: datetime


class Waiting(NamedTuple):
    """A message, as text, and when it came."""

    id: int
    stamp: datetime
    stanza: str


class New(NamedTuple):
    """A message that is to wait, and when it came."""

    sender: JID
    stanza: str
    stamp: datetime


class Offline(Protocol):
    """Stanzas by owner, oldest first. An id is never used again. All raise `StoreError`."""

    async def add(
        self,
        owner: JID,
        sender: JID,
        stanza: str,
        stamp: datetime,
        *,
        limit_count: int,
        limit_bytes: int,
    ) -> bool:
        """Keep a stanza; `False` if there would be more of them, or more octets, than allowed."""

    async def add_all(
        self, owner: JID, rows: Sequence[New], *, limit_count: int, limit_bytes: int
    ) -> list[int | None]:
        """Keep as many of `rows` as are allowed, in this order: the id of each that is kept."""

    async def count(self, owner: JID) -> int:
        """How many wait."""

    async def headers(self, owner: JID) -> list[Header]:
        """What waits."""

    async def load(
        self, owner: JID, ids: Sequence[int] | None = None, *, after: int = 0, limit: int = -1
    ) -> list[Waiting]:
        """Those of `ids`, or all, from the first behind id `after`; negative `limit`: no limit."""

    async def remove(self, owner: JID, ids: Sequence[int] | None = None) -> int:
        """Remove those of `ids`, or all; how many there were."""

    async def purge(self, before: datetime, limit: int = 1000) -> int:
        """Remove at most `limit` that came before; how many. Call it until that is less."""
