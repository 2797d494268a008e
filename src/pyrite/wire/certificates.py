"""Client certificates: those that may log in to one's account in place of a password."""

from __future__ import annotations

from ..core.payload import child, child_text, child_texts, children, flag, payload
from . import Spec

SPEC = Spec("XEP-0257", "0.3", "Client Certificate Management for SASL EXTERNAL")
NS = "urn:xmpp:saslcert:1"


@payload(NS, "users")
class Users:
    """The sessions that have logged in with it (§2.2)."""

    resources: tuple[str, ...] = child_texts("resource", default=())


@payload(NS, "append")
class Append:
    """This one may log in, too; with `is_bound`, but change nothing here (§2.1)."""

    name: str = child_text()
    certificate: bytes = child_text("x509cert")
    is_bound: bool = flag("no-cert-management", default=False)


@payload(NS, "item")
class Item:
    """One of them (§2.2)."""

    name: str = child_text()
    certificate: bytes | None = child_text("x509cert", default=None)
    is_bound: bool = flag("no-cert-management", default=False)
    users: Users | None = child(default=None)


@payload(NS, "items")
class Items:
    """All of them (§2.2)."""

    items: tuple[Item, ...] = children(default=())


@payload(NS, "disable")
class Disable:
    """It may log in no more; who is there may stay (§2.3)."""

    name: str = child_text()


@payload(NS, "revoke")
class Revoke:
    """It may log in no more, and who has done so has to go (§2.4)."""

    name: str = child_text()
