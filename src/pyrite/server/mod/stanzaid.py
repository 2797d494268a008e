"""Lets nobody name a message in the name of who receives it, or of its server (XEP-0359)."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.jid import JID
from ...core.stanza import Message
from ...kit.hooks import Stage
from ...wire import stanzaid
from ..module import Module, delivering, sending
from ..session import Session


class StanzaId(Module):
    """Takes off ids that only we may give (§5, rule 2), all of them and not only the first.

    Nothing is advertised: it is the archive that gives ids, and says so. What comes in it looks
    at itself then, since in one stage there is no order: its own ids must not be taken off again.
    """

    spec = stanzaid.SPEC

    @sending(Stage.REWRITE, Message)
    def strip_own(self, message: Message, session: Session) -> Message | None:
        """What a client says in the name of its own account."""
        honest = stanzaid.without_forged(message, (session.jid.bare,))
        return None if honest is message else honest

    @delivering(Stage.REWRITE, Message)
    def strip(self, message: Message, owner: JID, _: Sequence[Session]) -> Message | None:
        if "archive" in self.host.modules:
            return None
        honest = stanzaid.without_forged(message, (owner, self.host.jid))
        return None if honest is message else honest
