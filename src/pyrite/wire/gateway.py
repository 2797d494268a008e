"""Gateways: how to say an address of another network, and which address stands for it."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import child_text, payload
from . import Spec

SPEC = Spec("XEP-0100", "1.0", "Gateway Interaction")
NS = "jabber:iq:gateway"


@payload(NS, "query")
class Query:
    """Asked: what to ask a person for; told what was entered: the address of it (§6.3)."""

    desc: str | None = child_text(default=None)
    prompt: str | None = child_text(default=None)
    jid: JID | None = child_text(default=None)
