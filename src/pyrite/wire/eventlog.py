"""Event logging: what happened in a device or a program, for who keeps such things."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..core.payload import attr, child_text, children, payload
from . import Spec

SPEC = Spec("XEP-0337", "0.3", "Event Logging over XMPP")
NS = "urn:xmpp:eventlog"

Type = Literal[
    "Debug", "Informational", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"
]
Level = Literal["Minor", "Medium", "Major"]


@payload(NS, "tag")
class Tag:
    """Something more, with its type (§3.6)."""

    name: str = attr()
    value: str = attr()
    type: str | None = attr(default=None)


@payload(NS, "log")
class Log:
    """One event (§3)."""

    timestamp: datetime = attr()
    id: str | None = attr(default=None)
    type: Type = attr(default="Informational")
    level: Level = attr(default="Minor")
    object: str | None = attr(default=None)
    subject: str | None = attr(default=None)
    facility: str | None = attr(default=None)
    module: str | None = attr(default=None)
    message: str = child_text(default="", always=True)
    tags: tuple[Tag, ...] = children(default=())
    stack: str | None = child_text("stackTrace", default=None)
