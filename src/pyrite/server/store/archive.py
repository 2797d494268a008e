"""Messages as they went to and fro, for their owner to read again (XEP-0313).

Preferences (XEP-0441) have no place here: they are one small value of an account, so a module
keeps them in its ``Module.values``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from ...core.jid import JID

END: Final = (1 << 63) - 1  # behind every id: as `before`, it asks for the last page


class Entry(NamedTuple):
    """A message of an archive, as text. Later ones have higher ids."""

    id: int
    stamp: datetime
    stanza: str


class Mark(NamedTuple):
    """Where an archive begins or ends (§4.2)."""

    id: int
    stamp: datetime


class Page(NamedTuple):
    """Some of what was asked for, oldest first whatever the direction.

    `is_last`: nothing more lies in the direction in which the page was taken, which is what
    ``complete`` means (§4.1.3).
    """

    entries: list[Entry]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """Which messages; all that is given must hold.

    `peer`: the other side of the message; if bare, with any resource or none (§4.1.1). To find
    what the owner has sent to itself, give the owner. `start`, `end`: the stamp is not before,
    not behind. `after`, `before`: the id is behind, before, both exclusive. `ids`: one of
    these. `text`: the body has all words of it, in any order, upper or lower case, with or
    without accents (XEP-0431); nothing in it is an operator. `text` of which no word is left
    finds nothing, and an empty one is no condition. `is_groupchat`: only those, or none.
    """

    peer: JID | None = None
    start: datetime | None = None
    end: datetime | None = None
    after: int | None = None
    before: int | None = None
    ids: Collection[int] | None = None
    text: str = ""
    is_groupchat: bool | None = None


ALL: Final = Query()


@dataclass(frozen=True, slots=True)
class Keep:
    """What `purge` leaves; each per owner, `None` is no limit. `octets` are those of stanzas."""

    since: datetime | None = None
    count: int | None = None
    octets: int | None = None


class Archive(Protocol):
    """All archives; `owner` is an account or a service, and is taken as bare.

    What is asked for comes with all that was added before for this owner, also if it is not on
    the disk yet: then the question waits for that, but not for ever. An id that is none of the
    owner's, whatever number it is, is one that is not there. All raise `StoreError`.
    """

    @property
    def waiting(self) -> int:
        """How many messages are not on the disk yet."""

    async def close(self) -> None:
        """Write what was added, and take no more. Leaving the context of `Stores` does it."""

    def next_id(self) -> int:
        """An id for a message that is about to be added: higher than all before it.

        No other process start, deletion or step of the clock brings it again. It is below 2**63,
        so at most 19 digits: the time in microseconds, and random bits, so that nobody knows it
        from another (§3). One id is for one owner's copy: make two for two owners. Order in an
        archive is order of ids: call this when the message is delivered, and `add` without a
        wait in between if you can.
        """

    def add(
        self,
        id: int,
        owner: JID,
        peer: JID,
        stamp: datetime | None,
        stanza: str,
        *,
        body: str | None = None,
        name: str | None = None,
        is_sent: bool = False,
        is_groupchat: bool = False,
    ) -> asyncio.Future[None]:
        """Keep a message; the future is done once it is on the disk.

        Called on the loop, it never waits. Raises `StoreBusy` at once if too much waits for the
        disk, `StoreClosed`. The future is that of all who are written together: await it through
        `asyncio.shield`, and do not cancel it. It ends with `StoreError` if the disk refuses for
        as long as the store is patient; that is logged here, so a future that nobody looks at
        does no harm.

        `peer`: the other side, ``to`` of what the owner sent and ``from`` of what it got, as full
        as it was there; in a room's archive the occupant. `stamp`: `None` for the moment of the
        id; one that is later is kept as that. `body`: what a search looks into; `None` for what
        cannot be read, such as an encrypted message's fallback. `name`: by what `find` is to
        find it: the message's ``id``, or for a groupchat the room's ``stanza-id``.
        """

    async def page(
        self,
        owner: JID,
        query: Query = ALL,
        *,
        limit: int,
        after: int | None = None,
        before: int | None = None,
    ) -> Page:
        """At most `limit` entries: the first, those behind `after`, or the last before `before`.

        `after` and `before` are those of XEP-0059, and not both are given; `END` as `before`
        gives the last page. Neither has to be there: ask `has` if that is an error. `limit` 0
        gives no entries, and tells by `is_last` whether there are any.
        """

    async def count(self, owner: JID, query: Query = ALL, *, most: int = 1000) -> int | None:
        """How many match; without conditions it is always exact.

        A count with conditions looks at all that it counts, so it is `None` if that is more than
        `most`, or more than others can wait for: ask only for who has asked.
        """

    async def has(self, owner: JID, ids: Collection[int]) -> bool:
        """Whether all of `ids` are in the archive; if not, it is ``item-not-found`` (§4.1.2)."""

    async def get(self, owner: JID, id: int) -> Entry | None:
        """One entry."""

    async def find(self, owner: JID, peer: JID, name: str, *, is_sent: bool) -> Entry | None:
        """The newest entry that was added with this `name`, with this direction and peer.

        A bare `peer` stands for all its resources. For a retraction (XEP-0424 §5) that the owner
        sends to Juliet: her address and ``is_sent=True``; for one that she has sent: her bare
        address and ``is_sent=False``, so that nobody retracts what another wrote. In a groupchat:
        the occupant's full address.
        """

    async def replace(self, owner: JID, id: int, stanza: str) -> bool:
        """Put a tombstone (XEP-0424 §4) in the place of a stanza; whether there was one.

        Id, stamp and peer stay (§2); body and name are forgotten, and no search finds it. The
        file of the index has the old words struck out until it is written anew.
        """

    async def ends(self, owner: JID) -> tuple[Mark, Mark] | None:
        """The first and the last entry, `None` if there is none (§4.2).

        As they are when this begins: what is given an id meanwhile is not among them.
        """

    def entries(self, owner: JID) -> AsyncIterator[Entry]:
        """All of an archive, in order, read in pages: for an export."""

    async def settled(self, owner: JID) -> None:
        """Return once all that was added for this owner is on the disk, or lost."""

    async def clear(self, owner: JID) -> None:
        """Forget an archive: it is empty at once; what it was leaves the disk with `purge`.

        `Accounts.delete` does this for an account, and what is added later is not kept.
        """

    async def purge(self, keep: Keep, domain: str | None = None) -> int:
        """Remove the oldest entries that `keep` does not allow, and cleared archives; how many.

        `keep` holds for the archives of one `domain`, or for all.
        It writes in short steps, and others come in between; it may be cancelled.
        """
