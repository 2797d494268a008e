"""Resource locking: to which of somebody's clients one writes."""

from __future__ import annotations

from ..core.frozen import frozen
from ..core.jid import JID
from ..core.stanza import Message, Presence, Stanza
from . import Spec
from .chatstates import Gone

SPEC = Spec("XEP-0296", "0.2", "Best Practices for Resource Locking")


@frozen
class Lock:
    """A conversation: `to` is where the next message goes, at first to all clients (§3)."""

    to: JID

    def after(self, stanza: Stanza) -> Lock:
        """Where it goes once `stanza` has come; another's changes nothing (§3)."""
        sender = stanza.sender
        if sender is None or sender.bare != self.to.bare or stanza.type == "error":
            return self
        if isinstance(stanza, Presence) or stanza.has(Gone):
            return Lock(sender.bare)
        if isinstance(stanza, Message) and stanza.type == "chat" and stanza.body is not None:
            return Lock(sender)
        return self
