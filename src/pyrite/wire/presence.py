"""Presence: what a stanza says beside its type."""

from __future__ import annotations

from typing import Literal

from ..core.errors import StanzaError
from ..core.payload import encode, lang, payload, text
from ..core.stanza import NS, Presence
from ..core.values import Byte
from . import Spec
from .subscription import KINDS

SPEC = Spec("RFC 6121", "2011-03", "XMPP: Instant Messaging and Presence, §4 presence")

Availability = Literal["away", "chat", "dnd", "xa"]

#: Every type of a presence stanza but the absent one, which says: available (§4.7.1).
TYPES = KINDS | {"unavailable", "probe", "error"}


@payload(NS, "show")
class Show:
    """How available the resource is; absent: simply available (§4.7.2.1)."""

    value: Availability = text()


@payload(NS, "status")
class Status:
    """A person's words about it, one for each language (§4.7.2.2)."""

    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "priority")
class Priority:
    """Below zero, no message for the bare address comes here (§4.7.2.3)."""

    value: Byte = text()


def available(show: Availability | None = None, status: str = "", priority: int = 0) -> Presence:
    """A presence that says so, without what would say nothing."""
    parts = [
        Show(show) if show else None,
        Status(status) if status else None,
        Priority(priority) if priority else None,
    ]
    return Presence(payloads=[encode(part) for part in parts if part])


def unavailable(status: str = "") -> Presence:
    return Presence("unavailable", payloads=[encode(Status(status))] if status else ())


def check(presence: Presence) -> None:
    """Raises `StanzaError` ``bad-request`` for a type, `show` or priority that is none.

    For what our own clients send. What comes from elsewhere is taken as it is: see `priority`.
    """
    if presence.type is not None and presence.type not in TYPES:
        raise StanzaError("bad-request", f"no presence has type {presence.type[:32]!a}")
    presence.get(Show)
    presence.get(Priority)


def priority(presence: Presence) -> int:
    """The priority, from -128 to 127; 0 where there is none, or none that means anything."""
    try:
        found = presence.get(Priority)
    except StanzaError:
        return 0
    return found.value if found else 0


def show(presence: Presence) -> Availability | None:
    """How available; ``None``, simply available, also for a word that is not defined."""
    try:
        found = presence.get(Show)
    except StanzaError:
        return None
    return found.value if found else None
