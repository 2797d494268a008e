"""Patterns that a peer has chosen, matched in bounded time: POSIX extended regular expressions.

All states that a pattern can be in go through the text side by side, so none of them ever goes
back: the time grows with the pattern times the text, and both are bounded. What POSIX leaves
undefined, and what other dialects mean otherwise, is not understood rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from .expression import Alternatives, Character, Expression, Place, Repeated, Sequence, Test, parse

MOST_STATES = 1000  # of one pattern, with all its repetitions written out
MOST_STEPS = 30_000  # of one comparison; some 50 ms


class TooMuch(ValueError):
    """A pattern, or what is compared with it, is larger than we are willing to look through."""


class Pattern:
    """An automaton. A state is a test with the one state behind it, or leads to others freely."""

    def __init__(self, text: str) -> None:
        """Raises `ValueError` for a pattern that is not understood, or too large."""
        self._tests: list[Test | Place | None] = []
        self._behind: list[tuple[int, ...]] = []
        self._end = self._state(None)
        self._start = self._build(parse(text), self._end)

    def _state(self, test: Test | Place | None, *behind: int) -> int:
        if len(self._tests) >= MOST_STATES:
            raise TooMuch("a pattern that is too large")
        self._tests.append(test)
        self._behind.append(behind)
        return len(self._tests) - 1

    def _build(self, part: Expression, behind: int) -> int:
        """The state that `part` begins with, when `behind` is what comes after it."""
        match part:
            case Character(test):
                return self._state(test, behind)
            case Place():
                return self._state(part, behind)
            case Sequence(parts):
                for one in reversed(parts):
                    behind = self._build(one, behind)
                return behind
            case Alternatives(parts):
                return self._state(None, *(self._build(one, behind) for one in parts))
            case Repeated(inner, least, most):
                return self._repeat(inner, least, most, behind)

    def _repeat(self, inner: Expression, least: int, most: int | None, behind: int) -> int:
        start = behind
        if most is None:
            start = self._state(None)
            self._behind[start] = (self._build(inner, start), behind)
        else:
            for _ in range(most - least):
                start = self._state(None, self._build(inner, start), behind)
        for _ in range(least):
            start = self._build(inner, start)
        return start

    def fits(self, text: str) -> bool:
        """Whether the whole of `text` is what the pattern describes. Raises `TooMuch`."""
        left = MOST_STEPS
        states = self._reach((self._start,), at_start=True, at_end=not text)
        for number, character in enumerate(text, 1):
            left -= len(states) + 1
            if left < 0:
                raise TooMuch("too long to be compared with the pattern")
            moved: set[int] = set()
            for state in states:
                test = self._tests[state]
                if callable(test) and test(character):
                    moved.update(self._behind[state])
            states = self._reach(moved, at_start=False, at_end=number == len(text))
        return self._end in states

    def _reach(self, states: Iterable[int], *, at_start: bool, at_end: bool) -> set[int]:
        """`states` and all that they lead to without another character."""
        reached, todo = set(states), list(states)
        while todo:
            state = todo.pop()
            test = self._tests[state]
            is_open = at_start if test is Place.START else at_end
            if test is None or (isinstance(test, Place) and is_open):
                fresh = [one for one in self._behind[state] if one not in reached]
                reached.update(fresh)
                todo += fresh
        return reached


@lru_cache(maxsize=64)
def understood(text: str) -> Callable[[str], bool] | None:
    """Whether a text fits the pattern; None for a pattern that is not understood.

    What is returned raises `TooMuch`.
    """
    try:
        return Pattern(text).fits
    except ValueError:
        return None
