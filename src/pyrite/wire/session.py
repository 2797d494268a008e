"""The session that RFC 3921 wanted and RFC 6121 dropped; old clients still ask for it."""

from __future__ import annotations

from ..core.payload import flag, payload
from . import Spec

SPEC = Spec("RFC 3921", "2004-10", "XMPP: Instant Messaging and Presence, §3 session")
NS = "urn:ietf:params:xml:ns:xmpp-session"


@payload(NS, "session")
class Session:
    """The stream feature, `optional` so that new clients skip it, and the request itself."""

    optional: bool = flag(default=False)
