"""Lets no client say in the server's name when something was sent (XEP-0203)."""

from __future__ import annotations

from collections.abc import Container

from ...core.jid import JID
from ...core.stanza import Message, Presence
from ...kit.hooks import Stage
from ...wire import delay
from ..module import Module, sending
from ..session import Session


class _Hosts(Container[JID]):
    """The addresses of all hosts that are served now: each believes its own stamps."""

    def __init__(self, served: Container[str]) -> None:
        self._served = served

    def __contains__(self, sender: object) -> bool:
        return isinstance(sender, JID) and sender.local is None and sender.domain in self._served


class Delay(Module):
    """A stamp of a server is the server's."""

    spec = delay.SPEC
    features = (delay.NS,)

    async def start(self) -> None:
        self._ours = _Hosts(self.host.server.hosts)

    @sending(Stage.REWRITE, Message, Presence)
    def strip(self, stanza: Message | Presence, _: Session) -> Message | Presence | None:
        honest = delay.without_forged(stanza, self._ours)
        return None if honest is stanza else honest
