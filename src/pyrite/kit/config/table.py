"""A table of settings as a frozen struct."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, dataclass_transform, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import FieldInfo, fields

from .paths import KeyPath

LIVE = Meta(extra={"live": True})
"""Marks a field that a command may change at run time: ``Annotated[bool, LIVE]``."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Table(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Base of all settings. Never changed after it is made."""


def is_live(field: FieldInfo) -> bool:
    """The field is marked with `LIVE`."""
    extras = (one.extra or {} for one in _metas(field.type))
    return any(extra.get("live") for extra in extras)


def live_fields(kind: type[Struct], path: KeyPath = ()) -> Iterator[tuple[KeyPath, FieldInfo]]:
    """The fields of `kind` and the tables in it that may be changed at run time."""
    for field in fields(kind):
        inner = bare(field.type)
        here = (*path, field.encode_name)
        if isinstance(inner, type) and issubclass(inner, Struct):
            yield from live_fields(inner, here)
        elif is_live(field):
            yield here, field


def bare(kind: Any) -> Any:
    """The type without its annotations, and without ``| None``."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    others = [one for one in get_args(kind) if one is not type(None)]
    if len(others) == 1 and len(get_args(kind)) == 2 and type(None) in get_args(kind):
        return bare(others[0])
    return kind


def _metas(kind: Any) -> list[Meta]:
    return [one for one in getattr(kind, "__metadata__", ()) if isinstance(one, Meta)]
