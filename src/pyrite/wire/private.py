"""Private XML Storage: any element, kept by the server for its owner."""

from __future__ import annotations

from ..core.errors import StanzaError
from ..core.payload import anything, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0049", "1.2", "Private XML Storage")
NS = "jabber:iq:private"

#: What the server keeps elsewhere, and so must not seem to keep here (§4).
RESERVED = frozenset(
    {"jabber:client", "jabber:server", "jabber:iq:roster", "jabber:iq:private", "vcard-temp", ""}
)


@payload(NS, "query")
class Private:
    """What to store, or an empty element for what to retrieve (§2)."""

    content: tuple[Element, ...] = anything(default=())


def content(query: Private) -> Element:
    """The one element of a request; its name is the key under which it is kept.

    Raises `StanzaError`: ``bad-request`` unless there is exactly one, ``not-acceptable`` for a
    namespace that is not for this use (§4).
    """
    if len(query.content) != 1:
        raise StanzaError("bad-request", "exactly one element to store or retrieve")
    (element,) = query.content
    if element.name.ns in RESERVED:
        raise StanzaError("not-acceptable", f"{element.name.ns!a} is reserved")
    return element
