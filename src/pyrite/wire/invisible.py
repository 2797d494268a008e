"""Invisible command: a session that others do not see."""

from __future__ import annotations

from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0186", "0.14.0", "Invisible Command")
NS = "urn:xmpp:invisible:1"


@payload(NS, "invisible")
class Invisible:
    """From now on nobody sees it; whether the presence of others is still asked for (§3.1)."""

    probe: bool = attr(default=False)


@payload(NS, "visible")
class Visible:
    """From now on all do, who may (§3.2)."""
