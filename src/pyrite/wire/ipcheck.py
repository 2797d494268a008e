"""Server IP check: from which address one's server sees one's connection."""

from __future__ import annotations

from ..core.payload import child_text, payload
from ..core.values import UnsignedShort
from . import Spec

SPEC = Spec("XEP-0279", "0.2", "Server IP Check")
NS = "urn:xmpp:sic:1"


@payload(NS, "address")
class Address:
    """The question, or the answer (§2)."""

    ip: str | None = child_text(default=None)
    port: UnsignedShort | None = child_text(default=None)
