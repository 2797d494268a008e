"""What plugins rely on does not change unseen."""

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from pyrite.server import api

KEPT = Path(__file__).parent / "data" / f"api-{api.VERSION}.txt"
DEEP = (*api.MEMBERS, api.Request, api.Key, api.Stanza, api.KeyValues, api.Log, api.Part, api.Scope)
NOISE = (  # how a signature is shown that is always the same one
    (re.compile(r"<dataclasses._MISSING_TYPE object at \w+>"), "…"),
    (re.compile(r"ForwardRef\('([^']*)'\)"), r"'\1'"),
)


def surface() -> str:
    """Every public name with its signature, and the members of what plugins build on."""
    lines = []
    for name in sorted(api.__all__):
        value = getattr(api, name)
        lines.append(name + shape(value))
        if value in DEEP:
            lines += sorted(f"  {name}.{member}" for member in members(value))
    return "\n".join(lines) + "\n"


def shape(value: Any) -> str:
    """How it is called; for a constant, its value; for an enumeration, its members."""
    if isinstance(value, int | float | str):
        return f" = {value!r}"
    if inspect.isclass(value) and issubclass(value, Enum):
        return f": {', '.join(value.__members__)}"
    if value in api.MEMBERS or getattr(value, "_is_protocol", False):
        return ""  # made by the server, or by nobody
    try:
        text = str(inspect.signature(value))
    except (TypeError, ValueError):
        return ""
    for pattern, plain in NOISE:
        text = pattern.sub(plain, text)
    return text


def members(cls: type) -> Iterator[str]:
    found = dict(inspect.getmembers_static(cls))
    for name in api.MEMBERS.get(cls, [name for name in found if not name.startswith("_")]):
        value = found.get(name)
        yield name + (shape(value) if inspect.isfunction(value) else "")


def test_the_interface_is_as_its_version_says() -> None:
    """To add to it: raise the minor VERSION in `server/api.py`; to change it: the major one.

    Then keep what this test shows in a new file beside the old ones.
    """
    assert KEPT.exists(), f"{KEPT.name} is missing; it is to be:\n{surface()}"
    assert surface() == KEPT.read_text(), "the interface has changed, and its version has not"


def test_everything_that_is_public_has_words() -> None:
    found = {name: getattr(api, name) for name in api.__all__}
    calls = {n: v for n, v in found.items() if inspect.isclass(v) or inspect.isfunction(v)}
    assert [name for name, value in calls.items() if not inspect.getdoc(value)] == []


@pytest.mark.parametrize("cls", api.MEMBERS, ids=lambda cls: cls.__name__)
def test_public_members_are_there(cls: type) -> None:
    source = inspect.getsource(cls)
    missing = [
        name for name in api.MEMBERS[cls] if not hasattr(cls, name) and f"self.{name}" not in source
    ]
    assert missing == ["spec"] * (cls is api.Module)  # only declared: a plugin need not have one
