"""The rooms that the user wants to find again, on all clients (XEP-0402, XEP-0048)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID, JIDError
from ...core.payload import encode
from ...wire import bookmarks
from ...wire.bookmarks import Bookmark
from ...wire.private import Private
from ..feature import Feature, on
from ..node import Published, Withdrawn, read
from ..nodes import Nodes

if TYPE_CHECKING:
    from ..entity import Entity

#: A server has no place for them that others can watch.
NOWHERE = frozenset({"feature-not-implemented", "service-unavailable"})
MOST = 10_000  # rooms that are remembered


@frozen
class BookmarkChanged:
    """A bookmark is as it now is; None if it was removed. A client that joins what is to be
    joined by itself leaves the room that is no more (XEP-0402 §4.3)."""

    room: JID
    bookmark: Bookmark | None


class Bookmarks(Feature):
    """Room -> bookmark, read whenever a session begins, and kept up to date.

    Where the server has no place for them that others can watch, they are in the private
    storage of older clients, and `BookmarkChanged` tells of our own changes alone.
    """

    spec = bookmarks.SPEC
    needs = (Nodes,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._rooms: dict[JID, Bookmark] = {}
        self._old: bookmarks.Storage | None = None  # of a server that knows no better
        self._is_wanted = False

    async def begin(self) -> None:
        """Read them; changes are told by ``+notify``, before our presence asks for anything."""
        if not self._is_wanted:
            self._is_wanted = True
            await self.client[Nodes].want(bookmarks.NS)
        try:
            self._rooms, self._old = await self._read(), None
        except StanzaError as error:
            if error.condition not in NOWHERE:
                raise
            self._old = await self._read_old()
            self._rooms = bookmarks.from_old(self._old)

    @property
    def rooms(self) -> Mapping[JID, Bookmark]:
        """What is there now."""
        return MappingProxyType(self._rooms)

    async def put(self, room: JID | str, bookmark: Bookmark) -> None:
        """Add one, or change it; what other clients keep with it stays. Raises `StanzaError`."""
        jid = _bare(room)
        before = self._rooms.get(jid)
        if before is not None and bookmark.extensions is None:
            bookmark = replace(bookmark, extensions=before.extensions)
        if self._old is not None:
            await self._write_old(jid, bookmark)
        else:
            node = self.client[Nodes].at(bookmarks.NS)
            await node.publish(bookmark, jid.text, options=bookmarks.OPTIONS)
        await self._changed(jid, bookmark)

    async def remove(self, room: JID | str) -> None:
        """Forget one. Raises `StanzaError` ``item-not-found``."""
        jid = _bare(room)
        if jid not in self._rooms:
            raise StanzaError("item-not-found", f"no bookmark for {jid}")
        if self._old is not None:
            await self._write_old(jid, None)
        else:
            await self.client[Nodes].at(bookmarks.NS).retract(jid.text)
        await self._changed(jid, None)

    async def convert(self) -> int:
        """Take over the bookmarks of older clients that are not here yet; how many (§5).

        Only for servers that do not do so themselves, as they say by
        ``urn:xmpp:bookmarks:1#compat``.
        """
        if self._old is not None:
            return 0
        old = bookmarks.from_old(await self._read_old())
        missing = {jid: mark for jid, mark in old.items() if jid not in self._rooms}
        for jid, mark in missing.items():
            await self.put(jid, mark)
        return len(missing)

    # --- where they are --------------------------------------------------------------

    async def _read(self) -> dict[JID, Bookmark]:
        found: dict[JID, Bookmark] = {}
        try:
            async for one in _items(self.client):
                if (room := _room(one.id)) is not None and len(found) < MOST:
                    found[room] = one.payload
        except StanzaError as error:
            if error.condition != "item-not-found":  # nobody has made the node yet
                raise
        return found

    async def _read_old(self) -> bookmarks.Storage:
        asked = Private((encode(bookmarks.Storage()),))
        answer = await self.client.request(asked, expect=Private)
        inside = answer.content[0] if answer.content else None
        return read(inside, bookmarks.Storage) or bookmarks.Storage()

    async def _write_old(self, room: JID, mark: Bookmark | None) -> None:
        """Read, change, write: others may have written since (XEP-0048 §5)."""
        storage = bookmarks.put(await self._read_old(), room, mark)
        await self.client.request(Private((encode(storage),)), type="set")
        self._old = storage

    # --- what comes ------------------------------------------------------------------

    async def _changed(self, room: JID, bookmark: Bookmark | None) -> None:
        if self._rooms.get(room) == bookmark:
            return
        if bookmark is None:
            del self._rooms[room]
        elif len(self._rooms) < MOST or room in self._rooms:
            self._rooms[room] = bookmark
        await self.client.tell(BookmarkChanged(room, bookmark), room)

    @on(Published)
    async def published(self, event: Published[object]) -> None:
        """Another client has added or changed one: only our own account can tell that (§4)."""
        if event.node != bookmarks.NS:
            return
        if event.service != self.client.jid.bare:
            self.client.forged["bookmark"] += 1
            return
        room, mark = _room(event.id), read(event.payload, Bookmark)  # type: ignore[arg-type]
        if room is not None and mark is not None:
            await self._changed(room, mark)

    @on(Withdrawn)
    async def withdrawn(self, event: Withdrawn) -> None:
        """Another client has removed one, or all."""
        if event.node != bookmarks.NS or event.service != self.client.jid.bare:
            return
        room = _room(event.id) if event.id is not None else None
        for jid in tuple(self._rooms) if event.id is None else (room,):
            if jid is not None:
                await self._changed(jid, None)


def _items(client: Entity) -> AsyncIterator[Published[Bookmark]]:
    return client[Nodes].at(bookmarks.NS).items(Bookmark)


def _bare(room: JID | str) -> JID:
    return (JID.parse(room) if isinstance(room, str) else room).bare


def _room(id: str) -> JID | None:
    """The room that an item is for; None for an id that is no address of one."""
    try:
        jid = JID.parse(id)
    except JIDError:
        return None
    return jid if jid.is_bare else None
