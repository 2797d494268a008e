"""User Tune: what somebody listens to."""

from __future__ import annotations

from ..core.payload import child_text, payload
from ..core.values import UnsignedByte, UnsignedShort
from . import Spec

SPEC = Spec("XEP-0118", "1.3.0", "User Tune")
NS = "http://jabber.org/protocol/tune"


@payload(NS, "tune")
class Tune:
    """A piece of music; empty: silence (§2.1). `length` is in seconds, `rating` from 1 to 10."""

    artist: str | None = child_text(default=None)
    length: UnsignedShort | None = child_text(default=None)
    rating: UnsignedByte | None = child_text(default=None)
    source: str | None = child_text(default=None)
    title: str | None = child_text(default=None)
    track: str | None = child_text(default=None)
    uri: str | None = child_text(default=None)
    composer: str | None = child_text(default=None)
    date: str | None = child_text(default=None)
    genre: str | None = child_text(default=None)
    language: str | None = child_text(default=None)
    lyricist: str | None = child_text(default=None)
    performer: str | None = child_text(default=None)
