"""XMPP Ping: is the other side there at all?"""

from __future__ import annotations

from ..core.payload import payload
from . import Spec

SPEC = Spec("XEP-0199", "2.0.1", "XMPP Ping")
NS = "urn:xmpp:ping"


@payload(NS, "ping")
class Ping:
    """Ask for an empty answer (§3). A refusal is an answer too."""
