"""Host-meta: where a domain says at what addresses it can be reached through the web."""

from __future__ import annotations

from ..core.payload import attr, children, payload
from . import Spec

SPEC = Spec("XEP-0156", "1.4.0", "Discovering Alternative XMPP Connection Methods")
NS = "http://docs.oasis-open.org/ns/xri/xrd-1.0"
WEBSOCKET = "urn:xmpp:alt-connections:websocket"
BOSH = "urn:xmpp:alt-connections:xbosh"


@payload(NS, "Link")
class Link:
    """One address, and what it is (RFC 6415 §2)."""

    rel: str | None = attr(default=None)
    href: str | None = attr(default=None)


@payload(NS, "XRD")
class HostMeta:
    """The document (RFC 6415 §2)."""

    links: tuple[Link, ...] = children(default=())
