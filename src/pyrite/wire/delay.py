"""Delayed Delivery: when a stanza was really sent."""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import attr, decode, name_of, payload, text
from ..core.stanza import Stanza
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0203", "2.0", "Delayed Delivery")
NS = "urn:xmpp:delay"

S = TypeVar("S", bound=Stanza)


@payload(NS, "delay")
class Delay:
    """When it was sent, who kept it since (`sender`), and why (§3)."""

    stamp: datetime = attr()
    sender: JID | None = attr("from", default=None)
    reason: str = text(default="")


_NAME = name_of(Delay)


def stamped(stanza: S, when: datetime, by: JID, reason: str = "") -> S:
    """`stanza` with the word of `by`, who kept it; what others said stays (§4)."""
    return stanza.add(Delay(when, by, reason))


def stamp_by(stanza: Stanza, by: JID) -> datetime | None:
    """When it was sent, as `by` says; to be believed if nobody else can say so in its name."""
    for element in stanza.payloads:
        if element.name == _NAME and _claims(element, (by,)):
            with suppress(StanzaError):
                return decode(Delay, element).stamp
    return None


def without_forged(stanza: S, ours: Container[JID]) -> S:
    """Without any delay in the name of one of `ours`: what comes from outside cannot know.

    Also drops those that are malformed. The same object if there is nothing to drop.
    """
    return stanza.without(_NAME, lambda element: _claims(element, ours))


def _claims(element: Element, ours: Container[JID]) -> bool:
    try:
        return decode(Delay, element).sender in ours
    except StanzaError:
        return True
