"""Publish-Subscribe: what is published at a node."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, child, children, payload
from ..core.xml import Element
from . import Spec
from .dataforms import Form

SPEC = Spec("XEP-0060", "1.30.0", "Publish-Subscribe")
NS = "http://jabber.org/protocol/pubsub"
NS_PUBLISH_OPTIONS = f"{NS}#publish-options"


@payload(NS, "item")
class Item:
    """One thing at a node; who publishes it without an id lets the service choose (§7.1.2)."""

    id: str | None = attr(default=None)
    payload: Element | None = child(default=None)


@payload(NS, "publish")
class Publish:
    """What is to be published, and where (§7.1.1)."""

    node: str = attr()
    items: tuple[Item, ...] = children(default=())


@payload(NS, "publish-options")
class PublishOptions:
    """What else the service is to know or to check (§7.1.5)."""

    form: Form | None = child(default=None)


@payload(NS, "affiliation")
class Affiliation:
    """What an entity may do at a node (§4.1)."""

    jid: JID | None = attr(default=None)
    affiliation: str = attr(default="none", always=True)


@payload(NS, "affiliations")
class Affiliations:
    """What entities may do at a node (§8.9)."""

    node: str | None = attr(default=None)
    each: tuple[Affiliation, ...] = children(default=())


@payload(NS, "pubsub")
class PubSub:
    """A request to a service (§5 to §7), or what it tells of itself (§8.9.4)."""

    publish: Publish | None = child(default=None)
    options: PublishOptions | None = child(default=None)
    affiliations: Affiliations | None = child(default=None)
    #: COMPAT: push services, which say it like this, as XEP-0357 shows it (§8)
    node: str | None = attr(default=None)
    bare: tuple[Affiliation, ...] = children(default=())
