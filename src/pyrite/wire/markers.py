"""Displayed Markers: a person has seen a message."""

from __future__ import annotations

from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0333", "1.0.0", "Displayed Markers")
NS = "urn:xmpp:chat-markers:0"


@payload(NS, "markable")
class Markable:
    """On a message: say when it was seen (§4)."""


@payload(NS, "received")
class Received:
    """It has arrived: a mark of older versions, which clients still send."""

    id: str = attr()


@payload(NS, "displayed")
class Displayed:
    """It, and all before it, was seen (§4)."""

    id: str = attr()
