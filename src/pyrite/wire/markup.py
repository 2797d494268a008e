"""Message markup: how parts of a body look, told beside it."""

from __future__ import annotations

from ..core.payload import attr, children, flag, payload
from ..core.values import UnsignedInt
from . import Spec

SPEC = Spec("XEP-0394", "0.3.0", "Message Markup")
NS = "urn:xmpp:markup:0"


@payload(NS, "span")
class Span:
    """Code points of a line, and how they look (§4.1)."""

    start: UnsignedInt = attr()
    end: UnsignedInt = attr()
    emphasis: bool = flag(default=False)
    strong: bool = flag(default=False)
    code: bool = flag(default=False)
    deleted: bool = flag(default=False)


@payload(NS, "bcode")
class Code:
    """Lines of code (§4.2)."""

    start: UnsignedInt = attr()
    end: UnsignedInt = attr()
    language: str | None = attr(default=None)


@payload(NS, "li")
class Item:
    """Where an item of a list begins (§4.3)."""

    start: UnsignedInt = attr()


@payload(NS, "list")
class List:
    """A list (§4.3)."""

    start: UnsignedInt = attr()
    end: UnsignedInt = attr()
    ordered: bool = attr(default=False)
    items: tuple[Item, ...] = children(default=())


@payload(NS, "bquote")
class Quotation:
    """What somebody else said (§4.4)."""

    start: UnsignedInt = attr()
    end: UnsignedInt = attr()


@payload(NS, "markup")
class Markup:
    """How a body looks (§4)."""

    parts: tuple[Span | Code | List | Quotation, ...] = children(default=())


def within(markup: Markup, body: str) -> Markup:
    """Without what is not within `body`, which nobody can show (§5)."""
    length = len(body)
    return Markup(tuple(one for one in markup.parts if one.start <= one.end <= length))
