"""OpenPGP for XMPP: keys, and what is signed and encrypted with them, as far as the wire goes."""

from __future__ import annotations

from datetime import datetime

from ..core.jid import JID
from ..core.payload import anything, attr, child, child_text, children, payload, text
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0373", "0.7.0", "OpenPGP for XMPP")
SPEC_MESSAGES = Spec("XEP-0374", "0.2.0", "OpenPGP for XMPP Instant Messaging")
NS = "urn:xmpp:openpgp:0"
NODE = "urn:xmpp:openpgp:0:public-keys"  # a key is at this, a colon and its fingerprint
NODE_BACKUP = "urn:xmpp:openpgp:0:secret-key"


@payload(NS, "openpgp")
class OpenPgp:
    """A message of OpenPGP, not armoured (§3.1)."""

    data: bytes = text()


@payload(NS, "to")
class To:
    """Whom it is for: what is for another is not to be believed (§3.2)."""

    jid: JID = attr()


@payload(NS, "time")
class Time:
    """When it was signed (§3.1)."""

    stamp: datetime = attr()


@payload(NS, "payload")
class Payload:
    """What was meant to be said (§3.1)."""

    content: tuple[Element, ...] = anything(default=())


@payload(NS, "signcrypt")
class SignCrypt:
    """What was signed and encrypted (§3.1)."""

    to: tuple[To, ...] = children()
    time: Time = child()
    payload: Payload = child()
    padding: str = child_text("rpad", default="", always=True)


@payload(NS, "sign")
class Sign:
    """What was only signed (§3.1)."""

    to: tuple[To, ...] = children()
    time: Time = child()
    payload: Payload = child()


@payload(NS, "crypt")
class Crypt:
    """What was only encrypted (§3.1)."""

    to: tuple[To, ...] = children()
    payload: Payload = child()
    time: Time | None = child(default=None)
    padding: str = child_text("rpad", default="", always=True)


@payload(NS, "pubkey")
class PublicKey:
    """A key, at its node (§4.1)."""

    data: bytes = child_text()
    date: datetime | None = attr(default=None)


@payload(NS, "pubkey-metadata")
class KeyMetadata:
    """That there is one (§4.2)."""

    fingerprint: str = attr("v4-fingerprint")
    date: datetime = attr()


@payload(NS, "public-keys-list")
class PublicKeys:
    """All that there are (§4.2)."""

    keys: tuple[KeyMetadata, ...] = children(default=())


@payload(NS, "secretkey")
class SecretKey:
    """One's own, encrypted with a code that only a person knows (§5.4)."""

    data: bytes = text()


def node(fingerprint: str) -> str:
    """Where the key of that fingerprint is (§4.1)."""
    return f"{NODE}:{fingerprint}"
