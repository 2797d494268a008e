"""What `frozen` makes behaves as what `dataclasses` makes, and costs less until it is used."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from pyrite.core.frozen import frozen

usual = dataclasses.dataclass(frozen=True, slots=True)


def point_of(kind: Callable[[type], Any]) -> Any:
    class Point:
        """A place."""

        x: int
        y: int = 0
        names: list[str] = dataclasses.field(default_factory=list, compare=False, kw_only=True)
        note: str = dataclasses.field(default="", repr=False, kw_only=True)
        z: int = dataclasses.field(default=7)

    return kind(Point)


def nothing_of(kind: Callable[[type], Any]) -> Any:
    class Nothing:
        """No fields."""

    return kind(Nothing)


def positive_of(kind: Callable[[type], Any]) -> Any:
    class Positive:
        number: int
        unit: str = ""

        def __post_init__(self) -> None:
            if self.number <= 0:
                raise ValueError("not positive")

        def __repr__(self) -> str:
            return f"+{self.number}"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and other.number == self.number

    return kind(Positive)


@frozen
class Kept:
    """One that is found by its name."""

    x: int
    names: list[str] = dataclasses.field(default_factory=list)
    note: str = dataclasses.field(default="", kw_only=True)


BOTH = pytest.mark.parametrize("kind", [usual, frozen])


@BOTH
def test_it_is_made_by_position_and_by_name(kind: Callable[[type], Any]) -> None:
    made = point_of(kind)
    point = made(1, 2, z=3, note="n")
    assert (point.x, point.y, point.z, point.note, point.names) == (1, 2, 3, "n", [])
    assert made(1).names is not made(1).names
    for wrong in ({}, {"x": 1, "w": 2}):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            made(**wrong)
    with pytest.raises(TypeError):
        made(1, 2, 3, "note is given by its name alone")


@BOTH
def test_it_is_a_value(kind: Callable[[type], Any]) -> None:
    made, nothing = point_of(kind), nothing_of(kind)
    assert made(1) == made(1, names=["not looked at"]) != made(2)
    assert hash(made(1)) == hash(made(1, names=["not looked at"])) != hash(made(2))
    assert made(1) != (1, 0, "", 7)
    assert nothing() == nothing() != made(1)
    assert {nothing(), nothing()} == {nothing()}
    assert repr(made(1)) == "point_of.<locals>.Point(x=1, y=0, names=[], z=7)"
    assert repr(nothing()) == "nothing_of.<locals>.Nothing()"


@BOTH
def test_nothing_of_it_changes(kind: Callable[[type], Any]) -> None:
    point = point_of(kind)(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        point.w = 2
    assert not hasattr(point, "__dict__")


@BOTH
def test_it_is_a_dataclass(kind: Callable[[type], Any]) -> None:
    made = point_of(kind)
    assert dataclasses.is_dataclass(made)
    assert dataclasses.replace(made(1, note="n"), y=2) == made(1, 2, note="n")
    assert dataclasses.asdict(made(1)) == {"x": 1, "y": 0, "names": [], "note": "", "z": 7}
    assert made.__match_args__ == ("x", "y", "z")
    assert made.__doc__ == "A place."


@BOTH
def test_it_can_be_looked_at_before_it_is_used(kind: Callable[[type], Any]) -> None:
    made = point_of(kind)
    assert str(inspect.signature(made)) == str(inspect.signature(point_of(usual)))
    assert get_type_hints(made.__init__) == get_type_hints(point_of(usual).__init__)
    assert made.__init__.__qualname__ == "point_of.<locals>.Point.__init__"


@BOTH
def test_what_it_writes_itself_stays(kind: Callable[[type], Any]) -> None:
    made = positive_of(kind)
    assert repr(made(1)) == "+1"
    with pytest.raises(ValueError, match="not positive"):
        made(0)
    assert made(1, "a") == made(1, "b")
    assert hash(made(1)) == hash(made(1))


def test_it_is_copied_and_kept() -> None:
    point = Kept(1, names=["a"], note="n")
    for again in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert again == point
        assert (again.names, again.note) == (["a"], "n")


def test_what_inherits_has_its_own_fields() -> None:
    base = point_of(frozen)
    made: Any = frozen(type("More", (base,), {"__annotations__": {"w": int}, "w": 9}))
    assert made(1).w == 9
    assert made(1, w=2) != made(1)
    assert made(1) != base(1)


def test_its_module_need_not_be_one_that_is_imported() -> None:
    made: Any = frozen(type("Made", (), {"__annotations__": {"x": int}, "__module__": "nowhere"}))
    assert made(1).x == 1


def test_nothing_is_compiled_until_it_is_used() -> None:
    made = point_of(frozen)
    assert not inspect.isfunction(vars(made)["__init__"])
    made(1)
    assert inspect.isfunction(vars(made)["__init__"])
