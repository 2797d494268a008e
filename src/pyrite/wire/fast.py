"""Fast Authentication Streamlining Tokens: a log-in in one round trip, and without a password."""

from __future__ import annotations

from datetime import datetime

from ..core.payload import attr, child_texts, payload
from ..core.values import NonNegative
from . import Spec

SPEC = Spec("XEP-0484", "0.2.0", "Fast Authentication Streamlining Tokens")
NS = "urn:xmpp:fast:0"


@payload(NS, "fast")
class Fast:
    """The mechanisms that take a token (§3.1); or: this is a token (§3.4, §3.6).

    With `invalidate` it is the token's last use. `count` grows with each.
    """

    mechanisms: tuple[str, ...] = child_texts("mechanism", default=())
    early: bool | None = attr("tls-0rtt", default=None)
    count: NonNegative | None = attr(default=None)
    invalidate: bool = attr(default=False)


@payload(NS, "request-token")
class RequestToken:
    """The client would like a token for this mechanism (§3.2)."""

    mechanism: str = attr(default="")


@payload(NS, "token")
class Token:
    """A token for the client that gets it, until it expires (§3.3)."""

    token: str = attr()
    expiry: datetime = attr()
