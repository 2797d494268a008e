"""Spoilers: what is not to be read before one wants to."""

from __future__ import annotations

from ..core.payload import lang, payload, text
from . import Spec

SPEC = Spec("XEP-0382", "0.2.0", "Spoiler messages")
NS = "urn:xmpp:spoiler:0"


@payload(NS, "spoiler")
class Spoiler:
    """On a message: its body is hidden; what is shown in its place, one for each language (§3)."""

    hint: str = text(default="")
    lang: str | None = lang(default=None)
