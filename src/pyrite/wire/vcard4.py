"""vCard4 Over XMPP: a person's card in the newer form."""

from __future__ import annotations

from ..core.payload import anything, payload
from ..core.xml import Element, Name
from . import Spec

SPEC = Spec("XEP-0292", "0.12.0", "vCard4 Over XMPP")
NS = "urn:ietf:params:xml:ns:vcard-4.0"
NODE = "urn:xmpp:vcard4"


@payload(NS, "vcard")
class VCard4:
    """A card: its properties as they are, so that nothing is lost between two clients."""

    content: tuple[Element, ...] = anything(default=())

    def all(self, tag: str) -> tuple[str, ...]:
        """The value of each property `tag`: of ``tel`` the URIs, of ``fn`` the text (RFC 6351)."""
        found = (e for e in self.content if e.name == (NS, tag))
        return tuple(value for e in found if (value := _value(e)) is not None)

    def text(self, tag: str) -> str | None:
        """The first of them."""
        return next(iter(self.all(tag)), None)

    def part(self, tag: str, part: str) -> str | None:
        """One component of the first property `tag`, such as the ``surname`` of ``n``."""
        found = next((e for e in self.content if e.name == (NS, tag)), None)
        inside = found.child(NS, part) if found is not None else None
        return inside.text if inside is not None else None

    def with_(self, tag: str, *values: str, kind: str = "text") -> VCard4:
        """With these values in place of all properties `tag`; `kind` as ``uri`` (RFC 6351 §4)."""
        rest = tuple(e for e in self.content if e.name != (NS, tag))
        new = (Element(Name(NS, tag), None, (_typed(kind, value),)) for value in values)
        return VCard4((*rest, *new))


def _typed(kind: str, value: str) -> Element:
    return Element(Name(NS, kind), None, (value,))


def _value(prop: Element) -> str | None:
    inside = (e for e in prop.elements if e.name != (NS, "parameters"))
    found = next(inside, None)
    return found.text if found is not None else None
