"""Lets nobody name a message in the name of who receives it, or of its server (XEP-0359)."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.jid import JID
from ...core.stanza import Message
from ...kit.hooks import Stage
from ...wire import stanzaid
from ..module import Module, delivering
from ..session import Session


class StanzaId(Module):
    """Takes off ids that only we may give (§5, rule 2), all of them and not only the first.

    Nothing is advertised: what is left says nothing, since no archive of ours gives any.
    """

    spec = stanzaid.SPEC

    @delivering(Stage.REWRITE, Message)
    def strip(self, message: Message, owner: JID, _: Sequence[Session]) -> Message | None:
        honest = stanzaid.without_forged(message, (owner, self.host.jid))
        return None if honest is message else honest
