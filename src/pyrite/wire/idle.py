"""Last User Interaction in Presence: since when nobody has touched the device."""

from __future__ import annotations

from datetime import datetime

from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0319", "1.0.2", "Last User Interaction in Presence")
SPEC_LAST = Spec("XEP-0256", "1.1", "Last Activity in Presence")
NS = "urn:xmpp:idle:1"


@payload(NS, "idle")
class Idle:
    """On presence (§3). COMPAT: older clients put a `last.Last` there (XEP-0256)."""

    since: datetime = attr()
