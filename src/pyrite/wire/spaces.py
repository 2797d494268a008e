"""Spaces: rooms and other things that belong together, as items of a node."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, payload
from . import Spec
from .disco import Info

SPEC = Spec("XEP-0503", "0.3.0", "Server-side spaces")
NS = "urn:xmpp:spaces:0"
NS_SUBSCRIPTION = "urn:xmpp:pubsub:subscription:0"


@payload(NS_SUBSCRIPTION, "subscription")
class Subscription:
    """An item of a space: another node (§5.4)."""

    server: JID = attr()
    node: str = attr()


def parent(info: Info) -> str | None:
    """The URI of the space that a room says it is in, which the space has to say, too (§5.5)."""
    form = info.form(NS)
    return (form.value("parent") or None) if form is not None else None
