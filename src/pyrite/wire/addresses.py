"""Extended stanza addressing: more than one address on a stanza, and what each is for."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import anything, attr, children, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0033", "1.2.1", "Extended Stanza Addressing")
NS = "http://jabber.org/protocol/address"


@payload(NS, "address")
class Address:
    """One of them: ``to``, ``cc``, ``bcc``, ``replyto``, ``replyroom``, ``noreply``,
    ``ofrom`` or another type (§4)."""

    type: str = attr()
    jid: JID | None = attr(default=None)
    uri: str | None = attr(default=None)
    node: str | None = attr(default=None)
    desc: str | None = attr(default=None)
    delivered: bool = attr(default=False)  # no service delivers it any more (§4.5)
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "addresses")
class Addresses:
    """All of them (§3)."""

    addresses: tuple[Address, ...] = children(default=())

    def of(self, type: str) -> tuple[Address, ...]:
        return tuple(one for one in self.addresses if one.type == type)
