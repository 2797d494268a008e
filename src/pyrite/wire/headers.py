"""Stanza headers: what is said of a stanza, in the way of other protocols of the Internet."""

from __future__ import annotations

from ..core.payload import attr, children, payload, text
from . import Spec

SPEC = Spec("XEP-0131", "1.2", "Stanza Headers and Internet Metadata")
NS = "http://jabber.org/protocol/shim"


@payload(NS, "header")
class Header:
    """One of them; its value as its own definition has it (§5)."""

    name: str = attr()
    value: str = text(default="")


@payload(NS, "headers")
class Headers:
    """All of them, on a stanza or on an event of publish-subscribe (§4)."""

    headers: tuple[Header, ...] = children(default=())

    def value(self, name: str) -> str | None:
        """The first one of that `name`, in whatever case."""
        wanted = name.lower()
        return next((one.value for one in self.headers if one.name.lower() == wanted), None)
