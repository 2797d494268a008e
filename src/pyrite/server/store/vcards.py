"""What people tell of themselves (XEP-0054), and the hash of their picture (XEP-0153)."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ...core.jid import JID


class VCard(NamedTuple):
    """The element as text; `photo` is the SHA-1 of the picture in hexadecimal, if there is one."""

    element: str
    photo: str | None


class VCards(Protocol):
    """One card per owner. All raise `StoreError`."""

    async def find(self, owner: JID) -> VCard | None:
        """The card."""

    async def photo(self, owner: JID) -> str | None:
        """The picture's hash alone."""

    async def put(self, owner: JID, vcard: VCard) -> None:
        """Let this be the card."""

    async def remove(self, owner: JID) -> bool:
        """Remove the card; whether there was one."""
