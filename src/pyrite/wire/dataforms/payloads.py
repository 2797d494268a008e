"""Forms as they are on the wire (XEP-0004 §3, with XEP-0122, 0141 and 0221)."""

from __future__ import annotations

from typing import Literal

from ...core.payload import (
    anything,
    attr,
    child,
    child_text,
    child_texts,
    children,
    flag,
    payload,
    text,
)
from ...core.values import UnsignedInt, UnsignedShort
from ...core.xml import Element
from .layout import Page

NS = "jabber:x:data"
NS_VALIDATION = "http://jabber.org/protocol/xdata-validate"
NS_MEDIA = "urn:xmpp:media-element"

FORM_TYPE = "FORM_TYPE"  # the field that says what all the others mean (XEP-0068 §3)


@payload(NS_VALIDATION, "range")
class Range:
    """From `min` to `max`, both included, as the data type writes them (XEP-0122 §3.3)."""

    min: str | None = attr(default=None)
    max: str | None = attr(default=None)


@payload(NS_VALIDATION, "list-range")
class ListRange:
    """How many of the options to choose (XEP-0122 §3.5)."""

    min: UnsignedInt | None = attr(default=None)
    max: UnsignedInt | None = attr(default=None)


@payload(NS_VALIDATION, "validate")
class Validate:
    """What a value must be beside its field's type (XEP-0122 §3)."""

    datatype: str = attr(default="xs:string", always=True)
    basic: bool = flag(default=False)
    open: bool = flag(default=False)
    range: Range | None = child(default=None)
    regex: str | None = child_text(default=None)
    list_range: ListRange | None = child(default=None)

    @property
    def is_open(self) -> bool:
        """Whether other values than the options are allowed, and each line counts for itself:
        every method but ``basic`` implies so (XEP-0122 §3)."""
        return self.open or self.range is not None or self.regex is not None


@payload(NS_MEDIA, "uri")
class Uri:
    """Where a picture, a sound or a film is, in one of its forms (XEP-0221 §3)."""

    type: str = attr()
    text: str = text(default="")

    @property
    def address(self) -> str:
        """Without the space that may stand around it. A ``cid:`` is got from who sent the form,
        by Bits of Binary (XEP-0231)."""
        return self.text.strip()


@payload(NS_MEDIA, "media")
class Media:
    """Something to be seen or heard, to which a field refers; one URI is enough to get it."""

    height: UnsignedShort | None = attr(default=None)
    width: UnsignedShort | None = attr(default=None)
    uris: tuple[Uri, ...] = children(default=())


@payload(NS, "option")
class Option:
    """One choice of a list (§3.2)."""

    value: str = child_text(default="", always=True)
    label: str | None = attr(default=None)


@payload(NS, "field")
class Field:
    """A question, an answer, or a column (§3.2). A type that is not known is ``text-single``."""

    var: str | None = attr(default=None)
    type: str | None = attr(default=None)
    label: str | None = attr(default=None)
    validate: Validate | None = child(default=None)
    desc: str | None = child_text(default=None)
    required: bool = flag(default=False)
    values: tuple[str, ...] = child_texts("value", default=())
    options: tuple[Option, ...] = children(default=())
    media: Media | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())  # such as an `xmlfield.Wrapper`

    @property
    def value(self) -> str:
        """The first value, ``""`` if there is none."""
        return self.values[0] if self.values else ""


@payload(NS, "reported")
class Reported:
    """The head of a table of results (§3.4)."""

    fields: tuple[Field, ...] = children(default=())


@payload(NS, "item")
class Item:
    """A row of a table of results (§3.4)."""

    fields: tuple[Field, ...] = children(default=())


@payload(NS, "x")
class Form:
    """A form to fill in, the answers, or results (§3.1); without a type: answers."""

    # COMPAT: senders of push notifications, who leave the type out, as XEP-0357's examples do
    type: Literal["form", "submit", "cancel", "result"] = attr(default="submit", always=True)
    title: str | None = child_text(default=None)
    instructions: tuple[str, ...] = child_texts("instructions", default=())
    fields: tuple[Field, ...] = children(default=())
    reported: Reported | None = child(default=None)
    items: tuple[Item, ...] = children(default=())
    pages: tuple[Page, ...] = children(default=())
    more: tuple[Element, ...] = anything(default=())  # as the roster that an operator asks for

    @property
    def form_type(self) -> str | None:
        """What the fields mean; only a submission may leave its field untyped (XEP-0068 §3)."""
        found = self.field(FORM_TYPE)
        is_typed = found is not None and (found.type == "hidden" or self.type == "submit")
        return found.value if found is not None and is_typed else None

    def field(self, var: str) -> Field | None:
        return next((f for f in self.fields if f.var == var), None)

    def value(self, var: str, default: str = "") -> str:
        found = self.field(var)
        return found.value if found is not None else default

    def values(self, var: str) -> tuple[str, ...]:
        found = self.field(var)
        return found.values if found is not None else ()
