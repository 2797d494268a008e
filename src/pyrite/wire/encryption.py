"""Explicit Message Encryption: which encryption a message has, for who cannot read it."""

from __future__ import annotations

from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0380", "0.4.0", "Explicit Message Encryption")
NS = "urn:xmpp:eme:0"

#: Namespace -> what people call it (§3.2).
NAMES = {
    "urn:xmpp:otr:0": "OTR",
    "jabber:x:encrypted": "Legacy OpenPGP",
    "urn:xmpp:openpgp:0": "OpenPGP for XMPP",
    "eu.siacs.conversations.axolotl": "OMEMO",
    "urn:xmpp:omemo:1": "OMEMO",
    "urn:xmpp:omemo:2": "OMEMO",
}


@payload(NS, "encryption")
class Encryption:
    """The encryption, and its name if it is not one of those that everybody knows (§3.1)."""

    namespace: str = attr()
    name: str | None = attr(default=None)

    @property
    def title(self) -> str:
        """What to call it: nobody may give a known one another name (§4)."""
        return NAMES.get(self.namespace) or self.name or self.namespace
