"""Data forms: questions, answers and tables for any protocol, with typed reading of answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from ..core.errors import StanzaError
from ..core.jid import JID, JIDError
from ..core.payload import attr, child, child_text, child_texts, children, flag, payload
from ..core.values import UnsignedInt, form_of, read_bool
from . import Spec

SPEC = Spec("XEP-0004", "2.13.2", "Data Forms")
SPEC_TYPES = Spec("XEP-0068", "1.3.0", "Field Standardization for Data Forms")
SPEC_VALIDATION = Spec("XEP-0122", "1.0.2", "Data Forms Validation")
NS = "jabber:x:data"
NS_VALIDATION = "http://jabber.org/protocol/xdata-validate"

FORM_TYPE = "FORM_TYPE"  # the field that says what all the others mean (XEP-0068 §3)

MULTI = frozenset({"hidden", "jid-multi", "list-multi", "text-multi"})

Value = bool | str | JID | tuple[str, ...] | tuple[JID, ...]


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


# --- making forms ---------------------------------------------------------------------------


def form(
    form_type: str, *fields: Field, title: str | None = None, instructions: str | None = None
) -> Form:
    """A form to fill in."""
    lines = (instructions,) if instructions else ()
    return Form("form", title, lines, (hidden(FORM_TYPE, form_type), *fields))


def result(form_type: str, *fields: Field) -> Form:
    """A set of data, such as extended service discovery carries (XEP-0128)."""
    return Form("result", fields=(hidden(FORM_TYPE, form_type), *fields))


def table(columns: Iterable[Field], rows: Iterable[Mapping[str, str]]) -> Form:
    """Results with the same columns in each row (§3.4)."""
    head = tuple(columns)
    items = tuple(
        Item(tuple(Field(f.var, values=(row[f.var],)) for f in head if f.var and f.var in row))
        for row in rows
    )
    return Form("result", reported=Reported(head), items=items)


def submission(form_type: str, values: Mapping[str, Value]) -> Form:
    """The answers to a form."""
    fields = [Field(var, values=_shown(value)) for var, value in values.items()]
    return Form("submit", fields=(Field(FORM_TYPE, "hidden", values=(form_type,)), *fields))


def cancellation() -> Form:
    return Form("cancel")


def hidden(var: str, value: str) -> Field:
    return Field(var, "hidden", values=(value,))


def fixed(text: str) -> Field:
    return Field(type="fixed", values=(text,))


def field(
    var: str,
    type: str,
    label: str | None = None,
    value: Value = (),
    *,
    required: bool = False,
    options: Iterable[tuple[str, str]] = (),
    validate: Validate | None = None,
) -> Field:
    """A question; `options` are pairs of value and label."""
    choices = tuple(Option(each, name or None) for each, name in options)
    return Field(
        var, type, label, validate, required=required, values=_shown(value), options=choices
    )


def _shown(value: Value) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("1" if value else "0",)
    if isinstance(value, tuple):
        return tuple(map(str, value))
    return (str(value),)


# --- reading answers ------------------------------------------------------------------------


def read(asked: Form, answer: Form) -> dict[str, Value]:
    """The typed answers to the form `asked`, by the types that it asked with (§3.2, §3.3).

    What was not asked is ignored; what was not answered is not in the result, and keeps its
    value (§3.5). Raises `StanzaError`: ``bad-request`` if `answer` is no submission of this
    form, ``not-acceptable`` if something required is missing or a value does not fit (§4).
    """
    if answer.type != "submit":
        raise StanzaError("bad-request", "not a submission")
    if answer.form_type not in (None, asked.form_type):
        raise StanzaError("bad-request", f"not the form {asked.form_type}")
    given = {f.var: f for f in reversed(answer.fields)}  # the first of several counts
    values: dict[str, Value] = {}
    for question in asked.fields:
        var = question.var
        if var is None or var == FORM_TYPE or question.type == "fixed":
            continue
        if var in given and (given[var].values or not question.required):
            values[var] = _typed(question, given[var].values)
        elif question.required:
            raise StanzaError("not-acceptable", f"{var} is required")
    return values


def _typed(question: Field, values: tuple[str, ...]) -> Value:
    kind = question.type or "text-single"
    if kind not in MULTI and len(values) > 1:
        raise StanzaError("not-acceptable", f"{question.var} has one value")
    try:
        if kind == "boolean":
            return read_bool(values[0]) if values else False
        if kind == "jid-single" and values:
            return JID.parse(values[0])
        if kind == "jid-multi":
            return tuple(dict.fromkeys(JID.parse(value) for value in values))
        _validate(question, values)
    except (JIDError, ValueError) as error:
        raise StanzaError("not-acceptable", f"{question.var}: {error}") from None
    if kind in MULTI:
        return tuple(dict.fromkeys(values)) if kind == "list-multi" else values
    return values[0] if values else ""


_DATATYPES = {
    "xs:byte": (-(2**7), 2**7 - 1),
    "xs:short": (-(2**15), 2**15 - 1),
    "xs:int": (-(2**31), 2**31 - 1),
    "xs:long": (-(2**63), 2**63 - 1),
    "xs:integer": (-(2**63), 2**63 - 1),
}


def _validate(question: Field, values: tuple[str, ...]) -> None:
    """Raises `ValueError` for a choice that was not offered, or a number out of range."""
    rule = question.validate
    is_open = rule is not None and rule.open
    if (question.type or "").startswith("list-") and question.options and not is_open:
        offered = {option.value for option in question.options}
        if not offered.issuperset(values):
            raise ValueError("not one of the options")
    if rule is None:
        return
    if rule.datatype in _DATATYPES:
        low, high = _DATATYPES[rule.datatype]
        if rule.range is not None:
            low = max(low, int(rule.range.min)) if rule.range.min else low
            high = min(high, int(rule.range.max)) if rule.range.max else high
        for value in values:
            number: int = form_of(int).read(value)
            if not low <= number <= high:
                raise ValueError(f"{number} is not between {low} and {high}")
    count = rule.list_range
    if count is not None and not (count.min or 0) <= len(values) <= (count.max or len(values)):
        raise ValueError(f"{len(values)} chosen, {count.min or 0} to {count.max or 'any'} wanted")
