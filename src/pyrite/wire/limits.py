"""Stream Limits Advertisement: how large and how quiet a peer may be."""

from __future__ import annotations

from ..core.payload import child_text, payload
from ..core.values import PositiveInt
from . import Spec

SPEC = Spec("XEP-0478", "0.2.0", "Stream Limits Advertisement")
NS = "urn:xmpp:stream-limits:0"


@payload(NS, "limits")
class Limits:
    """The stream feature: octets of one stanza, seconds of silence (§3.1)."""

    max_bytes: PositiveInt | None = child_text("max-bytes", default=None)
    idle_seconds: PositiveInt | None = child_text("idle-seconds", default=None)


def refusal_text(limits: Limits) -> str:
    """Why a stanza is not sent on a stream with these limits (§4); for ``policy-violation``."""
    return f"the stream takes stanzas of at most {limits.max_bytes} octets"
