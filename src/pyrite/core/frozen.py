"""Frozen classes that cost little until they are used.

For each class `dataclasses` writes seven methods as text and compiles them. There are hundreds of
payloads, and a program uses a few: that was most of the time its import took. Here all classes
share six of the methods, and ``__init__`` is compiled when a class is first called.

What is made is a dataclass with slots otherwise: `dataclasses.fields`, `dataclasses.replace`,
``match``, `copy` and `pickle` take it as one.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[C]) -> type[C]:
    """As ``dataclass(frozen=True, slots=True)``. What the class writes itself stays.

    For what every program loads; elsewhere `dataclasses` does as well.
    """
    own = set(vars(cls))
    if vars(cls).get("__hash__", own) is None and "__eq__" in own:
        own.remove("__hash__")  # Python takes it away from whoever writes ``__eq__``
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    compared = [f.name for f in dataclasses.fields(made) if f.compare]
    made._compared = attrgetter(*compared) if compared else staticmethod(_nothing)
    for name, method in _SHARED.items():
        if name not in own:
            setattr(made, name, method)
    if "__init__" not in own:
        made.__init__ = _Later(made)
    return made  # type: ignore[no-any-return]


def _equals(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = self._compared
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _show(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _set(_: Any, name: str, __: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, f.name) for f in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for f, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, f.name, value)


_SHARED: dict[str, Callable[..., Any]] = {
    "__eq__": _equals,
    "__hash__": _hash,
    "__repr__": _show,
    "__setattr__": _set,
    "__delattr__": _delete,
    "__getstate__": _state,
    "__setstate__": _restore,
}


def _nothing(_: Any) -> tuple[()]:
    return ()


class _Later:
    """Stands where ``__init__`` will be, until somebody looks for it there."""

    __slots__ = ("cls",)

    def __init__(self, cls: type) -> None:
        self.cls = cls

    def __get__(self, made: Any, owner: type | None = None) -> Any:
        function = _initializer(self.cls)
        self.cls.__init__ = function  # type: ignore[misc]
        return function.__get__(made, owner)


class _Factory:
    """The default of what is made anew for each."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def _initializer(cls: type) -> Callable[..., None]:
    """``__init__`` as a dataclass has it; the slots are filled directly, since no one else may."""
    names: dict[str, Any] = {"_FACTORY": _FACTORY}
    parameters, steps = ["self"], []
    for f in sorted(dataclasses.fields(cls), key=lambda f: f.kw_only is True):
        name, default = f.name, f"_default_{f.name}"
        if f.kw_only and "*" not in parameters:
            parameters.append("*")
        names[f"_set_{name}"] = getattr(cls, name).__set__
        if f.default_factory is not dataclasses.MISSING:
            names[default] = f.default_factory
            parameters.append(f"{name}=_FACTORY")
            steps.append(f"_set_{name}(self, {default}() if {name} is _FACTORY else {name})")
            continue
        if f.default is not dataclasses.MISSING:
            names[default] = f.default
            parameters.append(f"{name}={default}")
        else:
            parameters.append(name)
        steps.append(f"_set_{name}(self, {name})")
    if hasattr(cls, "__post_init__"):
        steps.append("self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n  " + "\n  ".join(steps or ["pass"])
    return _compiled(text, names, cls)


def _compiled(text: str, names: dict[str, Any], cls: type) -> Callable[..., None]:
    """The function that `text` defines, as one of the module of `cls`; `names` are in a closure."""
    inside = text.replace("\n", "\n ")
    text = f"def made({', '.join(names)}):\n {inside}\n return __init__"
    module, where = sys.modules.get(cls.__module__), dict[str, Any]()
    # Nothing comes in but the names of fields, as in `dataclasses`.
    exec(text, {} if module is None else vars(module), where)  # noqa: S102
    function: Any = where["made"](**names)
    function.__qualname__ = f"{cls.__qualname__}.__init__"
    function.__annotations__ = {f.name: f.type for f in dataclasses.fields(cls)} | {"return": None}
    return function  # type: ignore[no-any-return]
