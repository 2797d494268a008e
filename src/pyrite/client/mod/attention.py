"""Alerts somebody, and lets oneself be alerted (XEP-0224)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.frozen import frozen
from ...core.jid import JID
from ...core.stanza import Message
from ...kit.cache import Cache
from ...wire import attention
from ..feature import Feature, MessageReceived, on
from ..receipt import Receipt

if TYPE_CHECKING:
    from ..entity import Entity

PAUSE = 30.0  # seconds until the same person is let through again
MOST = 1000  # people whose pause is remembered


@frozen
class AttentionAsked:
    """Somebody (full) wants the user to look up. `message` may have words."""

    sender: JID
    message: Message


class Attention(Feature):
    """A program that uses this alerts its user, and says so to others (§6).

    `accepts` says whose alerts count: by default everybody's; contacts' alone with
    ``me[Attention].accepts = me[Roster].__contains__`` (§7).
    """

    spec = attention.SPEC
    features = (attention.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.accepts: Callable[[JID], bool] = _anybody
        self._lately: Cache[JID, bool] = Cache(MOST, PAUSE, client.clock.monotonic)

    async def ask(self, jid: JID | str, *content: object) -> Receipt:
        """Alert `jid`, with or without a text: nobody keeps that until later (§4)."""
        return await self.client.send(jid, attention.Attention(), *content, type="headline")

    @on(MessageReceived)
    async def heard(self, event: MessageReceived) -> None:
        """Tell, once in a while."""
        sender = event.message.sender
        if event.outgoing or sender is None or not attention.is_asked(event.message):
            return
        if not self.accepts(sender.bare) or self._lately.get(sender.bare):
            return
        self._lately.put(sender.bare, True)
        await self.client.tell(AttentionAsked(sender, event.message), sender.bare)


def _anybody(_: JID) -> bool:
    return True
