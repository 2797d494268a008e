"""What is wrong with a settings file, in words that say where and what instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong."""

    file: str
    line: int  # from 1; 0 if it is about no line
    key: str  # dotted; empty if it is about no key
    what: str
    nearest: str | None = None  # what may have been meant

    def __str__(self) -> str:
        """One line: file, line, key, what is wrong, what may have been meant."""
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        key = f"{self.key}: " if self.key else ""
        return where + key + self.what + meant(self.nearest)


class ConfigError(Exception):
    """The settings are wrong: `mistakes` has all that was found, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.line))
        super().__init__("\n".join(map(str, self.mistakes)))


class Wrong(ValueError):
    """Raised by a table's ``__post_init__``: values that do not go together.

    `path` is the key to point at, from the table on; none points at the table itself.
    """

    def __init__(self, what: str, *path: str | int) -> None:
        super().__init__(what)
        self.path = path


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known word that `word` was probably meant to be: at least so like it, from 0 to 1."""
    by_fold = {one.casefold(): one for one in known}
    found = get_close_matches(word.casefold().replace("_", "-"), by_fold, 1, likeness)
    return by_fold[found[0]] if found else None


def meant(word: str | None) -> str:
    """The end of a message that proposes `word`, if there is one."""
    return f'; did you mean "{word}"?' if word else ""
