"""JID preparation: asks a server whether something is an address, and how it is written."""

from __future__ import annotations

from ..core.payload import child, child_text, payload
from . import Spec

SPEC = Spec("XEP-0328", "0.2.1", "JID Preparation and Validation Service")
NS = "urn:xmpp:jidprep:1"


@payload(NS, "jid-validate-request")
class Question:
    """Whether this is one (§3)."""

    text: str = child_text("maybe-jid")


@payload(NS, "jid-validate-base64-request")
class OctetsQuestion:
    """The same, for what XML cannot say (§4)."""

    octets: bytes = child_text("base64-maybe-jid")


@payload(NS, "valid-jid")
class Valid:
    """It is, in these parts (§3)."""

    local: str | None = child_text("localpart", default=None)
    domain: str | None = child_text("domainpart", default=None)
    resource: str | None = child_text("resourcepart", default=None)


@payload(NS, "invalid-jid")
class Invalid:
    """It is not, and why (§3)."""

    reason: str | None = child_text(default=None)


@payload(NS, "jid-validate-result")
class Answer:
    """One of the two (§3)."""

    valid: Valid | None = child(default=None)
    invalid: Invalid | None = child(default=None)
