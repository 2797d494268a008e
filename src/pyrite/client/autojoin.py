"""Being in the rooms that the user's bookmarks say to be in (XEP-0402 §4)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..core.errors import StanzaError
from ..core.frozen import frozen
from ..core.jid import JID
from ..wire import bookmarks
from ..wire.bookmarks import Bookmark
from .errors import SessionClosed, SessionReset
from .feature import Feature, on
from .mod.bookmarks import BookmarkChanged, Bookmarks
from .mod.muc import Muc, Room, is_final

if TYPE_CHECKING:
    from .entity import Entity

MOST = 500  # rooms; further ones are not joined
AT_ONCE = 5  # rooms that are being entered
WAITS = (10.0, 60.0, 300.0)  # seconds before each further try


@frozen
class RoomJoined:
    """We are in a room that is bookmarked; `room` is as `Muc.join` gives it."""

    room: Room


@frozen
class RoomNotJoined:
    """A room that is bookmarked does not let us in; with `is_final`, it is not asked again
    before the bookmark changes or another session begins."""

    room: JID
    error: Exception
    is_final: bool


class Stay:
    """One room that we are to be in, until it is said to leave."""

    def __init__(self) -> None:
        self.room: Room | None = None
        self.task: asyncio.Task[None] | None = None
        self.leaving = asyncio.Event()

    async def until_left(self, other: Coroutine[Any, Any, None]) -> bool:
        """Wait for `other`, or to be told to leave: whether that is so."""
        told = asyncio.ensure_future(self.leaving.wait())
        waited = asyncio.ensure_future(other)
        try:
            await asyncio.wait((told, waited), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (told, waited):
                task.cancel()
            await asyncio.wait((told, waited))
        return self.leaving.is_set()


class Autojoin(Feature):
    """Joins the rooms with `Bookmark.autojoin`, and leaves those that have it no longer; also
    when another client of the user's changes them. Rooms that the program has joined itself are
    left alone. `nick` is ours where a bookmark has none, and `history` as in `Muc.join`.
    """

    spec = bookmarks.SPEC
    needs = (Bookmarks, Muc)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.nick: str | None = None
        self.history: int | None = None
        self._stays: dict[JID, Stay] = {}
        self._entering = asyncio.Semaphore(AT_ONCE)

    @property
    def rooms(self) -> Mapping[JID, Room]:
        """Those that we are in by their bookmarks."""
        stays = self._stays.items()
        return MappingProxyType({jid: one.room for jid, one in stays if one.room is not None})

    async def begin(self) -> None:
        """The bookmarks have been read: they may be others than in the last session."""
        marks = self.client[Bookmarks].rooms
        for room in [*marks, *(room for room in self._stays if room not in marks)]:
            self._settle(room, marks.get(room))

    @on(BookmarkChanged)
    def changed(self, event: BookmarkChanged) -> None:
        """Here or on another client (§4.3)."""
        self._settle(event.room, event.bookmark)

    def _settle(self, room: JID, mark: Bookmark | None) -> None:
        stay = self._stays.get(room)
        if mark is None or not mark.autojoin:
            if stay is not None:
                stay.leaving.set()
        elif (stay is None or stay.leaving.is_set()) and len(self._stays) < MOST:
            before = stay.task if stay is not None else None
            stay = self._stays[room] = Stay()
            stay.task = self.client.start(self._be_in(room, mark, stay, before))

    async def _be_in(
        self, room: JID, mark: Bookmark, stay: Stay, before: asyncio.Task[None] | None
    ) -> None:
        """Be there until we are to leave it, or it does not have us; once we have left it."""
        try:
            if before is not None:
                await asyncio.wait((before,))
            for number in range(len(WAITS) + 1):
                try:
                    await self._join(room, mark, stay)
                    return
                except (StanzaError, TimeoutError) as error:
                    is_last = is_final(error) or number == len(WAITS)
                    await self.client.tell(RoomNotJoined(room, error, is_last), room)
                    if is_last:
                        return
                if await stay.until_left(self.client.clock.sleep(WAITS[number])):
                    return
        except (SessionReset, SessionClosed):
            return  # the next session asks again
        finally:
            if self._stays.get(room) is stay:
                del self._stays[room]

    async def _join(self, room: JID, mark: Bookmark, stay: Stay) -> None:
        joining = self.client[Muc].join(
            room, mark.nick or self.nick, password=mark.password, history=self.history
        )
        async with self._entering:
            entered = await joining.__aenter__()
        try:
            stay.room = entered
            await self.client.tell(RoomJoined(entered), room)
            await stay.until_left(entered.over())
        finally:
            stay.room = None
            await joining.__aexit__(None, None, None)

    def stop(self) -> None:
        for stay in self._stays.values():
            if stay.task is not None:
                stay.task.cancel()
