"""What a POSIX extended regular expression says, part by part (IEEE 1003.1 §9.4)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from enum import Enum

from ...core.frozen import frozen

LONGEST = 1000  # characters
DEEPEST = 40  # groups within each other
MOST_TIMES = 255  # that something may be repeated (RE_DUP_MAX)

Test = Callable[[str], bool]


@frozen
class Character:
    """One character that passes the test."""

    test: Test


class Place(Enum):
    """Not a character, but a place."""

    START = "^"
    END = "$"


@frozen
class Sequence:
    """One after another."""

    parts: tuple[Expression, ...]


@frozen
class Alternatives:
    """Character one of them."""

    parts: tuple[Expression, ...]


@frozen
class Repeated:
    """`least` to `most` times, or without end."""

    inner: Expression
    least: int
    most: int | None


Expression = Character | Place | Sequence | Alternatives | Repeated

_TIMES: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}

CLASSES: dict[str, Test] = {
    "alnum": str.isalnum,
    "alpha": str.isalpha,
    "blank": lambda c: c in " \t",
    "cntrl": lambda c: unicodedata.category(c) == "Cc",
    "digit": lambda c: "0" <= c <= "9",
    "graph": lambda c: c.isprintable() and not c.isspace(),
    "lower": str.islower,
    "print": str.isprintable,
    "punct": lambda c: unicodedata.category(c)[0] in "PS",
    "space": str.isspace,
    "upper": str.isupper,
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
}

_SHORT: dict[str, Test] = {  # undefined in POSIX, and the same wherever they are known
    "d": CLASSES["digit"],
    "s": str.isspace,
    "w": lambda c: c.isalnum() or c == "_",
}


def parse(text: str) -> Expression:
    """Raises `ValueError` for what is not understood."""
    if len(text) > LONGEST:
        raise ValueError("a pattern that is too long")
    reader = _Reader(text)
    found = reader.alternatives(0)
    if reader.rest:
        raise ValueError("a group is closed that was not opened")
    return found


class _Reader:
    """Goes through a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    @property
    def rest(self) -> str:
        return self._text[self._at :]

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        found = self._next()
        if not found:
            raise ValueError("a pattern that ends too early")
        self._at += 1
        return found

    def _until(self, end: str) -> str:
        found, mark, _ = self.rest.partition(end)
        if not mark:
            raise ValueError(f"{end} is missing")
        self._at += len(found) + len(end)
        return found

    def alternatives(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise ValueError("groups that are too deep")
        parts = [self._sequence(depth)]
        while self._next() == "|":
            self._at += 1
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def _sequence(self, depth: int) -> Expression:
        parts: list[Expression] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._times(self._atom(depth)))
        return Sequence(tuple(parts))

    def _times(self, part: Expression) -> Expression:
        sign = self._next()
        if sign not in ("*", "+", "?", "{"):
            return part
        if isinstance(part, Place):
            raise ValueError("a place is not repeated")
        self._at += 1
        least, most = _TIMES.get(sign) or _bounds(self._until("}"))
        if self._next() in ("*", "+", "?", "{"):
            raise ValueError("repeated twice")  # undefined, and otherwise elsewhere
        return Repeated(part, least, most)

    def _atom(self, depth: int) -> Expression:
        match self._take():
            case "(":
                found = self.alternatives(depth + 1)
                if self._take() != ")":
                    raise ValueError("a group is not closed")
                return found
            case "[":
                return Character(self._bracket())
            case ".":
                return Character(lambda _: True)
            case "^":
                return Place.START
            case "$":
                return Place.END
            case "\\":
                return Character(_escaped(self._take()))
            case "*" | "+" | "?" | "{":
                raise ValueError("nothing to repeat")
            case character:
                return Character(character.__eq__)

    def _bracket(self) -> Test:
        """What stands between brackets (§9.3.5)."""
        is_negated = self._next() == "^"
        self._at += is_negated
        tests: list[Test] = []
        while not tests or self._next() != "]":
            tests.append(self._member())
        self._at += 1
        if is_negated:
            return lambda c: not any(test(c) for test in tests)
        return lambda c: any(test(c) for test in tests)

    def _member(self) -> Test:
        first = self._take()
        if first == "\\":
            raise ValueError("a backslash between brackets, which dialects read differently")
        if first == "[" and self._next() in (":", "=", "."):
            kind = self._take()
            name = self._until(f"{kind}]")
            if kind == ":":
                return _class(name)
            first = _single(name)
        if self._next() != "-" or self.rest[1:2] in ("", "]"):
            return first.__eq__
        self._at += 1
        last = self._take()
        if last in "\\[" or last < first:
            raise ValueError("a range that is none")
        return lambda c: first <= c <= last


def _bounds(text: str) -> tuple[int, int | None]:
    """How often, as it stands between braces."""
    low, comma, high = text.partition(",")
    if not all(one.isascii() and one.isdigit() for one in (low, high or low)) or len(text) > 7:
        raise ValueError("not a number of times")
    least = int(low)
    most = int(high) if high else (None if comma else least)
    if max(least, most or 0) > MOST_TIMES or (most is not None and most < least):
        raise ValueError("not a number of times")
    return least, most


def _escaped(character: str) -> Test:
    if character in _SHORT:
        return _SHORT[character]
    if character.lower() in _SHORT:
        test = _SHORT[character.lower()]
        return lambda c: not test(c)
    if character.isalnum():
        raise ValueError("an escape that POSIX does not know")
    return character.__eq__


def _class(name: str) -> Test:
    if name not in CLASSES:
        raise ValueError("no such class of characters")
    return CLASSES[name]


def _single(name: str) -> str:
    if len(name) != 1:
        raise ValueError("collation is not understood")
    return name
