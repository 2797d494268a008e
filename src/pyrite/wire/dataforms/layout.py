"""Which fields of a form belong together: pages, and sections within them (XEP-0141)."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.errors import StanzaError
from ...core.payload import anything, attr, decode, encode, name_of, payload, text
from ...core.xml import Element

NS_LAYOUT = "http://jabber.org/protocol/xdata-layout"


@payload(NS_LAYOUT, "text")
class Text:
    """Words that stand between the fields."""

    text: str = text(default="")


@payload(NS_LAYOUT, "fieldref")
class FieldRef:
    """Here stands the field with this name."""

    var: str = attr()


@payload(NS_LAYOUT, "reportedref")
class ReportedRef:
    """Here stands the table of results."""


@payload(NS_LAYOUT, "section")
class Section:
    """Part of a page, or of another section. `content` is what `parts` gives."""

    label: str | None = attr(default=None)
    content: tuple[Element, ...] = anything(default=())

    @property
    def parts(self) -> tuple[Part, ...]:
        """What stands there, in order."""
        return tuple(_parts(self.content))


@payload(NS_LAYOUT, "page")
class Page:
    """A page of a form. `content` is what `parts` gives."""

    label: str | None = attr(default=None)
    content: tuple[Element, ...] = anything(default=())

    @property
    def parts(self) -> tuple[Part, ...]:
        """What stands there, in order."""
        return tuple(_parts(self.content))


Part = Text | FieldRef | ReportedRef | Section

_KINDS: dict[tuple[str, str], type[Part]] = {
    name_of(kind): kind for kind in (Text, FieldRef, ReportedRef, Section)
}


def _parts(content: tuple[Element, ...]) -> Iterator[Part]:
    for element in content:
        kind = _KINDS.get(element.name)
        if kind is not None:
            try:
                yield decode(kind, element)
            except StanzaError:
                continue  # a reference to nothing is ignored (§4)


def page(label: str | None, *parts: Part | str) -> Page:
    """A page with these parts; a text is the name of a field."""
    return Page(label, _content(parts))


def section(label: str | None, *parts: Part | str) -> Section:
    """A section with these parts; a text is the name of a field."""
    return Section(label, _content(parts))


def _content(parts: tuple[Part | str, ...]) -> tuple[Element, ...]:
    return tuple(encode(FieldRef(one) if isinstance(one, str) else one) for one in parts)


def referred(where: Page | Section) -> tuple[str, ...]:
    """The names of the fields that stand there, and in its sections, in order."""
    found: list[str] = []
    for part in where.parts:
        if isinstance(part, FieldRef):
            found.append(part.var)
        elif isinstance(part, Section):
            found += referred(part)
    return tuple(dict.fromkeys(found))
