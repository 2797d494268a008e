"""The data types of XML Schema, by name: their text as a value of Python (XML Schema Part 2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlsplit

from ...core.values import read_bool, read_bytes, read_date, read_datetime, read_offset

MOST_DIGITS = 1000  # of a number without bounds

Typed = bool | bytes | date | datetime | Decimal | float | int | str | time


class Datatype(NamedTuple):
    """How a text is read; and by what two are compared, where one can be less than another."""

    read: Callable[[str], Typed]
    key: Callable[[str], object] | None = None


class Duration(tuple[float, ...]):
    """Seconds from each of several days on. One is less if it is so from all (§3.2.6.2)."""

    __slots__ = ()

    def __le__(self, other: tuple[float, ...]) -> bool:
        return all(one <= another for one, another in zip(self, other, strict=True))


def datatype(name: str) -> Datatype:
    """What is known of `name`; a type that is not known is text (XEP-0122 §4)."""
    return _DATATYPES.get(name, _DATATYPES["xs:string"])


def is_within(kind: Datatype, text: str, low: str | None, high: str | None) -> bool:
    """Whether `text` is from `low` to `high`. Limits that mean nothing limit nothing."""
    key = kind.key
    if key is None:
        return True
    value = key(text)
    least, most = _limit(key, low), _limit(key, high)
    is_above = least is None or least <= value  # type: ignore[operator]
    return is_above and (most is None or value <= most)  # type: ignore[operator]


def _limit(key: Callable[[str], object], text: str | None) -> object:
    try:
        return None if text is None else key(text)
    except ValueError:
        return None


# --- numbers ----------------------------------------------------------------------------------

_INTEGER = re.compile(r"[+-]?[0-9]+\Z").match
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z").match
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z").match
_FLOATS = {"INF": float("inf"), "-INF": float("-inf"), "NaN": float("nan")}


def _integer(low: int | None = None, high: int | None = None) -> Datatype:
    def read(text: str) -> int:
        text = text.strip(_SPACE)
        if len(text) > MOST_DIGITS or not _INTEGER(text):
            raise ValueError(f"not an integer: {text[:32]!a}")
        value = int(text)
        if (low is not None and value < low) or (high is not None and value > high):
            ends = "..." if low is None else low, "..." if high is None else high
            raise ValueError(f"{text[:32]} is not between {ends[0]} and {ends[1]}")
        return value

    return Datatype(read, read)


def _decimal(text: str) -> Decimal:
    text = text.strip(_SPACE)
    if len(text) > MOST_DIGITS or not _DECIMAL(text):
        raise ValueError(f"not a decimal number: {text[:32]!a}")
    return Decimal(text)


def _float(text: str) -> float:
    text = text.strip(_SPACE)
    if text in _FLOATS:
        return _FLOATS[text]
    if len(text) > MOST_DIGITS or not _FLOAT(text):
        raise ValueError(f"not a number: {text[:32]!a}")
    return float(text)


# --- time -------------------------------------------------------------------------------------

_SPACE = " \t\r\n"
_ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
_ENDS_IN_ZONE = re.compile(r".*?(Z|[+-][0-9]{2}:[0-9]{2})\Z").match
_DURATION = re.compile(
    r"(-)?P(?=[0-9T])(?:([0-9]{1,6})Y)?(?:([0-9]{1,6})M)?(?:([0-9]{1,7})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?\Z"
).match
#: The days from which durations are compared (XML Schema Part 2 §3.2.6.2): year and month.
_FROM = ((1696, 9), (1697, 2), (1903, 3), (1903, 7))
_YEAR, _MONTH, _DAY = "-?(?:[1-9][0-9]{4,7}|[0-9]{4})", "(?:0[1-9]|1[0-2])", "[0-9]{2}"


def _moment(text: str) -> datetime:
    """An xs:dateTime; one without a zone is taken for UTC."""
    text = text.strip(_SPACE)
    return read_datetime(text if _ENDS_IN_ZONE(text[10:]) else f"{text}Z")


def _date_key(text: str) -> datetime:
    day = read_date(text)
    zone = read_offset((text.strip(_SPACE) + "Z")[10:16].removesuffix("Z") or "Z")
    return datetime(day.year, day.month, day.day) - (zone.utcoffset(None) or timedelta())


def _clock(text: str) -> time:
    """An xs:time, with its zone if it has one; 24:00:00 is midnight."""
    text = text.strip(_SPACE)
    zone = _ENDS_IN_ZONE(text)
    moment = read_datetime(f"1972-06-15T{text}{'' if zone else 'Z'}")
    return moment.astimezone(read_offset(zone[1])).timetz() if zone else moment.time()


def _clock_key(text: str) -> timedelta:
    value = _clock(text)
    since = datetime.combine(date(1972, 6, 15), value.replace(tzinfo=UTC))
    return since - datetime(1972, 6, 15, tzinfo=UTC) - (value.utcoffset() or timedelta())


def _duration(text: str) -> str:
    _span(text)
    return text.strip(_SPACE)


def _span(text: str) -> Duration:
    found = _DURATION(text.strip(_SPACE))
    if found is None:
        raise ValueError(f"not a duration: {text[:32]!a}")
    sign, *parts = found.groups()
    years, months, days, hours, minutes, seconds = (float(part or 0) for part in parts)
    rest = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    factor = -1 if sign else 1
    count = factor * int(years * 12 + months)
    return Duration(_days(begin, count) * 86400.0 + factor * rest for begin in _FROM)


def _days(begin: tuple[int, int], months: int) -> int:
    """How many days `months` are, from the first of a month on; for every year that there is."""
    year, month = begin
    total = year * 12 + month - 1 + months
    return _since(total // 12, total % 12) - _since(year, month - 1)


def _since(year: int, month: int) -> int:
    """The days before the first of a month, in the calendar that goes on both ways."""
    cycles, year = divmod(year, 400)
    return cycles * 146_097 + date(year + 400, month + 1, 1).toordinal()


# --- text -------------------------------------------------------------------------------------

_NAME_START = (
    r"A-Z_a-z\xC0-\xD6\xD8-\xF6\xF8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D\u2070-\u218F"
    r"\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_NAME_CHAR = rf"{_NAME_START}\-.0-9\xB7\u0300-\u036F\u203F-\u2040"
_NCNAME = rf"[{_NAME_START}][{_NAME_CHAR}]*"
_NO_URI = re.compile(r"%(?![0-9A-Fa-f]{2})|#[^#]*#|[\x00-\x20\x7f<>\"{}|\\^`]").search


def _like(words: str, expression: str) -> Datatype:
    """Text of a fixed shape, the space around it not counted."""
    shape = rf"(?:{expression})\Z"

    def read(text: str) -> str:
        text = text.strip(_SPACE)
        if not re.match(shape, text):  # compiled now: the names take longer than all the rest
            raise ValueError(f"not {words}: {text[:32]!a}")
        return text

    return Datatype(read)


def _uri(text: str) -> str:
    """An xs:anyURI: only what can be no address at all is refused."""
    text = text.strip(_SPACE)
    if _NO_URI(text):
        raise ValueError(f"not a URI: {text[:64]!a}")
    try:
        urlsplit(text)
    except ValueError as error:
        raise ValueError(f"not a URI: {error}") from None
    return text


def _normalized(text: str) -> str:
    if set("\t\r\n") & set(text):
        raise ValueError("not one line")
    return text


def _token(text: str) -> str:
    return " ".join(text.split())


def _hex(text: str) -> bytes:
    text = text.strip(_SPACE)
    if not re.match(r"(?:[0-9A-Fa-f]{2})*\Z", text):
        raise ValueError(f"not hexadecimal: {text[:32]!a}")
    return bytes.fromhex(text)


def _bits(size: int) -> Datatype:
    return _integer(-(2 ** (size - 1)), 2 ** (size - 1) - 1)


_NCNAME_LIKE = _like("a name", _NCNAME)
_NAMES_LIKE = _like("names", rf"{_NCNAME}(?:[ \t\r\n]+{_NCNAME})*")

_DATATYPES: dict[str, Datatype] = {
    "xs:string": Datatype(str),
    "xs:normalizedString": Datatype(_normalized),
    "xs:token": Datatype(_token),
    "xs:boolean": Datatype(read_bool),
    "xs:base64Binary": Datatype(read_bytes),
    "xs:hexBinary": Datatype(_hex),
    "xs:anyURI": Datatype(_uri),
    "xs:language": _like("a language", "[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*"),
    "xs:QName": _like("a qualified name", rf"(?:{_NCNAME}:)?{_NCNAME}"),
    "xs:NOTATION": _like("a qualified name", rf"(?:{_NCNAME}:)?{_NCNAME}"),
    "xs:Name": _like("a name", rf"[{_NAME_START}:][{_NAME_CHAR}:]*"),
    "xs:NCName": _NCNAME_LIKE,
    "xs:ID": _NCNAME_LIKE,
    "xs:IDREF": _NCNAME_LIKE,
    "xs:IDREFS": _NAMES_LIKE,
    "xs:ENTITY": _NCNAME_LIKE,
    "xs:ENTITIES": _NAMES_LIKE,
    "xs:NMTOKEN": _like("a name token", rf"[{_NAME_CHAR}:]+"),
    "xs:NMTOKENS": _like("name tokens", rf"[{_NAME_CHAR}:]+(?:[ \t\r\n]+[{_NAME_CHAR}:]+)*"),
    # numbers
    "xs:decimal": Datatype(_decimal, _decimal),
    "xs:float": Datatype(_float, _float),
    "xs:double": Datatype(_float, _float),
    "xs:integer": _integer(),
    "xs:nonPositiveInteger": _integer(high=0),
    "xs:negativeInteger": _integer(high=-1),
    "xs:nonNegativeInteger": _integer(low=0),
    "xs:positiveInteger": _integer(low=1),
    "xs:long": _bits(64),
    "xs:int": _bits(32),
    "xs:short": _bits(16),
    "xs:byte": _bits(8),
    "xs:unsignedLong": _integer(0, 2**64 - 1),
    "xs:unsignedInt": _integer(0, 2**32 - 1),
    "xs:unsignedShort": _integer(0, 2**16 - 1),
    "xs:unsignedByte": _integer(0, 2**8 - 1),
    # time
    "xs:dateTime": Datatype(_moment, _moment),
    "xs:date": Datatype(read_date, _date_key),
    "xs:time": Datatype(_clock, _clock_key),
    "xs:duration": Datatype(_duration, _span),
    "xs:gYear": _like("a year", _YEAR + _ZONE),
    "xs:gYearMonth": _like("a month of a year", f"{_YEAR}-{_MONTH}{_ZONE}"),
    "xs:gMonth": _like("a month", f"--{_MONTH}{_ZONE}"),
    "xs:gMonthDay": _like("a day of a month", f"--{_MONTH}-{_DAY}{_ZONE}"),
    "xs:gDay": _like("a day", f"---{_DAY}{_ZONE}"),
}
