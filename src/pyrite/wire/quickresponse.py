"""Quick responses: answers to choose from, and things to do with a click."""

from __future__ import annotations

from ..core.payload import attr, lang, payload
from . import Spec

SPEC = Spec("XEP-0439", "0.1.0", "Quick Response")
NS = "urn:xmpp:tmp:quick-response"


@payload(NS, "response")
class Response:
    """An answer that may be given; who chooses it says `value` (§4.1)."""

    value: str = attr()
    label: str | None = attr(default=None)
    lang: str | None = lang(default=None)


@payload(NS, "action")
class Action:
    """A thing that may be done (§4.2)."""

    id: str = attr()
    label: str = attr()
    lang: str | None = lang(default=None)


@payload(NS, "action-selected")
class Selected:
    """It is to be done (§4.3)."""

    id: str = attr()
