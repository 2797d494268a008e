"""Explicit mentions: who is meant by a word of a message, whatever their nick is."""

from __future__ import annotations

from ..core.payload import attr, child, flag, payload
from ..core.values import UnsignedInt
from . import Spec
from .dataforms import Form

SPEC = Spec("XEP-0513", "0.1.0", "Explicit Mentions")
NS = "urn:xmpp:mentions:0"
CHANNEL, SPACE, SERVER, MODERATORS, HATS = (
    f"{NS}#{group}" for group in ("channel", "space", "server", "moderators", "hats")
)


@payload(NS, "mention")
class Mention:
    """Somebody, or with `group` several, and by which code points of the body (§3)."""

    begin: UnsignedInt | None = attr(default=None)
    end: UnsignedInt | None = attr(default=None)
    occupant: str | None = attr("occupantid", default=None)
    uri: str | None = attr(default=None)
    group: str | None = attr("mentions", default=None)
    lang: str | None = attr("hreflang", default=None)  # of the body that is meant (§3.4)
    only_active: bool = flag("active", default=False)
    is_silent: bool = flag("noping", default=False)  # nobody is to be disturbed (§3.5)


@payload(NS, "query")
class Permissions:
    """Who may mention whom in a room (§3.6)."""

    form: Form | None = child(default=None)
