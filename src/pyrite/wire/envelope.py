"""Stanza content encryption: what is put into an encrypted message, and around it."""

from __future__ import annotations

from datetime import datetime

from ..core.jid import JID
from ..core.payload import anything, attr, child, child_text, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0420", "0.5.0", "Stanza Content Encryption")
NS = "urn:xmpp:sce:1"


@payload(NS, "from")
class From:
    """Who says it: another sender of the stanza is a forger (§4)."""

    jid: JID = attr()


@payload(NS, "to")
class To:
    """Whom it is for: it is not to be sent on to another (§4)."""

    jid: JID = attr()


@payload(NS, "time")
class Time:
    """When it was said: another time of the stanza is a repetition (§4)."""

    stamp: datetime = attr()


@payload(NS, "content")
class Content:
    """What was meant to be said."""

    content: tuple[Element, ...] = anything(default=())


@payload(NS, "envelope")
class Envelope:
    """It, and what must be as it is outside (§4)."""

    content: Content = child()
    sender: From | None = child(default=None)
    to: To | None = child(default=None)
    time: Time | None = child(default=None)
    padding: str | None = child_text("rpad", default=None)
