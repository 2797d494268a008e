"""STARTTLS: from a plain stream to an encrypted one."""

from __future__ import annotations

from ..core.payload import flag, payload
from . import Spec

SPEC = Spec("RFC 6120", "2011-03", "XMPP: Core, §5 STARTTLS negotiation")
NS = "urn:ietf:params:xml:ns:xmpp-tls"


@payload(NS, "starttls")
class StartTls:
    """The stream feature (§5.4.1), with `required` or not, and the command to begin (§5.4.2.1)."""

    required: bool = flag(default=False)


@payload(NS, "proceed")
class Proceed:
    """The handshake may begin: nothing that is already read counts any more (§5.4.2.3)."""


@payload(NS, "failure")
class Failure:
    """No encryption; the stream ends (§5.4.2.2)."""
