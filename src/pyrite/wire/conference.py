"""Direct MUC Invitations: come into this room, from one person to another."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0249", "1.2", "Direct MUC Invitations")
NS = "jabber:x:conference"


@payload(NS, "x")
class Conference:
    """On a message: which room, and what is needed to come in (§2)."""

    jid: JID = attr()
    password: str | None = attr(default=None)
    reason: str | None = attr(default=None)
    goes_on: bool = attr("continue", default=False)
    thread: str | None = attr(default=None)
