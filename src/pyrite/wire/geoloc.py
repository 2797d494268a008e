"""User Location: where somebody is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ..core.payload import child_text, lang, payload
from ..core.values import decimal
from . import Spec

SPEC = Spec("XEP-0080", "1.9.1", "User Location")
NS = "http://jabber.org/protocol/geoloc"


Decimal = Annotated[float, decimal(-1e12, 1e12)]
Latitude = Annotated[float, decimal(-90, 90)]
Longitude = Annotated[float, decimal(-180, 180)]


@payload(NS, "geoloc")
class Geoloc:
    """A place, by numbers (degrees, metres, metres per second) or by words; empty: not told."""

    lang: str | None = lang(default=None)
    accuracy: Decimal | None = child_text(default=None)
    alt: Decimal | None = child_text(default=None)
    altaccuracy: Decimal | None = child_text(default=None)
    area: str | None = child_text(default=None)
    bearing: Decimal | None = child_text(default=None)
    building: str | None = child_text(default=None)
    country: str | None = child_text(default=None)
    countrycode: str | None = child_text(default=None)
    datum: str | None = child_text(default=None)
    description: str | None = child_text(default=None)
    error: Decimal | None = child_text(default=None)
    floor: str | None = child_text(default=None)
    lat: Latitude | None = child_text(default=None)
    locality: str | None = child_text(default=None)
    lon: Longitude | None = child_text(default=None)
    postalcode: str | None = child_text(default=None)
    region: str | None = child_text(default=None)
    room: str | None = child_text(default=None)
    speed: Decimal | None = child_text(default=None)
    street: str | None = child_text(default=None)
    text: str | None = child_text(default=None)
    timestamp: datetime | None = child_text(default=None)
    tzo: str | None = child_text(default=None)
    uri: str | None = child_text(default=None)
    regioncode: str | None = child_text(default=None)
