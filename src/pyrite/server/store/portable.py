"""All that is kept for an account, to carry it elsewhere and to bring it in.

Whatever the aggregates keep for an owner is a `Thing`: what can be told of one account here can
be told to another server, and the other way round.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import ClassVar, Protocol

from msgspec import Struct

from ...core.jid import JID
from .accounts import Account
from .roster import Item


class Thing(Struct, frozen=True, tag=True):
    """Something that an account has. Which, says its class; `word` is what people call it."""

    word: ClassVar[str] = ""


class Contact(Thing, frozen=True):
    """A listed item of the roster, without a request that waits."""

    word: ClassVar[str] = "contacts"
    item: Item


class Request(Thing, frozen=True):
    """A request for the owner's presence that waits for an answer; it comes behind all contacts.

    From somebody who has what is asked for, it is none any more.
    """

    word: ClassVar[str] = "requests"
    contact: JID
    stanza: str


class Offline(Thing, frozen=True):
    """A message that waits."""

    word: ClassVar[str] = "offline messages"
    sender: JID
    stamp: datetime
    stanza: str


class Private(Thing, frozen=True):
    """A private element."""

    word: ClassVar[str] = "private elements"
    namespace: str
    name: str
    element: str


class Card(Thing, frozen=True):
    """The vCard."""

    word: ClassVar[str] = "vcards"
    element: str
    photo: str | None


class PrivacyList(Thing, frozen=True):
    """A privacy list."""

    word: ClassVar[str] = "privacy lists"
    name: str
    rules: str


class DefaultList(Thing, frozen=True):
    """Which privacy list holds; it comes behind the lists."""

    word: ClassVar[str] = "default lists"
    name: str


class Last(Thing, frozen=True):
    """When the owner was last here."""

    word: ClassVar[str] = "last activity"
    stamp: datetime
    status: str | None


class Client(Thing, frozen=True):
    """A client that the account is used with; it logs in anew, for tokens stay where they are."""

    word: ClassVar[str] = "clients"
    id: str
    software: str | None
    device: str | None
    address: str | None
    first_seen: datetime
    last_seen: datetime


class Value(Thing, frozen=True):
    """What a module keeps under a name."""

    word: ClassVar[str] = "values of modules"
    module: str
    name: str
    value: str


class Entry(Thing, frozen=True):
    """A line of a module's log."""

    word: ClassVar[str] = "entries of modules"
    module: str
    stamp: datetime
    value: str


class Archived(Thing, frozen=True):
    """A message of the archive, as `Archive.add` has it; they come in their order.

    `id` is what it had where it was; it keeps that if it can.
    """

    word: ClassVar[str] = "archived messages"
    id: int | None
    peer: JID
    stamp: datetime
    stanza: str
    body: str | None
    name: str | None
    is_sent: bool
    is_groupchat: bool


AnyThing = (
    Contact
    | Request
    | Offline
    | Private
    | Card
    | PrivacyList
    | DefaultList
    | Last
    | Client
    | Value
    | Entry
    | Archived
)
Things = Callable[[], Iterable[Thing]]


class Portable(Protocol):
    """Accounts with all that they have. Each `owner` is taken as bare. All raise `StoreError`."""

    def things(self, owner: JID) -> AsyncIterator[Thing]:
        """All that is kept for `owner`, kind after kind, each in the order that it has.

        But for the archive, which is read by itself (`Archive.entries`). It is read in pages: what
        changes meanwhile may or may not be there.
        """

    async def held(self, owner: JID) -> dict[str, int]:
        """How many there are of each kind that there is any of, keys that prove passwords too.

        The archive counts for itself.
        """

    async def create(self, account: Account, things: Things, *, replace: bool = False) -> bool:
        """Add an account with all that it has, in one transaction; whether there was none before.

        With `replace` an old one goes with all that it had, in the same transaction, and the
        answer is `True`. `things` is called in another thread and maybe twice; what it raises is
        passed on, and nothing is kept. Others who write wait so long: 4 s for 100,000 things.
        """
