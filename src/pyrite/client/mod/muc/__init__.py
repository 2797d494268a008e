"""Rooms: being in them, and what happens there (XEP-0045, with 0249, 0410, 0421 and 0425)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Message, Presence, Stanza
from ....kit.hooks import Stage
from ....wire import chatstates, conference, disco, muc
from ....wire.dataforms import Value
from ....wire.message import Body, Subject
from ....wire.muc import History
from ....wire.roominfo import RoomInfo
from ....wire.rsm import ResultSet
from ...feature import Feature, MessageReceived, PresenceReceived, on, opens, sending
from ...state import Closed, Reset
from .admin import Outside
from .events import (
    AffiliationChanged,
    Banned,
    ConfigChanged,
    Declined,
    Destroyed,
    Excluded,
    Failed,
    HatsChanged,
    Invited,
    Joined,
    Kicked,
    Left,
    Moderated,
    NickChanged,
    Occupant,
    Reason,
    RegistrationAsked,
    Returned,
    RoleChanged,
    RoomEvent,
    Said,
    ShowChanged,
    ShutDown,
    ShutOut,
    StateChanged,
    SubjectChanged,
    VoiceAsked,
    Went,
    Whispered,
    is_final,
)
from .room import Room, Wishes

if TYPE_CHECKING:
    from ...entity import Entity

__all__ = [
    "AffiliationChanged",
    "Banned",
    "ConfigChanged",
    "Declined",
    "Destroyed",
    "Excluded",
    "Failed",
    "HatsChanged",
    "History",
    "Invited",
    "Joined",
    "Kicked",
    "Left",
    "Moderated",
    "Muc",
    "NickChanged",
    "Occupant",
    "Outside",
    "Reason",
    "RegistrationAsked",
    "Returned",
    "RoleChanged",
    "Room",
    "RoomEvent",
    "RoomInfo",
    "Said",
    "ShowChanged",
    "ShutDown",
    "ShutOut",
    "StateChanged",
    "SubjectChanged",
    "VoiceAsked",
    "Went",
    "Whispered",
    "is_final",
]

MOST_ROOMS = 10_000  # of a service that are listed


class Muc(Feature):
    """The rooms that this client is in; all that their stanzas say comes from their address.

    Words in a room that we are not in are nobody's: dropped, and counted in `Client.forged`.
    """

    spec = muc.SPEC
    features = (muc.NS, conference.NS, chatstates.NS)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._rooms: dict[JID, Room] = {}

    @asynccontextmanager
    async def join(
        self,
        jid: JID | str,
        nick: str | None = None,
        *,
        history: int | History | None = None,
        password: str | None = None,
        settings: Mapping[str, Value] | None = None,
        create: bool = True,
    ) -> AsyncIterator[Room]:
        """Be in a room as `nick`, within the block; with so many messages of its `history`, or
        as much as a `History` says.

        Without a nick it is the one that the room keeps for us, or else the name of our account.
        A room that did not exist is made, with `settings` (see `Room.configure`); without
        `create` that is ``item-not-found``. Raises `StanzaError` as the room refuses us:
        ``conflict`` for a nick that somebody has, ``forbidden`` for who is banned,
        ``registration-required``, ``not-authorized`` for the password, ``service-unavailable``
        for a room that is full; and `TimeoutError`.
        """
        address = (JID.parse(jid) if isinstance(jid, str) else jid).bare
        if address in self._rooms:
            raise StanzaError("conflict", "this client is in that room already")
        nick = nick or await self._nick(address)
        wishes = Wishes(nick, password, settings or {}, create)
        room = Room(self.client, address, wishes)
        self._rooms[address] = room
        staying: asyncio.Task[None] | None = None
        try:
            wanted = History(maxstanzas=history) if isinstance(history, int) else history
            await room.enter(wanted)
            staying = asyncio.create_task(room.stay())
            yield room
        finally:
            try:
                if staying is not None:
                    staying.cancel()
                    await asyncio.wait((staying,))
                await room.leave()
            finally:  # also for who is cancelled while the room says goodbye
                del self._rooms[address]
        if not staying.cancelled():
            staying.result()

    async def _nick(self, room: JID) -> str:
        own = self.client.jid
        return await self.at(room).reserved_nick() or own.local or own.domain

    def at(self, room: JID | str) -> Outside:
        """A room that we need not be in, to ask it and to look after it."""
        return Outside(self.client, (JID.parse(room) if isinstance(room, str) else room).bare)

    async def rooms(self, service: JID | str) -> list[disco.Item]:
        """The rooms of a service that it shows to us (§6.3). Raises `StanzaError`."""
        found: list[disco.Item] = []
        page: ResultSet | None = None
        while len(found) < MOST_ROOMS:
            asked = disco.Items(page=page)
            answer = await self.client.request(asked, service, expect=disco.Items)
            found += answer.items
            last = answer.page.last if answer.page is not None else None
            if not answer.items or not last:
                break
            page = ResultSet(after=last)
        return found[:MOST_ROOMS]

    async def decline(self, invitation: Invited, why: str | None = None) -> None:
        """Say that we will not come, where the room can pass it on (§7.8.2)."""
        if invitation.by is None or invitation.is_direct:
            return
        by = invitation.by  # an occupant of the room, where it does not tell more
        by = by if by.bare == invitation.room else by.bare
        user = muc.User(decline=muc.Decline(to=by, reason=why))
        await self.client.send(invitation.room, user, type="normal")

    # --- what comes ------------------------------------------------------------------

    @on(MessageReceived)
    @on(PresenceReceived)
    def hear(self, event: MessageReceived | PresenceReceived) -> Coroutine[Any, Any, None] | None:
        """A stanza of a room that we are in, or are about to be."""
        stanza: Stanza = event.message if isinstance(event, MessageReceived) else event.presence
        sender = stanza.sender
        room = self._rooms.get(sender.bare) if sender is not None else None
        if room is None or (isinstance(event, MessageReceived) and event.outgoing):
            return None
        events = room.take(stanza)
        return room.tell(events) if events else None

    @opens(Body)
    @opens(Subject)
    def guard(self, message: Message) -> bool:
        """Nobody but a room that we are in speaks to all of it."""
        if message.type != "groupchat":
            return False
        if message.sender is not None and message.sender.bare in self._rooms:
            return False
        self.client.forged["room"] += 1
        return True

    @opens(conference.Conference)
    async def invited(self, message: Message) -> bool:
        """Somebody invites us, without the room (XEP-0249 §2)."""
        if message.type == "error" or message.has(muc.User):
            return False
        try:
            asked = message.get(conference.Conference)
        except StanzaError:
            return True
        if asked is not None:
            thread = asked.thread if asked.goes_on else None
            by = message.sender
            told = Invited(asked.jid.bare, by, asked.reason, asked.password, thread, True)
            await self.client.tell(told, by.bare if by is not None else None)
        return True

    @opens(muc.User)
    async def passed_on(self, message: Message) -> bool:
        """The room passes an invitation on, or that ours was declined (§7.8.2)."""
        user, room = muc.user(message), message.sender
        if user is None or room is None or message.type == "error":
            return False
        if not user.invites and user.decline is None:
            return False
        if room.resource is not None:
            self.client.forged["invitation"] += 1
            return True
        for invite in user.invites[:1]:
            thread = invite.goes_on.thread if invite.goes_on is not None else None
            told = Invited(room, invite.sender, invite.reason, user.password, thread)
            await self.client.tell(told, room)
        if user.decline is not None:
            await self.client.tell(Declined(room, user.decline.sender, user.decline.reason), room)
        return True

    # --- what becomes of the session -------------------------------------------------

    @on(Reset)
    def reset(self, _: Reset) -> None:
        """Whoever was in is in no more; each room comes back by itself."""
        for room in self._rooms.values():
            room.lose()

    @on(Closed)
    def closed(self, _: Closed) -> None:
        """Nothing comes any more."""
        for room in self._rooms.values():
            room.end()

    def stop(self) -> None:
        for room in self._rooms.values():
            room.end()

    @sending(Stage.COPY, Presence)
    async def follow(self, presence: Presence) -> None:
        """What everybody is told of us, rooms are told by ourselves (§7.7)."""
        if presence.to is None and presence.type is None:
            for room in tuple(self._rooms.values()):
                await room.follow(presence)
