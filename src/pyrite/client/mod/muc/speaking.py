"""What is said in a room: to all of it, to one of it, and to those who are not in it yet."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Message
from ....kit.cache import Cache
from ....wire import chatstates, conference, hints, muc, roominfo
from ....wire.message import Subject
from ....wire.stanzaid import OriginId
from ...feature import bodies
from ...receipt import Receipt

if TYPE_CHECKING:
    from ...entity import Entity

UNSEEN = 1000  # messages of ours that the room has not told to all yet


class Speaking:
    """Messages of ours to a room; their receipts go as far as the room tells."""

    def __init__(self, client: Entity, jid: JID, password: str | None) -> None:
        self.client, self.jid, self._password = client, jid, password
        self._state: chatstates.ChatState | None = None  # as we have shown it, if ever
        self._unseen: Cache[str, Receipt] = Cache(UNSEEN)

    async def say(self, *content: object) -> Receipt:
        """Say something to all: a text or payloads.

        `acked`, and `delivered`, are reached when the room has told it to all. Where it does
        not, the receipt fails with the room's `StanzaError`.
        """
        message = Message("groupchat", self.jid, id=self.client.ids())
        message = message.add(*bodies(content), OriginId(message.id or ""))
        if self._state is not None:  # who has shown any shows them with words, too (XEP-0085 §5.3)
            self._state = chatstates.Active()
            message = message.add(self._state)
        receipt = await self.client.send(message)
        self._unseen.put(message.id or "", receipt)
        return receipt

    async def show(self, state: chatstates.ChatState) -> None:
        """Let all know that we are typing, or have stopped. Nothing is sent twice, nor that we
        are gone, which our presence says (XEP-0085 §5.3, §5.5). Each goes to everybody here."""
        if state in (self._state, chatstates.Gone()):
            return
        self._state = state
        message = Message("groupchat", self.jid, id=self.client.ids())
        await self.client.send(message.add(state, hints.NoStore()))

    async def whisper(self, nick: str, *content: object) -> Receipt:
        """Say something to one occupant alone (§7.5)."""
        receipt = await self.client.send(self.jid.at(nick), *content, muc.User())
        self._unseen.put(receipt.message.id or "", receipt)
        return receipt

    async def set_subject(self, subject: str) -> Receipt:
        """What is to be talked about (§8.1)."""
        message = Message("groupchat", self.jid, id=self.client.ids()).add(Subject(subject))
        receipt = await self.client.send(message)
        self._unseen.put(message.id or "", receipt)
        return receipt

    async def ask_voice(self, role: muc.Role = "participant") -> Receipt:
        """Ask the moderators for a voice, as a visitor (§7.13). They may not answer."""
        receipt = await self.client.send(self.jid, roominfo.voice(role), type="normal")
        self._unseen.put(receipt.message.id or "", receipt)
        return receipt

    async def invite(
        self,
        jid: JID | str,
        why: str | None = None,
        *,
        direct: bool = False,
        thread: str | None = None,
    ) -> Receipt:
        """Ask somebody to come: through the room, which may make them a member (§7.8.2).

        `direct`: without the room, which may not know of it (XEP-0249). `thread`: of the
        conversation of two that goes on here (§7.9).
        """
        guest = JID.parse(jid) if isinstance(jid, str) else jid
        goes_on = thread is not None
        if direct:
            word = self._password
            asked = conference.Conference(self.jid, word, why, goes_on, thread)
            return await self.client.send(guest, asked, type="normal")
        more = muc.Continue(thread) if goes_on else None
        user = muc.User(invites=(muc.Invite(to=guest, reason=why, goes_on=more),))
        receipt = await self.client.send(self.jid, user, type="normal")
        self._unseen.put(receipt.message.id or "", receipt)
        return receipt

    def reflected(self, message: Message, nick: str) -> None:
        """What we have said has come back: the room has told it to all."""
        if message.sender is None or message.sender.resource != nick:
            return
        with suppress(StanzaError):
            origin = message.get(OriginId)
            for id in (message.id, origin.id if origin is not None else None):
                receipt = self._unseen.get(id or "")
                if receipt is not None:
                    self._unseen.pop(id or "")
                    receipt.acked.reach()
                    receipt.delivered.reach()

    def bounced(self, id: str, error: Exception) -> None:
        """The room refuses one of them."""
        receipt = self._unseen.get(id)
        if receipt is not None:
            self._unseen.pop(id)
            receipt.fail(error)
