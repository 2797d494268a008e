"""Privacy lists (XEP-0016): ordered rules under a name, and which list is the default."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ...core.jid import JID


class PrivacyList(NamedTuple):
    """A list; `rules` is the text of its items, in order."""

    name: str
    rules: str


class PrivacyNames(NamedTuple):
    """Which lists there are; `default`, if any, is one of `names`."""

    names: tuple[str, ...]
    default: str | None


class Privacy(Protocol):
    """The lists of all owners. All raise `StoreError`."""

    async def names(self, owner: JID) -> PrivacyNames:
        """The names of all lists, in order, and of the default."""

    async def find(self, owner: JID, name: str) -> PrivacyList | None:
        """One list."""

    async def default(self, owner: JID) -> PrivacyList | None:
        """The default list, if one is set."""

    async def put(self, owner: JID, entry: PrivacyList, *, limit: int) -> bool:
        """Add or replace a list; `False` if there were then more than `limit`."""

    async def remove(self, owner: JID, name: str) -> bool:
        """Remove a list, and with it the default if it was that; whether there was one."""

    async def set_default(self, owner: JID, name: str | None) -> bool:
        """Let the list `name`, or none, be the default; whether there is such a list."""
