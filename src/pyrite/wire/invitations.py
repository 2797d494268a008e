"""Pre-Authenticated In-Band Registration: who was invited may make an account."""

from __future__ import annotations

from urllib.parse import quote

from ..core.jid import JID
from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0445", "0.2.0", "Pre-Authenticated In-Band Registration")
SPEC_COMMANDS = Spec("XEP-0401", "0.6.0", "Ad-hoc Account Invitation Generation")
NS = "urn:xmpp:pars:0"
NS_COMMANDS = "urn:xmpp:invite"
NS_FEATURE = "urn:xmpp:ibr-token:0"

#: What a server is told to do, for an invitation (XEP-0401 §5).
INVITE = f"{NS_COMMANDS}#invite"
CREATE_ACCOUNT = f"{NS_COMMANDS}#create-account"

MAX_TOKEN = 256  # characters of a token that is looked at


@payload(NS_FEATURE, "register")
class Feature:
    """The stream feature: one may show an invitation (§3)."""


@payload(NS, "preauth")
class Preauth:
    """Shows an invitation, before registering (§4), or on a request to subscribe to the presence
    of whom it is from (XEP-0379 §3.4)."""

    token: str = attr()


def uri(to: JID, token: str) -> str:
    """The address that an invited person opens: `to` is the host, or the name that is meant (§3).

    A client that opens it asks for a password and registers (XEP-0147).
    """
    return f"xmpp:{quote(str(to), safe='@')}?register;preauth={quote(token, safe='')}"
