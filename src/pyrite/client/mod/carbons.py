"""Shows what the user's other clients say and hear as if it had happened here (XEP-0280)."""

from __future__ import annotations

from ...core.errors import StanzaError
from ...core.stanza import Message
from ...wire import carbons
from ..feature import Feature, MessageReceived, opens


class Carbons(Feature):
    """Copies, asked for whenever a session begins."""

    spec = carbons.SPEC
    features = (carbons.NS,)
    is_enabled = False

    async def begin(self) -> None:
        """Ask for copies, unless the log-in did so (XEP-0386 §3.2); some servers have none."""
        self.is_enabled = self.client.begins_with_carbons
        if not self.is_enabled:
            try:
                await self.client.request(carbons.Enable(), type="set")
                self.is_enabled = True
            except StanzaError:
                return

    @opens(carbons.Sent)
    @opens(carbons.Received)
    async def show(self, message: Message) -> bool:
        """Tell of the message inside; a copy that is not our own server's is dropped (§11)."""
        carbon = carbons.unwrap(message, self.client.jid)
        if carbon is None:
            self.client.forged["carbon"] += 1
            return True
        event = MessageReceived(carbon.message, outgoing=carbon.is_sent)
        await self.client.tell(event, event.peer)
        return True
