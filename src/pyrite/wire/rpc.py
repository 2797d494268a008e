"""Jabber-RPC: procedures of another entity, called with XML-RPC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite

from ..core.errors import StanzaError
from ..core.payload import anything, child, child_text, children, payload, text
from ..core.values import read_bool, read_bytes, show_bytes
from ..core.xml import Element, Name
from . import Spec

SPEC = Spec("XEP-0009", "2.2.1", "Jabber-RPC")
NS = "jabber:iq:rpc"

DEEPEST = 16  # arrays and structures that are read within each other

Value = bool | int | float | str | bytes | datetime | list["Value"] | dict[str, "Value"] | None


@payload(NS, "value")
class Raw:
    """A value as XML-RPC writes it; see `value_of`, `raw_of`."""

    content: tuple[Element, ...] = anything(default=())
    text: str = text(default="")  # a string that is not called one


@payload(NS, "param")
class Param:
    """One of what a procedure is told, or tells."""

    value: Raw = child()


@payload(NS, "params")
class Params:
    """All of it, in order."""

    params: tuple[Param, ...] = children(default=())


@payload(NS, "fault")
class Fault:
    """It went wrong in the procedure: a structure with ``faultCode`` and ``faultString``."""

    value: Raw = child()


@payload(NS, "methodCall")
class Call:
    """Do `name` (§2)."""

    name: str = child_text("methodName")
    params: Params | None = child(default=None)


@payload(NS, "methodResponse")
class Response:
    """What came of it (§2)."""

    params: Params | None = child(default=None)
    fault: Fault | None = child(default=None)


@payload(NS, "query")
class Query:
    """A call, or its answer (§2)."""

    call: Call | None = child(default=None)
    response: Response | None = child(default=None)


def call(name: str, *values: Value) -> Query:
    """Raises `TypeError` for what XML-RPC has no type for."""
    return Query(Call(name, _params(values)))


def answer(*values: Value) -> Query:
    return Query(response=Response(_params(values)))


def _params(values: tuple[Value, ...]) -> Params:
    return Params(tuple(Param(raw_of(value)) for value in values))


def values_of(params: Params | None) -> list[Value]:
    """All of them. Raises `StanzaError` ``bad-request`` for what is none."""
    return [value_of(one.value) for one in params.params] if params is not None else []


def value_of(raw: Raw) -> Value:
    """Raises `StanzaError` ``bad-request`` for a value that is none."""
    try:
        return _read(Element(Name(NS, "value"), None, (*raw.content, raw.text)), DEEPEST)
    except (ValueError, OverflowError) as error:
        raise StanzaError("bad-request", f"no value of XML-RPC: {error}") from None


def _read(element: Element, deepest: int) -> Value:
    if deepest == 0:
        raise ValueError("too deep")
    kind = next(element.elements, None)
    if kind is None:
        return element.text
    match kind.name.tag:
        case "array":
            data = kind.child(NS, "data")
            return [_read(one, deepest - 1) for one in data.elements] if data is not None else []
        case "struct":
            return dict(_member(one, deepest - 1) for one in kind.elements)
        case tag:
            return _simple(tag, kind.text)


def _member(element: Element, deepest: int) -> tuple[str, Value]:
    name, value = element.child(NS, "name"), element.child(NS, "value")
    if name is None or value is None:
        raise ValueError("a member has a name and a value")
    return name.text, _read(value, deepest)


def _simple(tag: str, text: str) -> Value:
    read = _SIMPLE.get(tag)
    if read is None:
        raise ValueError(f"no type {tag[:32]!a}")
    return read(text)


def _integer(text: str) -> int:
    value = int(text.strip()[:16])
    if not -(2**31) <= value < 2**31:
        raise ValueError(f"{text[:32]!a} is not of four octets")
    return value


def _real(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError("not a number")
    return value


_MOMENT = "%Y%m%dT%H:%M:%S"  # in what time zone, XML-RPC does not say

#: The types that hold no others -> how their text is read.
_SIMPLE: Mapping[str, Callable[[str], Value]] = {
    "i4": _integer,
    "int": _integer,
    "boolean": read_bool,
    "double": _real,
    "string": str,
    "base64": read_bytes,
    "dateTime.iso8601": lambda text: datetime.strptime(text.strip(), _MOMENT),
    "nil": lambda _: None,
}


def raw_of(value: Value) -> Raw:
    """Raises `TypeError` for what XML-RPC has no type for."""
    return Raw((_written(value),))


def _written(value: Value) -> Element:
    match value:
        case None:
            return _typed("nil")
        case bool():
            return _typed("boolean", str(int(value)))
        case int() if -(2**31) <= value < 2**31:
            return _typed("i4", str(value))
        case float() if isfinite(value):
            return _typed("double", repr(value))
        case str():
            return _typed("string", value)
        case bytes():
            return _typed("base64", show_bytes(value))
        case datetime():
            return _typed("dateTime.iso8601", value.strftime(_MOMENT))
        case list():
            data = [_typed("value", _written(one)) for one in value]
            return _typed("array", _typed("data", *data))
        case dict():
            return _typed("struct", *(_as_member(name, one) for name, one in value.items()))
    raise TypeError(f"no type of XML-RPC: {value!r}")


def _as_member(name: str, value: Value) -> Element:
    return _typed("member", _typed("name", name), _typed("value", _written(value)))


def _typed(tag: str, *inside: Element | str) -> Element:
    return Element(Name(NS, tag), None, inside)
