"""Says that a message has arrived or was seen, and hears so of one's own (XEP-0184, XEP-0333)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ...core.jid import JID
from ...core.payload import encode
from ...core.stanza import Message
from ...kit.hooks import Stage
from ...wire import markers, receipts
from ...wire.message import has_body
from ..errors import SessionReset
from ..feature import Feature, MessageReceived, Sending, on, opens, sending
from ..receipt import Receipt

if TYPE_CHECKING:
    from ..entity import Entity

MOST = 10_000  # messages whose receipt is waited for
TOO_MANY = "too many messages wait for an answer to wait for this one any longer"


class Receipts(Feature):
    """Takes the receipts of what is sent as far as the other side says, and answers its wishes."""

    spec = receipts.SPEC
    features = (receipts.NS, markers.NS)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._waiting: OrderedDict[tuple[JID, str], Receipt] = OrderedDict()

    @sending(Stage.REWRITE, Message)
    def ask(self, message: Message) -> Message | None:
        """Whatever is said to somebody may be answered for (XEP-0184 §5)."""
        if message.type not in ("chat", "normal", None) or not has_body(message):
            return None
        if message.to is None or message.has(receipts.Request):
            return None
        return message.add(receipts.Request(), markers.Markable())

    @on(Sending)
    def wait(self, event: Sending) -> None:
        """Remember who is to answer for it."""
        message = event.receipt.message
        if message.to is not None and message.id is not None and message.has(receipts.Request):
            self._waiting[message.to.bare, message.id] = event.receipt
            while len(self._waiting) > MOST:
                _, oldest = self._waiting.popitem(last=False)
                oldest.fail(SessionReset(TOO_MANY))

    @opens(receipts.Received)
    def arrived(self, message: Message) -> bool:
        """One of ours has arrived, as one says who can know (XEP-0184 §8)."""
        if message.sender is None:
            return True
        id = receipts.confirms(message, message.sender)
        receipt = self._waiting.get((message.sender.bare, id or ""))
        if receipt is not None:
            receipt.delivered.reach()
        return not has_body(message)

    @opens(markers.Displayed)
    def seen(self, message: Message) -> bool:
        """One of ours, and all before it in that conversation, was seen (XEP-0333 §4)."""
        mark = message.get(markers.Displayed)
        if message.sender is None or mark is None or message.type == "groupchat":
            return False
        peer = message.sender.bare
        if (peer, mark.id) not in self._waiting:
            return not has_body(message)
        for key in [key for key in self._waiting if key[0] == peer]:
            receipt = self._waiting.pop(key)
            receipt.delivered.reach()
            receipt.displayed.reach()
            if key[1] == mark.id:
                break
        return not has_body(message)

    @on(MessageReceived)
    async def answer(self, event: MessageReceived) -> None:
        """Say that it has arrived, if that is asked for, and only where we are seen anyway."""
        self._refused(event.message)
        if event.outgoing or self.client.presence is None:
            return
        if (answer := receipts.answer(event.message)) is not None:
            await self.client.send(answer)

    def _refused(self, message: Message) -> None:
        """One of ours comes back: only from where it went to (RFC 6120 §8.3.1)."""
        sender, error = message.sender, message.error
        if message.type != "error" or sender is None or error is None:
            return
        receipt = self._waiting.get((sender.bare, message.id or ""))
        to = receipt.message.to if receipt is not None else None
        if receipt is not None and to is not None and sender in (to, to.bare):
            del self._waiting[sender.bare, message.id or ""]
            receipt.fail(error)

    async def displayed(self, message: Message) -> None:
        """Say that the user has seen `message`, if its sender wants to know (XEP-0333 §4)."""
        if message.sender is None or message.id is None or not message.has(markers.Markable):
            return
        mark = Message(
            message.type, message.sender, payloads=(encode(markers.Displayed(message.id)),)
        )
        await self.client.send(mark)
