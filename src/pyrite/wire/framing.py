"""The beginning and the end of a stream whose elements come one by one, in WebSocket messages."""

from __future__ import annotations

from ..core.payload import attr, lang, payload
from . import Spec

SPEC = Spec("RFC 7395", "2014-10", "An XMPP Subprotocol for WebSocket")
NS = "urn:ietf:params:xml:ns:xmpp-framing"
SUBPROTOCOL = "xmpp"


@payload(NS, "open")
class Open:
    """What the header is on TCP (§3.4). A client names `to`; a server `sender` and `id`."""

    to: str = attr(default="")
    sender: str = attr("from", default="")
    id: str = attr(default="")
    version: str = attr(default="")
    lang: str | None = lang(default=None)


@payload(NS, "close")
class Close:
    """What the footer is on TCP (§3.6). `elsewhere` is where to connect instead (§3.6.1)."""

    elsewhere: str = attr("see-other-uri", default="")
