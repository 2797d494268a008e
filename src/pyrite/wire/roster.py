"""The roster: a user's contacts, kept by the server."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Annotated, Literal

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import attr, child_texts, children, payload
from ..core.stanza import Iq
from ..core.values import Form
from . import Spec

SPEC = Spec("RFC 6121", "2011-03", "XMPP: Instant Messaging and Presence, §2 the roster")
SPEC_VERSIONS = Spec("XEP-0237", "1.3", "Roster Versioning")
NS = "jabber:iq:roster"
NS_VERSIONING = "urn:xmpp:features:rosterver"
NS_PRE_APPROVAL = "urn:xmpp:features:pre-approval"

MAX_NAME = 1023  # characters of a contact's name
MAX_GROUP = 1023  # characters of a group's name
MAX_GROUPS = 100  # groups of one contact

Subscription = Literal["none", "to", "from", "both", "remove"]
_SUBSCRIPTIONS = ("none", "to", "from", "both", "remove")
#: What is not defined is to be ignored, by servers and by clients (§2.1.2.5).
_LENIENT = Form(lambda text: text if text in _SUBSCRIPTIONS else "none", str)
_LENIENT_ASK = Form(lambda text: text if text == "subscribe" else None, str)


@payload(NS, "item")
class Item:
    """One contact (§2.1.2)."""

    jid: JID = attr()
    name: str | None = attr(default=None)
    subscription: Annotated[Subscription, _LENIENT] = attr(default="none", always=True)
    ask: Annotated[str, _LENIENT_ASK] | None = attr(default=None)
    approved: bool = attr(default=False)
    groups: tuple[str, ...] = child_texts("group", default=())


@payload(NS, "query")
class Query:
    """A request for the roster, the roster, a change to it, or a push (§2.1.3 to §2.1.6)."""

    ver: str | None = attr(default=None)
    items: tuple[Item, ...] = children(default=())


@payload(NS_VERSIONING, "ver")
class Versioning:
    """The stream feature: the server knows what a client already has (§2.6.1)."""


@payload(NS_PRE_APPROVAL, "sub")
class PreApproval:
    """The stream feature: a subscription may be approved before it is asked for (§3.4)."""


def check_set(query: Query) -> Item:
    """The one item of a roster set, without what only the server may say (§2.1.5, §2.3.3).

    Its `subscription` is ``remove`` or ``none``. Raises `StanzaError`: ``bad-request`` unless
    there is exactly one item, for a contact and not one of its resources, with no group twice;
    ``not-acceptable`` for an empty group, too many, or a name that is too long.
    """
    if len(query.items) != 1:
        raise StanzaError("bad-request", "a roster set has exactly one item")
    item = query.items[0]
    if item.jid.resource is not None:
        raise StanzaError("bad-request", "a contact is a bare address")
    if item.name is not None and len(item.name) > MAX_NAME:
        raise StanzaError("not-acceptable", f"name over {MAX_NAME} characters")
    _check_groups(item.groups)
    wanted: Subscription = "remove" if item.subscription == "remove" else "none"
    return dataclasses.replace(
        item, name=item.name or None, subscription=wanted, ask=None, approved=False
    )


def _check_groups(groups: tuple[str, ...]) -> None:
    if len(groups) > MAX_GROUPS:
        raise StanzaError("not-acceptable", f"more than {MAX_GROUPS} groups")
    if not all(groups):
        raise StanzaError("not-acceptable", "a group without a name")
    if max(map(len, groups), default=0) > MAX_GROUP:
        raise StanzaError("not-acceptable", f"group over {MAX_GROUP} characters")
    if len({unicodedata.normalize("NFC", group) for group in groups}) != len(groups):
        raise StanzaError("bad-request", "the same group twice")


def check_get(query: Query) -> None:
    """Raises `StanzaError` ``bad-request`` if a roster get has items (§2.1.3)."""
    if query.items:
        raise StanzaError("bad-request", "a roster get has no items")


def is_push(iq: Iq, account: JID) -> bool:
    """Whether `iq` is a roster push that a client of `account` may believe (§2.1.6).

    Anyone can send one; only our own server's counts, and that sends it without an address or
    with our bare one.
    """
    return iq.type == "set" and iq.has(Query) and iq.sender in (None, account.bare)


def pushed(iq: Iq, account: JID) -> Item | None:
    """The item of a roster push; ``None`` if `iq` is no push, or not for us to believe.

    Raises `StanzaError` ``bad-request`` if it is malformed.
    """
    if not is_push(iq, account):
        return None
    query = iq.get(Query)
    if query is None or len(query.items) != 1:
        raise StanzaError("bad-request", "a roster push has exactly one item")
    return query.items[0]
