"""Hats: what somebody is in a room, in the room's own words."""

from __future__ import annotations

from typing import Annotated

from ..core.payload import anything, attr, children, lang, payload
from ..core.values import decimal
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0317", "0.3.1", "Hats")
NS = "urn:xmpp:hats:0"

MOST = 16  # of one person that are looked at

Hue = Annotated[float, decimal(0, 360)]


@payload(NS, "hat")
class Hat:
    """One of them: two of one `uri` are the same (§3.1)."""

    title: str = attr()
    uri: str = attr()
    hue: Hue | None = attr(default=None)  # degrees; a colour as in XEP-0392
    lang: str | None = lang(default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "hats")
class Hats:
    """On an occupant's presence, from the room: all of them (§3.1)."""

    hats: tuple[Hat, ...] = children(default=())
