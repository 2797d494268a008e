"""Who has an account, and what proves that it is them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ...core.jid import JID
from ...core.sasl.scram import Keys


@dataclass(frozen=True, slots=True)
class Account:
    """An account. One that has no `keys` cannot log in with a password."""

    jid: JID
    created: datetime
    disabled: bool
    keys: tuple[Keys, ...]


class Accounts(Protocol):
    """All accounts of all domains. Each `jid` is taken as bare. All raise `StoreError`."""

    async def create(self, jid: JID, keys: Sequence[Keys], created: datetime) -> bool:
        """Add an account; whether there was none before.

        It begins with nothing, whatever else was kept under this name.
        """

    async def delete(self, jid: JID) -> bool:
        """Delete an account and all that any aggregate keeps for it; whether there was one."""

    async def clear(self, jid: JID) -> None:
        """Delete all that any aggregate keeps for `jid`, if that is no account."""

    async def exists(self, jid: JID) -> bool:
        """Whether there is an account, disabled or not."""

    async def find(self, jid: JID) -> Account | None:
        """The account, if there is one."""

    async def find_again(self, jid: JID) -> Account | None:
        """As `find`, but sooner if it was found a moment ago.

        Not for what strangers may ask: how long it takes tells who was here.
        """

    async def set_keys(self, jid: JID, keys: Sequence[Keys]) -> bool:
        """Let these be all keys, and end all tokens; whether there is such an account.

        No client has shown the password from now on.
        """

    async def complete_keys(self, jid: JID, keys: Keys) -> bool:
        """Add keys of a mechanism that the account has none for; whether there was such a one."""

    async def set_disabled(self, jid: JID, disabled: bool) -> bool:
        """Shut an account out or let it in again; whether there is such an account.

        Tokens end with the first, and do not come back with the second.
        """

    async def list(self, domain: str, *, after: str | None, limit: int) -> list[JID]:
        """Accounts of `domain` in the order of their text, from the first behind `after`."""

    async def count(self, domain: str) -> int:
        """How many accounts `domain` has."""

    async def deleted_at(self, jid: JID) -> datetime | None:
        """When an account of this name was deleted, if there is none now."""
