"""Reporting: why somebody is blocked, for who can do something about it."""

from __future__ import annotations

from ..core.payload import attr, children, flag, lang, payload, text
from . import Spec
from .stanzaid import StanzaId

SPEC = Spec("XEP-0377", "0.4.1", "Blocking Command Reports")
NS = "urn:xmpp:reporting:1"
SPAM = "urn:xmpp:reporting:spam"
ABUSE = "urn:xmpp:reporting:abuse"


@payload(NS, "text")
class Text:
    """Words (§4)."""

    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "report")
class Report:
    """Beside an item that is blocked: why, and by which messages one knows (§4, §6)."""

    reason: str = attr()
    messages: tuple[StanzaId, ...] = children(default=())
    words: tuple[Text, ...] = children(default=())
    to_origin: bool = flag("report-origin", default=False)  # may be told to their server (§5)
    to_others: bool = flag("third-party", default=False)  # may be told to others (§5)
