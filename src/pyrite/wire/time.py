"""Entity Time: what time it is there, and in which zone."""

from __future__ import annotations

from datetime import UTC, datetime, timezone

from ..core.payload import child_text, payload
from . import Spec

SPEC = Spec("XEP-0202", "2.0", "Entity Time")
NS = "urn:xmpp:time"


@payload(NS, "time")
class Time:
    """The question, and the answer: an answer has both (§2)."""

    tzo: timezone | None = child_text(default=None)
    utc: datetime | None = child_text(default=None)


def answer(now: datetime) -> Time:
    """`now`, which knows its zone, to whole seconds."""
    offset = now.utcoffset()
    zone = timezone(offset) if offset else UTC
    return Time(zone, now.astimezone(UTC).replace(microsecond=0))
