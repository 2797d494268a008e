"""Whom an account knows, and who may see whom (RFC 6121 §2 and §3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from ...core.jid import JID

Subscription = Literal["none", "to", "from", "both"]


@dataclass(frozen=True, slots=True)
class Item:
    """A contact. With `ask` and `pending_in`, `subscription` makes the nine states of Appendix A.

    `ask`: a request of ours waits for the contact's answer. `request`: the whole stanza of the
    contact's request that waits for ours. `approved`: pre-approved (§3.4). `listed`: `False` if
    it is there for a request alone, and the owner never put it on the list: nobody is shown it.
    """

    jid: JID
    name: str | None = None
    groups: tuple[str, ...] = ()
    subscription: Subscription = "none"
    ask: bool = False
    approved: bool = False
    request: str | None = None
    listed: bool = True

    @property
    def pending_in(self) -> bool:
        """Whether the contact waits for an answer."""
        return self.request is not None


@dataclass(frozen=True, slots=True)
class Roster:
    """All items, also the unlisted, in the order of their JIDs. `version` 0 was never changed."""

    version: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of a contact: `item` as it is since `version`, `None` if it is removed."""

    version: int
    jid: JID
    item: Item | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened until `version`, in the order in which it did; listed items alone."""

    version: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """`change` gives the item that replaces the given one, either of them `None` if absent.

    It is called with the stored item, in another thread and maybe twice, so it is a pure
    function. What it raises is passed on, and nothing is kept.
    """

    owner: JID
    contact: JID
    change: Callable[[Item | None], Item | None]


@dataclass(frozen=True, slots=True)
class Edited:
    """What an `Edit` did. `version` is the roster's afterwards."""

    owner: JID
    contact: JID
    before: Item | None
    after: Item | None
    version: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The most items that a roster may have: `listed`, and `waiting` that are not."""

    listed: int = 5000
    waiting: int = 500


LIMITS: Final = Limits()


class Rosters(Protocol):
    """The rosters of all accounts. JIDs are taken as bare. All raise `StoreError`.

    A version grows with each change that the owner's clients can see, never falls, and is not
    given out again, not even after the account was deleted and made again.
    """

    async def load(self, owner: JID) -> Roster:
        """The whole roster."""

    async def version(self, owner: JID) -> int:
        """The version alone."""

    async def find(self, owner: JID, contact: JID) -> Item | None:
        """One item."""

    async def put(self, owner: JID, item: Item, limits: Limits = LIMITS) -> int:
        """Add or replace an item; the new version. Raises `QuotaExceeded`."""

    async def remove(self, owner: JID, contact: JID) -> int | None:
        """Remove an item; the new version, `None` if there was no such item."""

    async def edit(self, *edits: Edit, limits: Limits = LIMITS) -> tuple[Edited, ...]:
        """Read, change and write items of any rosters: all or, if one fails, none.

        Raises `QuotaExceeded` if a roster would grow beyond `limits`.
        """

    async def changes_since(self, owner: JID, version: int) -> Changes | None:
        """What a client that knows `version` lacks; `None` if it must load the whole."""
