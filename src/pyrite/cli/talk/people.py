"""Words for who talks with people: contacts, messages, and what was said before."""

from __future__ import annotations

from contextlib import suppress

from ...client.feature import MessageReceived, PresenceReceived
from ...client.mod.archive import Archive
from ...client.mod.blocking import Blocking
from ...client.mod.carbons import Carbons
from ...client.mod.receipts import Receipts
from ...client.mod.roster import Roster
from ...client.mod.upload import Upload
from ...core.errors import StanzaError
from ...core.jid import JID
from ...wire import muc
from ...wire import presence as wire
from .desk import Desk, Words, line_of, word
from .rooms import is_room

FEATURES = (Archive, Blocking, Carbons, Receipts, Roster, Upload)
SHOWN = 20  # messages of an archive
SHOWS: dict[str, wire.Availability] = {"away": "away", "chat": "chat", "dnd": "dnd", "xa": "xa"}


class People(Words):
    """Contacts, and conversations with single people."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.client.on(MessageReceived)(self._heard)
        self.client.on(PresenceReceived)(self._seen)

    @word("", "your contacts")
    async def roster(self, _: str) -> None:
        roster = self.client[Roster]
        for item in roster:
            self.desk.note(item.jid)
            mark = "*" if roster.is_there(item.jid) else " "
            self.show(f"{mark} {item.jid} {item.name or ''} ({item.subscription})")

    @word("JID [NAME]", "have somebody among your contacts, and ask to see their presence")
    async def add(self, text: str) -> None:
        jid, _, name = text.partition(" ")
        await self.client[Roster].put(jid, name or None)
        await self.client[Roster].subscribe(jid)

    @word("JID", "let somebody see your presence")
    async def approve(self, text: str) -> None:
        await self.client[Roster].approve(text)

    @word("JID", "have somebody among your contacts no more")
    async def remove(self, text: str) -> None:
        await self.client[Roster].remove(text)

    @word("[JID]", "hear nothing of somebody any more; who is blocked already")
    async def block(self, text: str) -> None:
        if text:
            await self.client[Blocking].block(text)
        for jid in self.client[Blocking]:
            self.show(f"  {jid}")

    @word("JID", "hear of somebody again")
    async def unblock(self, text: str) -> None:
        await self.client[Blocking].unblock(text)

    @word("[away|chat|dnd|xa|off] [WORDS]", "what others see of you")
    async def presence(self, text: str) -> None:
        kind, _, words = text.partition(" ")
        if kind == "off":
            await self.client.send_presence(wire.unavailable(words))
        elif kind in SHOWS:
            await self.client.send_presence(wire.available(SHOWS[kind], words))
        else:
            await self.client.send_presence(wire.available(status=text))

    @word("JID WORDS", "say something to somebody")
    async def send(self, text: str) -> None:
        to, _, words = text.partition(" ")
        if not words:
            raise ValueError("send JID WORDS")
        receipt = await self.client.send(to, words)
        self.desk.note(JID.parse(to))
        await receipt.written

    @word("FILE JID", "put a file on the server, and tell somebody where it is")
    async def upload(self, text: str) -> None:
        path, _, to = text.rpartition(" ")
        if not path:
            raise ValueError("upload FILE JID")
        self.show(f"  {await self.client[Upload].send(path, to)}")

    @word("[JID [COUNT]]", "the last messages, with somebody or in a room")
    async def archive(self, text: str) -> None:
        who, _, count = text.partition(" ")
        most = int(count) if count else SHOWN
        jid = JID.parse(who) if who else None
        with_, of = (None, jid) if jid and await is_room(self.client, jid) else (jid, None)
        found: list[str] = []
        async for one in self.client[Archive].query(with_, of=of, page=most, newest_first=True):
            found.append(f"  {one.stamp:%Y-%m-%d %H:%M} {line_of(one.message)}")
            if len(found) >= most:
                break
        for line in reversed(found):
            self.show(line)

    # --- what comes ------------------------------------------------------------------

    def _heard(self, event: MessageReceived) -> None:
        if event.message.type == "groupchat":
            return  # a room's is shown as such
        if line := line_of(event.message):
            self.show(line)
        if event.peer is not None:
            self.desk.note(event.peer)

    def _seen(self, event: PresenceReceived) -> None:
        presence, sender = event.presence, event.presence.sender
        if sender is None or sender == self.client.jid or presence.has(muc.User):
            return  # a room's is shown as such
        self.desk.note(sender.bare)
        if presence.type == "subscribe":
            self.show(f"{sender.bare} wants to see your presence; try: approve {sender.bare}")
            return
        with suppress(StanzaError):
            status = presence.get(wire.Status)
            words = f": {status.text}" if status is not None and status.text else ""
            how = presence.type or wire.show(presence) or "available"
            self.show(f"{sender} is {how}{words}")
