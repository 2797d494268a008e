"""What any module may keep without a schema of its own: values by name, and a log.

Both are apart for each module, which is their ``namespace``, and for each owner, who is an
account or a service. With an account all that it owns is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from ..core.jid import JID


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that one owner may have in one namespace; `octets` are of UTF-8, values alone."""

    count: int = 1000
    octets: int = 1 << 20


QUOTA: Final = Quota()


class Entry(NamedTuple):
    """A line of a log. Later ones have higher ids."""

    id: int
    stamp: datetime
    value: str


class KeyValues(Protocol):
    """Texts by name. `owner` is taken as bare. All raise `StoreError`."""

    async def find(self, owner: JID, name: str) -> str | None:
        """One value."""

    async def load(self, owner: JID) -> dict[str, str]:
        """All values, in the order of their names."""

    async def put(self, owner: JID, name: str, value: str, quota: Quota = QUOTA) -> bool:
        """Add or replace a value; `False` if that would be more than `quota`."""

    async def remove(self, owner: JID, name: str) -> bool:
        """Remove a value; whether there was one."""

    async def clear(self, owner: JID) -> int:
        """Remove all values; how many there were."""


class Log(Protocol):
    """Texts in the order in which they came. `owner` is taken as bare. All raise `StoreError`."""

    async def append(self, owner: JID, value: str, stamp: datetime, quota: Quota = QUOTA) -> int:
        """Add an entry, dropping the oldest as far as `quota` demands; its id.

        Raises `QuotaExceeded` if there is no room for it even so.
        """

    async def count(self, owner: JID) -> int:
        """How many entries there are."""

    async def load(self, owner: JID, *, after: int = 0, limit: int = 100) -> list[Entry]:
        """At most `limit` entries, from the first behind id `after`."""

    async def remove(self, owner: JID, ids: Sequence[int] | None = None) -> int:
        """Remove those of `ids`, or all; how many there were."""
