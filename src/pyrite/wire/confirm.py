"""Verifying HTTP requests: somebody who logs in on the web confirms it by XMPP."""

from __future__ import annotations

from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0070", "1.0.2", "Verifying HTTP Requests via XMPP")
NS = "http://jabber.org/protocol/http-auth"


@payload(NS, "confirm")
class Confirm:
    """Whether it was you who asked for `url`; in the answer, that it was (§4.5, §4.6)."""

    id: str = attr()
    method: str = attr()
    url: str = attr()
