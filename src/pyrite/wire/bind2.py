"""Bind 2: a full address, and what its session is to begin with, together with the log-in."""

from __future__ import annotations

from ..core.jid import JIDError, prepare_resource
from ..core.payload import anything, attr, child, child_text, children, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0386", "1.1.0", "Bind 2")
NS = "urn:xmpp:bind:0"

MAX_TAG = 64  # characters: a short text


@payload(NS, "feature")
class Feature:
    """What can be asked for with the address, by its namespace (§3.1)."""

    var: str = attr(default="")


@payload(NS, "inline")
class Inline:
    """All that can be asked for with the address (§3.1)."""

    features: tuple[Feature, ...] = children(default=())


@payload(NS, "bind")
class Bind:
    """What the server offers (§3.1), or what the client wants (§3.2)."""

    inline: Inline | None = child(default=None)
    tag: str | None = child_text(default=None)
    wishes: tuple[Element, ...] = anything(default=())


@payload(NS, "bound")
class Bound:
    """The session has begun, with these answers to what was asked for (§3.2)."""

    results: tuple[Element, ...] = anything(default=())


def resource(tag: str | None, rest: str) -> str:
    """``tag/rest``; `rest` alone for a tag that no resource can have, or a long one (§3.2.1)."""
    if not tag or len(tag) > MAX_TAG:
        return rest
    try:
        return prepare_resource(f"{tag}/{rest}")
    except JIDError:
        return rest
