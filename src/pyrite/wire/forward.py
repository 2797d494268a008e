"""Stanza Forwarding: one stanza carried inside another."""

from __future__ import annotations

from datetime import datetime

from ..core.errors import StanzaError, StreamError
from ..core.jid import JID
from ..core.payload import child, payload
from ..core.stanza import Stanza, read
from ..core.xml import Element
from . import Spec
from .delay import Delay

SPEC = Spec("XEP-0297", "1.0", "Stanza Forwarding")
NS = "urn:xmpp:forward:0"


@payload(NS, "forwarded")
class Forwarded:
    """A stanza as it was, and when (§3). Whether to believe it is for its user to decide (§7)."""

    delay: Delay | None = child(default=None, kw_only=True)
    stanza: Element = child()


def forward(stanza: Stanza, when: datetime | None = None, by: JID | None = None) -> Forwarded:
    """`stanza`, sent at `when` as `by` says."""
    return Forwarded(stanza.to_element(), delay=Delay(when, by) if when else None)


def stanza_in(forwarded: Forwarded) -> Stanza:
    """The stanza inside.

    Raises `StanzaError` ``bad-request`` if it is none, ``jid-malformed`` for its addresses.
    """
    try:
        return read(forwarded.stanza)
    except StreamError as error:
        raise StanzaError("bad-request", str(error)) from None
