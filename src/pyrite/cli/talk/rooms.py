"""Words for who sits in rooms: which there are, who is in them, and what is said there."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

from ...client.app import Client
from ...client.heard import Heard
from ...client.mod import muc
from ...client.mod.bookmarks import Bookmarks
from ...client.mod.disco import Disco
from ...client.services import services
from ...core.errors import StanzaError
from ...core.jid import JID
from ...wire.muc import NS
from .desk import Desk, Words, word

FEATURES = (Bookmarks, muc.Muc)
HISTORY = 20  # messages that are told to who joins


class Rooms(Words):
    """The rooms that the user is in; what is said goes to the last that was joined."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._in: dict[JID, tuple[muc.Room, AsyncExitStack]] = {}
        self.client.on(muc.Invited)(self._invited)

    @word("[SERVICE]", "which rooms there are")
    async def rooms(self, text: str) -> None:
        found = [JID.parse(text)] if text else []
        if not found:
            found = [jid for jid, _ in await services(self.client, NS)]
        for service in found:
            for item in await self.client[muc.Muc].rooms(service):
                self.desk.note(item.jid)
                self.show(f"  {item.jid} {item.name or ''}".rstrip())

    @word("ROOM [NICK [PASSWORD]]", "sit in a room, which is made if there is none")
    async def join(self, text: str) -> None:
        where, nick, password = (*text.split(), "", "")[:3]
        jid = JID.parse(where)
        await self._check(JID(None, jid.domain))
        stack = AsyncExitStack()
        room = await stack.enter_async_context(
            self.client[muc.Muc].join(
                jid,
                nick or self.client.jid.local or "guest",
                history=HISTORY,
                password=password or None,
            )
        )
        self._in[jid.bare] = room, stack
        self.desk.note(jid.bare)
        self.client.start(self._show(room, room.events()))
        await self.who(str(jid.bare))

    async def _check(self, service: JID) -> None:
        """Raises ValueError for who says to have no rooms: others would say nothing at all."""
        with suppress(StanzaError):
            if not await self.client[Disco].supports(service, NS):
                raise ValueError(f"{service} has no rooms")

    @word("[ROOM]", "sit there no more")
    async def leave(self, text: str) -> None:
        room = self._room(text)
        _, stack = self._in.pop(room.jid)
        await stack.aclose()

    @word("[ROOM]", "who is there")
    async def who(self, text: str) -> None:
        room = self._room(text)
        self.show(f"  {room.jid}: {room.subject or 'no subject'}")
        for occupant in room.occupants.values():
            address = f" {occupant.address}" if occupant.address else ""
            how = f" {occupant.show}" if occupant.show else ""
            self.show(f"  {occupant.nick} ({occupant.role}, {occupant.affiliation}){how}{address}")

    @word("WORDS", "say something in the room that you joined last")
    async def say(self, text: str) -> None:
        await (await self._room("").say(text)).written

    @word("WORDS", "change what the room is about")
    async def subject(self, text: str) -> None:
        await (await self._room("").set_subject(text)).written

    @word("JID", "ask somebody into the room")
    async def invite(self, text: str) -> None:
        await (await self._room("").invite(text)).written

    @word("", "the rooms that you have marked")
    async def bookmarks(self, _: str) -> None:
        for jid, mark in self.client[Bookmarks].rooms.items():
            self.desk.note(jid)
            self.show(f"  {jid} {mark.name or ''}".rstrip())

    async def close(self) -> None:
        while self._in:
            _, (_, stack) = self._in.popitem()
            with suppress(StanzaError, TimeoutError):
                await stack.aclose()

    def _room(self, text: str) -> muc.Room:
        if text:
            found = self._in.get(JID.parse(text).bare)
        else:
            found = next(reversed(self._in.values()), None)
        if found is None:
            raise ValueError("you are not in that room" if text else "you are in no room")
        return found[0]

    # --- what comes ------------------------------------------------------------------

    async def _show(self, room: muc.Room, events: Heard[muc.RoomEvent]) -> None:
        async for event in events:
            if line := _line(event):
                self.show(f"{room.jid}: {line}")
        if self._in.get(room.jid, (None,))[0] is room:
            self.show(f"{room.jid}: you are out")
            _, stack = self._in.pop(room.jid)
            await stack.aclose()

    def _invited(self, event: muc.Invited) -> None:
        self.desk.note(event.room)
        why = f": {event.why}" if event.why else ""
        self.show(f"{event.by or event.room} asks you into {event.room}{why}")


def _line(event: muc.RoomEvent) -> str:
    """What has happened in a room, in words."""
    match event:
        case muc.Said(who, body):
            return f"{who.nick}> {body}" if who is not None else body
        case muc.Whispered(who, body):
            return f"{who.nick} whispers: {body}"
        case muc.Joined(who):
            return f"{who.nick} has come"
        case muc.Left(who, reason):
            return f"{who.nick} has gone ({type(reason).__name__.lower()})"
        case muc.NickChanged(who, before):
            return f"{before} is now {who.nick}"
        case muc.SubjectChanged(subject):
            return f"it is about: {subject}"
        case muc.RoleChanged(who):
            return f"{who.nick} is {who.role}, {who.affiliation}"
        case muc.Destroyed(other, why):
            return f"the room is no more {why or ''} {other or ''}".rstrip()
        case muc.ShutOut(cause):
            return f"not let in again: {cause}"
    return ""


async def is_room(client: Client, jid: JID) -> bool:
    """Whether there is a room at this address, as far as it says."""
    if jid.local is None or jid.domain == client.jid.domain:
        return False
    try:
        return (await client[Disco].info(jid.bare)).is_a("conference", "text")
    except (StanzaError, TimeoutError):
        return False
