"""Values as the text that XML carries: the simple types of XML Schema that XMPP uses.

Each type has a `Form`: how its text is read (raising `ValueError`) and how it is shown. A type
with rules of its own is an alias that brings its form along::

    Port = Annotated[int, integer(1, 65535)]
"""

from __future__ import annotations

import binascii
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from .jid import JID

_SPACE = " \t\r\n"  # what XML Schema collapses, and nothing else

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}\Z").match
_NUMBER = re.compile(
    r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,4})?\Z"
).match
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?\Z").match
_DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,30}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})\Z"
).match
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})\Z").match


class Form(NamedTuple):
    """How a value is read from text, raising `ValueError`, and shown as text."""

    read: Callable[[str], Any]
    show: Callable[[Any], str]


def integer(low: int, high: int) -> Form:
    """The form of an integer from `low` to `high`, both included."""

    def read(text: str) -> int:
        text = text.strip(_SPACE)
        if not _INTEGER(text):
            raise ValueError(f"not an integer: {text[:32]!a}")
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"{value} is not between {low} and {high}")
        return value

    return Form(read, str)


def decimal(low: float, high: float) -> Form:
    """The form of a number from `low` to `high`, both included; a whole one is shown as such."""

    def read(text: str) -> float:
        text = text.strip(_SPACE)
        if not _NUMBER(text):
            raise ValueError(f"not a number: {text[:32]!a}")
        value = float(text)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{text[:32]!a} is not between {low} and {high}")
        return value

    return Form(read, _short)


def _short(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


Byte = Annotated[int, integer(-(2**7), 2**7 - 1)]
UnsignedByte = Annotated[int, integer(0, 2**8 - 1)]
UnsignedShort = Annotated[int, integer(0, 2**16 - 1)]
UnsignedInt = Annotated[int, integer(0, 2**32 - 1)]
UnsignedLong = Annotated[int, integer(0, 2**64 - 1)]
#: What an unbounded xs:nonNegativeInteger may be, so that it fits into a database.
NonNegative = Annotated[int, integer(0, 2**63 - 1)]
PositiveInt = Annotated[int, integer(1, 2**63 - 1)]


def read_bool(text: str) -> bool:
    """An xs:boolean."""
    value = _BOOLEANS.get(text.strip(_SPACE))
    if value is None:
        raise ValueError(f"not an xs:boolean: {text[:32]!a}")
    return value


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_bytes(text: str) -> bytes:
    """An xs:base64Binary: space between its characters means nothing."""
    if not text.isascii():
        raise ValueError("not base64")
    try:
        return b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None


def show_bytes(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def read_datetime(text: str) -> datetime:
    """A DateTime of XEP-0082 §3.2, in UTC; what is finer than a microsecond is cut off."""
    found = _DATETIME(text.strip(_SPACE))
    if not found:
        raise ValueError(f"not a date and time: {text[:40]!a}")
    day, clock, fraction, zone = found.groups()
    ends_the_day = clock == "24:00:00" and not (fraction or "").strip("0")
    moment = datetime.fromisoformat(f"{day}T{'00:00:00' if ends_the_day else clock}")
    moment += timedelta(days=ends_the_day, microseconds=int((fraction or "")[:6].ljust(6, "0")))
    try:
        return moment.replace(tzinfo=read_offset(zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"beyond the calendar: {text[:40]!a}") from None


def show_datetime(value: datetime) -> str:
    """`value` in UTC with ``Z``; raises `ValueError` if it does not know its zone."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone means nothing to others")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def read_offset(text: str) -> timezone:
    """The time zone of XEP-0082 §3: ``Z``, or hours and minutes east of UTC."""
    if text == "Z":
        return UTC
    found = _OFFSET(text)
    if not found or int(found[3]) > 59 or (int(found[2]), int(found[3])) > (14, 0):
        raise ValueError(f"not a time zone: {text[:16]!a}")
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))


def show_offset(value: timezone) -> str:
    minutes = round(value.utcoffset(None).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def read_date(text: str) -> date:
    """A Date of XEP-0082 §3.1; a time zone, which XML Schema allows, is dropped."""
    found = _DATE(text.strip(_SPACE))
    if not found:
        raise ValueError(f"not a date: {text[:32]!a}")
    return date(int(found[1]), int(found[2]), int(found[3]))


def same(value: str) -> str:
    return value


_FORMS: dict[Any, Form] = {
    str: Form(same, same),
    int: integer(-(2**63), 2**63 - 1),
    float: decimal(-math.inf, math.inf),
    bool: Form(read_bool, lambda value: "true" if value else "false"),
    bytes: Form(read_bytes, show_bytes),
    JID: Form(JID.parse, str),
    datetime: Form(read_datetime, show_datetime),
    date: Form(read_date, date.isoformat),
    timezone: Form(lambda text: read_offset(text.strip(_SPACE)), show_offset),
}


def form_of(hint: Any) -> Form:
    """The form of values of type `hint`; raises `TypeError` if it has none."""
    if get_origin(hint) is Annotated:
        own = next((x for x in get_args(hint)[1:] if isinstance(x, Form)), None)
        return own or form_of(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return _chosen({str(choice): choice for choice in get_args(hint)}, str)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _chosen({str(choice.value): choice for choice in hint}, lambda e: str(e.value))
    if hint not in _FORMS:
        raise TypeError(f"no XML form for {hint}")
    return _FORMS[hint]


def _chosen(choices: dict[str, Any], show: Callable[[Any], str]) -> Form:
    def read(text: str) -> Any:
        if text not in choices:
            raise ValueError(f"{text[:32]!a} is none of {', '.join(choices)}")
        return choices[text]

    return Form(read, show)
