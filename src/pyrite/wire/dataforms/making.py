"""Forms to be sent: questions, answers and results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from ...core.jid import JID
from ...core.values import show_bytes, show_datetime
from .layout import Page
from .payloads import FORM_TYPE, Field, Form, Item, Option, Reported, Validate

One = bool | str | int | float | Decimal | date | datetime | time | bytes | JID
Value = One | tuple[One, ...]


def form(
    form_type: str,
    *fields: Field,
    title: str | None = None,
    instructions: str | None = None,
    pages: Iterable[Page] = (),
) -> Form:
    """A form to fill in."""
    lines = (instructions,) if instructions else ()
    asked = (hidden(FORM_TYPE, form_type), *fields)
    return Form("form", title, lines, asked, pages=tuple(pages))


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
    """The answers to a form that is known without being seen; to one that is: `fill`."""
    fields = [Field(var, values=shown(value)) for var, value in values.items()]
    return Form("submit", fields=(hidden(FORM_TYPE, form_type), *fields))


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
        var, type, label, validate, required=required, values=shown(value), options=choices
    )


def shown(value: Value) -> tuple[str, ...]:
    """`value` as the texts of a field; ValueError for a time without a zone."""
    return tuple(map(_text, value)) if isinstance(value, tuple) else (_text(value),)


def _text(value: One) -> str:
    match value:
        case bool():
            return "1" if value else "0"
        case bytes():
            return show_bytes(value)
        case datetime():
            return show_datetime(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case float():
            return _FLOATS.get(str(value)) or str(value)
    return str(value)


_FLOATS = {"inf": "INF", "-inf": "-INF", "nan": "NaN"}
