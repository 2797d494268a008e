"""Resource binding: the full address of a session."""

from __future__ import annotations

from ..core.errors import StanzaError
from ..core.jid import JID, JIDError, prepare_resource
from ..core.payload import child_text, flag, payload
from . import Spec

SPEC = Spec("RFC 6120", "2011-03", "XMPP: Core, §7 resource binding")
NS = "urn:ietf:params:xml:ns:xmpp-bind"


@payload(NS, "bind")
class Bind:
    """The stream feature and the empty request (§7.4, §7.6); a wish (§7.7); the result."""

    resource: str | None = child_text(default=None)
    jid: JID | None = child_text(default=None)
    required: bool = flag(default=False)  # in the feature, from who holds it for negotiable


def wanted(bind: Bind) -> str | None:
    """The resource that the client asks for, prepared; ``None`` if the server shall choose.

    Raises `StanzaError` ``bad-request`` if it cannot be a resourcepart (§7.7.2.1).
    """
    if not bind.resource:
        return None
    try:
        return prepare_resource(bind.resource)
    except JIDError as error:
        raise StanzaError("bad-request", str(error)) from None
