"""What of a module's names programs can see, as text that can be kept and compared."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Any

NOISE = (  # how a signature is shown that is always the same one
    (re.compile(r"<dataclasses._MISSING_TYPE object at \w+>"), "…"),
    (re.compile(r"<factory>"), "…"),
    (re.compile(r" at 0x\w+"), ""),
    (re.compile(r"ForwardRef\('([^']*)'\)"), r"'\1'"),
)


def surface(
    names: Mapping[str, Any],
    deep: Collection[Any] = (),
    listed: Mapping[type, Collection[str]] | None = None,
) -> str:
    """Every name with its signature, and the members of those in `deep`.

    Of a class in `listed` the members are those; of others, all that are not private.
    """
    lines = []
    for name in sorted(names):
        value = names[name]
        lines.append(name + shape(value, listed or {}))
        if value in deep:
            lines += sorted(f"  {name}.{member}" for member in members(value, listed or {}))
    return "\n".join(lines) + "\n"


def shape(value: Any, listed: Mapping[type, Collection[str]]) -> str:
    """How it is called; for a constant, its value; for an enumeration, its members."""
    if isinstance(value, int | float | str):
        return f" = {value!r}"
    if inspect.isclass(value) and issubclass(value, Enum):
        return f": {', '.join(value.__members__)}"
    if (inspect.isclass(value) and value in listed) or getattr(value, "_is_protocol", False):
        return ""  # made by the server, or by nobody
    try:
        text = str(inspect.signature(value))
    except (TypeError, ValueError):
        return ""
    for pattern, plain in NOISE:
        text = pattern.sub(plain, text)
    return text


def members(cls: type, listed: Mapping[type, Collection[str]]) -> Iterator[str]:
    found = dict(inspect.getmembers_static(cls))
    for name in listed.get(cls, [name for name in found if not name.startswith("_")]):
        value = found.get(name)
        yield name + (shape(value, listed) if inspect.isfunction(value) else "")
