"""Nothing of what programs see is of any type whatever, so that a checker knows what it checks."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pyrite
from pyrite.client import api, testing

ANY = re.compile(r"\bAny\b")
FINE = re.compile(r"Coroutine\[Any, Any, ")  # what a coroutine is, and nobody's business
#: A field that is held somewhere may be of any type: the class says of which.
FIELDS = {"anything", "attr", "child", "child_text", "child_texts", "children"} | {
    "flag",
    "lang",
    "text",
}
CALLED = {"__init__", "__getitem__", "__iter__", "__call__"}


def of_any_type(name: str, thing: object) -> Iterator[str]:
    """The names in `thing` that are typed as any."""
    if isinstance(thing, ModuleType):
        for inner in thing.__all__:
            yield from of_any_type(f"{name}.{inner}", getattr(thing, inner))
    elif inspect.isclass(thing) and thing.__module__.startswith("pyrite"):
        yield from (f"{name}.{member}" for member in members(thing))
    elif inspect.isfunction(thing) and is_any(thing):
        yield name


def members(cls: type) -> Iterator[str]:
    for name, member in inspect.getmembers_static(cls):
        if name.startswith("_") and name not in CALLED:
            continue
        function = member.fget if isinstance(member, property) else member
        function = getattr(function, "__func__", function)
        if inspect.isfunction(function) and is_any(function):
            yield name
    for name, kind in inspect.get_annotations(cls).items():
        if not name.startswith("_") and ANY.search(FINE.sub("", str(kind))):
            yield name


def is_any(function: object) -> bool:
    try:
        signature = str(inspect.signature(function))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return ANY.search(FINE.sub("", signature)) is not None


def test_nothing_is_of_any_type() -> None:
    names = [name for name in api.__all__ if name not in FIELDS]
    assert [found for name in names for found in of_any_type(name, getattr(api, name))] == []


def test_nor_is_anything_for_tests_but_what_is_passed_on() -> None:
    """Options of a client or a component, which have types of their own."""
    found = [f for name in testing.__all__ for f in of_any_type(name, getattr(testing, name))]
    assert found == ["MemoryServer.client", "MemoryServer.component"]


def test_that_is_found() -> None:
    """Else the two above would say nothing."""

    class Bad:
        __module__ = "pyrite.bad"
        field: "list[Any]"  # type: ignore[name-defined] # noqa: F821

        def method(self, *more: "Any") -> None:  # type: ignore[name-defined] # noqa: F821
            raise NotImplementedError

        @property
        def shown(self) -> "dict[str, Any]":  # type: ignore[name-defined] # noqa: F821
            raise NotImplementedError

    assert {*of_any_type("Bad", Bad)} == {"Bad.field", "Bad.method", "Bad.shown"}


def test_checkers_are_told() -> None:
    assert (Path(pyrite.__file__).parent / "py.typed").exists()
