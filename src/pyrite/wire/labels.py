"""Security labels: how secret a message is, for those who have rules for that."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, child, children, payload, text
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0258", "1.1.1", "Security Labels in XMPP")
NS = "urn:xmpp:sec-label:0"
NS_CATALOG = "urn:xmpp:sec-label:catalog:2"
NS_ESS = "urn:xmpp:sec-label:ess:0"


@payload(NS_ESS, "esssecuritylabel")
class Ess:
    """A label as RFC 2634 has it, in BER."""

    label: bytes = text()


@payload(NS, "displaymarking")
class Marking:
    """What is shown of it (§3)."""

    text: str = text(default="")
    fgcolor: str = attr(default="black")
    bgcolor: str = attr(default="white")


@payload(NS, "label")
class Label:
    """The label, of whatever kind; empty: the default one (§3)."""

    content: Element | None = child(default=None)


@payload(NS, "equivalentlabel")
class EquivalentLabel:
    """The same in the words of another policy (§3)."""

    content: Element | None = child(default=None)


@payload(NS, "securitylabel")
class SecurityLabel:
    """On a message (§3)."""

    marking: Marking | None = child(default=None)
    label: Label | None = child(default=None)
    equivalent: tuple[EquivalentLabel, ...] = children(default=())


@payload(NS_CATALOG, "item")
class Item:
    """One to choose from, under a name like ``Classified|SECRET`` (§4)."""

    selector: str | None = attr(default=None)
    default: bool = attr(default=False)
    label: SecurityLabel | None = child(default=None)


@payload(NS_CATALOG, "catalog")
class Catalog:
    """What labels there are for messages to `to` (§4)."""

    to: JID | None = attr(default=None)
    name: str | None = attr(default=None)
    desc: str | None = attr(default=None)
    id: str | None = attr(default=None)
    size: str | None = attr(default=None)
    restrict: bool | None = attr(default=None)  # whether no others will do
    sender: JID | None = attr("from", default=None)
    items: tuple[Item, ...] = children(default=())
