"""Publish-Subscribe: nodes, what is published at them, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import anything, attr, child, children, flag, payload
from ..core.values import NonNegative
from ..core.xml import Element
from . import Spec
from .dataforms import Form, Value, submission
from .rsm import ResultSet

SPEC = Spec("XEP-0060", "1.30.0", "Publish-Subscribe")
NS = "http://jabber.org/protocol/pubsub"
NS_ERRORS = f"{NS}#errors"
NS_EVENT = f"{NS}#event"
NS_OWNER = f"{NS}#owner"
NS_NODE_CONFIG = f"{NS}#node_config"
NS_PUBLISH_OPTIONS = f"{NS}#publish-options"
NS_SUBSCRIBE_OPTIONS = f"{NS}#subscribe_options"

NOTIFY = "+notify"  # after a node's name: a feature that asks for what is published there

Subscribed = Literal["none", "pending", "subscribed", "unconfigured"]


@payload(NS, "item")
class Item:
    """One thing at a node; who publishes it without an id lets the service choose (§7.1.2)."""

    id: str | None = attr(default=None)
    publisher: JID | None = attr(default=None)
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


@payload(NS, "retract")
class Retract:
    """Items that are to be taken back; whether who subscribes is told (§7.2)."""

    node: str = attr()
    notify: bool | None = attr(default=None)
    items: tuple[Item, ...] = children(default=())


@payload(NS, "items")
class Items:
    """What is at a node: all of it, the last few, those with an id, or a page (§6.5)."""

    node: str = attr()
    max_items: NonNegative | None = attr(default=None)
    subid: str | None = attr(default=None)
    items: tuple[Item, ...] = children(default=())


@payload(NS, "subscribe")
class Subscribe:
    """Tell `jid` of what is published at the node (§6.1); no node: of new nodes."""

    jid: JID | None = attr(default=None)
    node: str | None = attr(default=None)


@payload(NS, "unsubscribe")
class Unsubscribe:
    """Tell `jid` no more (§6.2)."""

    jid: JID | None = attr(default=None)
    node: str | None = attr(default=None)
    subid: str | None = attr(default=None)


@payload(NS, "subscribe-options")
class Configurable:
    """The subscription can be configured, or has to be (§6.1.5)."""

    required: bool = flag(default=False)


@payload(NS, "subscription")
class Subscription:
    """How it stands with a subscription (§4.2)."""

    node: str | None = attr(default=None)
    jid: JID | None = attr(default=None)
    subid: str | None = attr(default=None)
    subscription: Subscribed | None = attr(default=None)
    configurable: Configurable | None = child(default=None)


@payload(NS, "subscriptions")
class Subscriptions:
    """All of one's own, at a node or at the service (§5.6)."""

    node: str | None = attr(default=None)
    each: tuple[Subscription, ...] = children(default=())


@payload(NS, "options")
class Options:
    """How a subscription is to be served (§6.3)."""

    jid: JID | None = attr(default=None)
    node: str | None = attr(default=None)
    subid: str | None = attr(default=None)
    form: Form | None = child(default=None)


@payload(NS, "default")
class Default:
    """How subscriptions are served where nobody says so (§6.4)."""

    node: str | None = attr(default=None)
    form: Form | None = child(default=None)


@payload(NS, "create")
class Create:
    """Make a node; without a name the service chooses one (§8.1)."""

    node: str | None = attr(default=None)


@payload(NS, "configure")
class Configure:
    """How the node that is made is to be (§8.1.3)."""

    node: str | None = attr(default=None)
    form: Form | None = child(default=None)


@payload(NS, "affiliation")
class Affiliation:
    """What an entity may do at a node (§4.1)."""

    jid: JID | None = attr(default=None)
    affiliation: str = attr(default="none", always=True)
    node: str | None = attr(default=None)


@payload(NS, "affiliations")
class Affiliations:
    """What entities may do at a node (§8.9), or the asker at all nodes (§5.7)."""

    node: str | None = attr(default=None)
    each: tuple[Affiliation, ...] = children(default=())


@payload(NS, "pubsub")
class PubSub:
    """A request to a service (§5 to §8.1), its answer, or what it tells of itself (§8.9.4)."""

    publish: Publish | None = child(default=None)
    options: PublishOptions | None = child(default=None)
    affiliations: Affiliations | None = child(default=None)
    #: COMPAT: push services, which say it like this, as XEP-0357 shows it (§8)
    node: str | None = attr(default=None)
    bare: tuple[Affiliation, ...] = children(default=())
    create: Create | None = child(default=None)
    configure: Configure | None = child(default=None)
    retract: Retract | None = child(default=None)
    items: Items | None = child(default=None)
    subscribe: Subscribe | None = child(default=None)
    unsubscribe: Unsubscribe | None = child(default=None)
    subscription: Subscription | None = child(default=None)
    subscribe_options: Options | None = child(default=None)
    subscriptions: Subscriptions | None = child(default=None)
    default: Default | None = child(default=None)
    page: ResultSet | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())  # such as an `ordering.Order`


# --- what its owner says (§8) -----------------------------------------------------------------


@payload(NS_OWNER, "configure")
class OwnerConfigure:
    """How a node is, and is to be (§8.2)."""

    node: str | None = attr(default=None)
    form: Form | None = child(default=None)


@payload(NS_OWNER, "default")
class OwnerDefault:
    """How a node is where nobody says so (§8.3)."""

    type: str | None = attr(default=None)
    form: Form | None = child(default=None)


@payload(NS_OWNER, "redirect")
class OwnerRedirect:
    """Where to go in place of the node."""

    uri: str = attr()


@payload(NS_OWNER, "delete")
class OwnerDelete:
    """The node is to go (§8.4)."""

    node: str = attr()
    redirect: OwnerRedirect | None = child(default=None)


@payload(NS_OWNER, "purge")
class OwnerPurge:
    """All its items are to go (§8.5)."""

    node: str = attr()


@payload(NS_OWNER, "subscription")
class OwnerSubscription:
    """Somebody's subscription."""

    jid: JID = attr()
    subscription: Subscribed = attr()
    subid: str | None = attr(default=None)


@payload(NS_OWNER, "subscriptions")
class OwnerSubscriptions:
    """Who is subscribed to a node (§8.8)."""

    node: str | None = attr(default=None)  # COMPAT: Prosody 0.12 leaves it out of its answer
    each: tuple[OwnerSubscription, ...] = children(default=())


@payload(NS_OWNER, "affiliation")
class OwnerAffiliation:
    """What somebody may do at a node."""

    jid: JID = attr()
    affiliation: str = attr()


@payload(NS_OWNER, "affiliations")
class OwnerAffiliations:
    """Who may do what at a node (§8.9)."""

    node: str | None = attr(default=None)
    each: tuple[OwnerAffiliation, ...] = children(default=())


@payload(NS_OWNER, "pubsub")
class Owner:
    """A request that only a node's owner makes, and its answer (§8)."""

    configure: OwnerConfigure | None = child(default=None)
    default: OwnerDefault | None = child(default=None)
    delete: OwnerDelete | None = child(default=None)
    purge: OwnerPurge | None = child(default=None)
    subscriptions: OwnerSubscriptions | None = child(default=None)
    affiliations: OwnerAffiliations | None = child(default=None)


# --- what a service tells (§7.1.2, §12) -------------------------------------------------------


@payload(NS_EVENT, "item")
class EventItem:
    """Something was published: what, unless the node tells only that (§4.3)."""

    id: str | None = attr(default=None)
    node: str | None = attr(default=None)
    publisher: JID | None = attr(default=None)
    payload: Element | None = child(default=None)


@payload(NS_EVENT, "retract")
class EventRetract:
    """Something was taken back (§7.2.2.1)."""

    id: str | None = attr(default=None)


@payload(NS_EVENT, "items")
class EventItems:
    """What has happened to items of a node."""

    node: str = attr()
    each: tuple[EventItem | EventRetract, ...] = children(default=())


@payload(NS_EVENT, "configuration")
class EventConfiguration:
    """The node's settings have changed (§8.2.5)."""

    node: str | None = attr(default=None)
    form: Form | None = child(default=None)


@payload(NS_EVENT, "redirect")
class EventRedirect:
    """Where to go in place of the node."""

    uri: str = attr()


@payload(NS_EVENT, "delete")
class EventDelete:
    """The node is no more (§8.4.2)."""

    node: str = attr()
    redirect: EventRedirect | None = child(default=None)


@payload(NS_EVENT, "purge")
class EventPurge:
    """All its items are gone (§8.5.2)."""

    node: str = attr()


@payload(NS_EVENT, "subscription")
class EventSubscription:
    """Somebody's subscription has changed (§8.6, §8.8.4); `expiry` is a time or ``presence``."""

    node: str | None = attr(default=None)
    jid: JID | None = attr(default=None)
    subid: str | None = attr(default=None)
    subscription: Subscribed | None = attr(default=None)
    expiry: str | None = attr(default=None)


@payload(NS_EVENT, "event")
class Event:
    """On a message, from a service or an account: what has happened at a node."""

    items: EventItems | None = child(default=None)
    configuration: EventConfiguration | None = child(default=None)
    delete: EventDelete | None = child(default=None)
    purge: EventPurge | None = child(default=None)
    subscription: EventSubscription | None = child(default=None)


@payload(NS_ERRORS, "unsupported")
class Unsupported:
    """In an error: what cannot be done, as service discovery names it (§15.1)."""

    feature: str | None = attr(default=None)


# --- rules ------------------------------------------------------------------------------------


def reason(error: StanzaError) -> str | None:
    """What a service says beside the condition, as ``precondition-not-met`` (§15.1)."""
    app = error.app
    return app.name.tag if app is not None and app.name.ns == NS_ERRORS else None


def publish_options(values: Mapping[str, Value]) -> PublishOptions | None:
    """What the node has to be like, or is made like: ``"access_model"`` -> ``"open"``."""
    return PublishOptions(_form(NS_PUBLISH_OPTIONS, values)) if values else None


def node_config(values: Mapping[str, Value]) -> Form:
    """The settings of a node, by their names without ``pubsub#``."""
    return _form(NS_NODE_CONFIG, values)


def subscribe_options(values: Mapping[str, Value]) -> Form:
    """The settings of a subscription, by their names without ``pubsub#``."""
    return _form(NS_SUBSCRIBE_OPTIONS, values)


def _form(kind: str, values: Mapping[str, Value]) -> Form:
    return submission(kind, {_named(name): value for name, value in values.items()})


def _named(name: str) -> str:
    return name if "#" in name else f"pubsub#{name}"
