"""Reachability addresses: by what else somebody can be reached just now."""

from __future__ import annotations

from ..core.payload import attr, children, lang, payload, text
from . import Spec

SPEC = Spec("XEP-0152", "1.0", "Reachability Addresses")
NS = "urn:xmpp:reach:0"


@payload(NS, "desc")
class Description:
    """What it is, in words (§3)."""

    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "addr")
class Address:
    """One of them, a URI such as ``tel:`` (§3)."""

    uri: str = attr()
    words: tuple[Description, ...] = children(default=())


@payload(NS, "reach")
class Reach:
    """All of them; none: nobody is to be reached so (§3)."""

    addresses: tuple[Address, ...] = children(default=())
