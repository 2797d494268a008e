"""Extended channel search: rooms and channels of the whole network, by what they are about."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import anything, attr, child, child_text, child_texts, children, flag, payload
from ..core.values import NonNegative
from ..core.xml import Element
from . import Spec
from .dataforms import Form
from .rsm import ResultSet

SPEC = Spec("XEP-0433", "0.1.0", "Extended Channel Search")
NS = "urn:xmpp:channel-search:0:search"
NS_PARAMS = "urn:xmpp:channel-search:0:search-params"
NS_ORDER = "urn:xmpp:channel-search:0:order"
NS_ERRORS = "urn:xmpp:channel-search:0:error"


@payload(NS, "item")
class Item:
    """A place that was found; what is not known is not told (§6.2)."""

    address: JID = attr()
    name: str | None = child_text(default=None)
    description: str | None = child_text(default=None)
    language: str | None = child_text(default=None)
    users: NonNegative | None = child_text("nusers", default=None)
    service: str | None = child_text("service-type", default=None)
    is_open: bool = flag("is-open", default=False)
    anonymity: str | None = child_text("anonymity-mode", default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "search")
class Search:
    """The question for a form, or that form and the page that is wanted (§4.2)."""

    page: ResultSet | None = child(default=None)
    form: Form | None = child(default=None)


@payload(NS, "result")
class Result:
    """A page of what was found (§4.2)."""

    items: tuple[Item, ...] = children(default=())
    page: ResultSet | None = child(default=None)


@payload(NS_ERRORS, "rate-limit")
class RateLimit:
    """In an error: not so often (§4.2)."""

    retry_after: NonNegative | None = attr("retry-after", default=None)  # seconds


@payload(NS_ERRORS, "conflicting-fields")
class ConflictingFields:
    """In an error: not all of these at once (§4.2)."""

    fields: tuple[str, ...] = child_texts("var", default=())
