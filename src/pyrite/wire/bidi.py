"""Bidirectional streams: two servers use one connection for both directions."""

from __future__ import annotations

from ..core.payload import child, payload
from . import Spec
from .limits import Limits

SPEC = Spec("XEP-0288", "1.0.1", "Bidirectional Server-to-Server Connections")
NS = "urn:xmpp:bidi"
NS_FEATURE = "urn:xmpp:features:bidi"


@payload(NS_FEATURE, "bidi")
class Feature:
    """The stream feature: it may be asked for (§2.1)."""


@payload(NS, "bidi")
class Bidi:
    """It is asked for, before authentication (§2.2), perhaps with limits (XEP-0478 §3.2)."""

    limits: Limits | None = child(default=None)
