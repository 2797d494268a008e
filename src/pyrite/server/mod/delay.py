"""Lets no client say in the server's name when something was sent (XEP-0203)."""

from __future__ import annotations

from ...core.stanza import Message, Presence
from ...kit.hooks import Stage
from ...wire import delay
from ..module import Module, sending
from ..session import Session


class Delay(Module):
    """A stamp of the server is the server's."""

    spec = delay.SPEC
    features = (delay.NS,)

    async def start(self) -> None:
        self._ours = frozenset((self.host.jid,))

    @sending(Stage.REWRITE, Message, Presence)
    def strip(self, stanza: Message | Presence, _: Session) -> Message | Presence | None:
        honest = delay.without_forged(stanza, self._ours)
        return None if honest is stanza else honest
