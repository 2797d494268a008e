"""Service discovery: what an entity is, what it can do, and what else it has."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.jid import JID
from ..core.payload import anything, attr, child, children, lang, payload
from ..core.xml import Element
from . import Spec
from .dataforms import Field, Form, result
from .rsm import ResultSet

SPEC = Spec("XEP-0030", "2.5.0", "Service Discovery")
SPEC_EXTENSIONS = Spec("XEP-0128", "1.0.1", "Service Discovery Extensions")
SPEC_CONTACT = Spec("XEP-0157", "1.1.1", "Contact Addresses for XMPP Services")
NS_INFO = "http://jabber.org/protocol/disco#info"
NS_ITEMS = "http://jabber.org/protocol/disco#items"
NS_SERVER_INFO = "http://jabber.org/network/serverinfo"

#: The kinds of contact address of a service (XEP-0157 §2).
CONTACTS = ("abuse", "admin", "feedback", "sales", "security", "status", "support")


@payload(NS_INFO, "identity")
class Identity:
    """What an entity is (§3.1)."""

    category: str = attr()
    type: str = attr()
    name: str | None = attr(default=None)
    lang: str | None = lang(default=None)


@payload(NS_INFO, "feature")
class Feature:
    """One thing it can do (§3.1)."""

    var: str = attr()


@payload(NS_INFO, "query")
class Info:
    """A question about an entity or one of its nodes, and the answer (§3)."""

    node: str | None = attr(default=None)
    identities: tuple[Identity, ...] = children(default=())
    features: tuple[Feature, ...] = children(default=())
    forms: tuple[Form, ...] = children(default=())

    @property
    def vars(self) -> frozenset[str]:
        return frozenset(feature.var for feature in self.features)

    def is_a(self, category: str, type: str) -> bool:
        return any((i.category, i.type) == (category, type) for i in self.identities)

    def form(self, form_type: str) -> Form | None:
        """The extended information of that kind (XEP-0128)."""
        return next((form for form in self.forms if form.form_type == form_type), None)


@payload(NS_ITEMS, "item")
class Item:
    """Another entity, or a node of one (§4.1)."""

    jid: JID = attr()
    node: str | None = attr(default=None)
    name: str | None = attr(default=None)


@payload(NS_ITEMS, "query")
class Items:
    """A question for what belongs to an entity or a node, and the answer (§4)."""

    node: str | None = attr(default=None)
    items: tuple[Item, ...] = children(default=())
    page: ResultSet | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())  # such as a `filtering.Filter`


def info(
    identities: Iterable[Identity],
    features: Iterable[str],
    forms: Iterable[Form] = (),
    node: str | None = None,
) -> Info:
    """An answer, each feature once and in order."""
    return Info(node, tuple(identities), tuple(map(Feature, sorted(set(features)))), tuple(forms))


def contact_form(addresses: dict[str, Iterable[str]]) -> Form:
    """Whom to ask about a service: kind (see `CONTACTS`) -> URIs (XEP-0157 §2).

    Raises `ValueError` for a kind that is not registered.
    """
    if unknown := set(addresses) - set(CONTACTS):
        raise ValueError(f"no such kind of contact: {', '.join(sorted(unknown))}")
    fields = [
        Field(f"{kind}-addresses", "list-multi", values=tuple(uris))
        for kind, uris in sorted(addresses.items())
    ]
    return result(NS_SERVER_INFO, *fields)


def contacts(info: Info) -> dict[str, tuple[str, ...]]:
    """The contact addresses in `info`: kind -> URIs."""
    found = info.form(NS_SERVER_INFO)
    if found is None:
        return {}
    return {kind: uris for kind in CONTACTS if (uris := found.values(f"{kind}-addresses"))}
