"""What goes on in rooms where one is not, or was not for a while."""

from __future__ import annotations

from typing import Annotated

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import attr, child_texts, payload
from ..core.values import decimal, form_of
from . import Spec
from .disco import Info

SPEC = Spec("XEP-0437", "0.2.0", "Room Activity Indicators")
SPEC_LEVEL = Spec("XEP-0502", "0.1.0", "MUC Activity Indicator")
SPEC_VERSIONS = Spec("XEP-0463", "0.2.0", "MUC Affiliations Versioning")
SPEC_AVATARS = Spec("XEP-0486", "0.1.0", "MUC Avatars")
SPEC_SLOW = Spec("XEP-0500", "0.1.1", "MUC Slow Mode")
NS = "urn:xmpp:rai:0"
NS_VERSIONS = "urn:xmpp:muc:affiliations:1"
NS_ROOM_INFO = "http://jabber.org/protocol/muc#roominfo"

#: What a room says of itself by service discovery.
LEVEL = "{urn:xmpp:muc-activity}message-activity"  # messages in an hour (XEP-0502)
AVATAR = "muc#roominfo_avatarhash"  # SHA-1 of its pictures (XEP-0486)
SLOW = "muc#roominfo_slow_mode_duration"  # seconds from one message to the next (XEP-0500)

_Number = Annotated[float, decimal(0, 1e9)]


@payload(NS, "rai")
class Activity:
    """On presence to a service: I want to know. From it: in which rooms was something said."""

    rooms: tuple[JID, ...] = child_texts("activity", default=())


@payload(NS_VERSIONS, "mav")
class Version:
    """On joining: since which version of the lists one wants to know; from the room: until
    which one knows now (XEP-0463 §5)."""

    since: str | None = attr(default=None)
    until: str | None = attr(default=None)


def level(info: Info) -> float | None:
    """How many messages an hour the room has; ``None``: it does not say (XEP-0502 §3.1)."""
    return _number(info, LEVEL)


def slow_mode(info: Info) -> float | None:
    """How many seconds somebody waits before saying more; ``None`` or 0: none (XEP-0500 §5)."""
    return _number(info, SLOW)


def avatars(info: Info) -> tuple[str, ...]:
    """The hashes of the room's pictures; none: it has none, or does not say (XEP-0486 §3.3)."""
    form = info.form(NS_ROOM_INFO)
    return tuple(value for value in form.values(AVATAR) if value) if form is not None else ()


def _number(info: Info, field: str) -> float | None:
    form = info.form(NS_ROOM_INFO)
    told = form.value(field) if form is not None else ""
    try:
        return float(form_of(_Number).read(told)) if told else None
    except ValueError as error:
        raise StanzaError("bad-request", f"{field}: {error}") from None
