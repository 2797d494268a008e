"""Types and values of settings in words: for mistakes, and for the reference."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import fields

from .table import bare, is_live
from .values import Address, Addresses, Duration, Secret, Size

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    Path: "a path",
    Duration: 'a duration as "30s"',
    Size: 'a size as "16KiB"',
    Address: 'an address as "127.0.0.1:5222"',
    Addresses: 'an address as "127.0.0.1:5222", or a list of them',
    Secret: 'text, or { file = "path" }',
}
_MAX_SHOWN = 60  # characters of a value in a message


class Described(NamedTuple):
    """A setting as the reference shows it."""

    key: str
    type: str
    default: str  # as TOML; empty if it must be given
    doc: str
    is_live: bool


def words(kind: Any) -> str:
    """What a value of this type looks like."""
    inner = bare(kind)
    if get_origin(inner) is Literal:
        return " or ".join(toml(choice) for choice in get_args(inner))
    if get_origin(inner) in (list, tuple, set, frozenset):
        return f"a list, each {words(get_args(inner)[0])}" + _bounds(kind)
    if get_origin(inner) is dict:
        return f"a table, each value {words(get_args(inner)[1])}"
    if isinstance(inner, type) and issubclass(inner, Struct):
        return "a table"
    known = _WORDS.get(inner) or f"text ({getattr(inner, '__name__', inner)})"
    return known + _bounds(kind)


def toml(value: Any) -> str:
    """A value as TOML writes it, in one line and not too long; a secret is not shown."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case Duration() | Size() | Path():
            return f'"{value}"'
        case str():
            shown = value if len(value) <= _MAX_SHOWN else value[:_MAX_SHOWN] + "…"
            return msgspec.json.encode(shown).decode().replace("\x7f", "\\u007f")
        case list() | tuple() | set() | frozenset():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict() | Struct():
            return "a table"
    return str(value)


def describe(kind: type[Struct]) -> list[Described]:
    """The settings of a table, in the order of its declaration."""
    docs = _docs(kind)
    return [
        Described(
            field.encode_name,
            words(field.type),
            "" if field.required else toml(_default(field.default, field.default_factory)),
            docs.get(field.name, ""),
            is_live(field),
        )
        for field in fields(kind)
    ]


def _default(value: Any, factory: Any) -> Any:
    return factory() if value is NODEFAULT else value


def _docs(kind: type) -> dict[str, str]:
    """The text below each field, of the class and those it is derived from."""
    docs: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if issubclass(one, Struct) and not one.__module__.startswith("msgspec"):
            docs |= _own_docs(one)
    return docs


def _own_docs(kind: type) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    docs: dict[str, str] = {}
    name: str | None = None
    for statement in getattr(definition, "body", ()):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=field)):
                name = field
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                docs[name] = inspect.cleandoc(text)
                name = None
            case _:
                name = None
    return docs


def _bounds(kind: Any) -> str:
    if get_origin(kind) is not Annotated:
        return ""
    said = [text for meta in get_args(kind)[1:] if isinstance(meta, Meta) for text in _said(meta)]
    return (" of " + " and ".join(said)) if said else ""


def _said(meta: Meta) -> list[str]:
    said = {
        "{} or more": meta.ge,
        "more than {}": meta.gt,
        "at most {}": meta.le,
        "less than {}": meta.lt,
        "at least {} long": meta.min_length,
        "at most {} long": meta.max_length,
        "the form {}": meta.pattern,
    }
    return [text.format(bound) for text, bound in said.items() if bound is not None]
