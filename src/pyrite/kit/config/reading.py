"""From a TOML file to typed settings, with the line of every mistake."""

from __future__ import annotations

import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import fields

from .decoding import Decoder
from .mistakes import ConfigError, Mistake
from .paths import KeyPath, dotted, lines

S = TypeVar("S", bound=Struct)

MAX_FILE = 1 << 20  # octets; more is no settings file
_LINE = re.compile(r"\s*\(at (?:line (\d+)[^)]*|end of document)\)")


def read(file: Path, kind: type[S]) -> S:
    """The settings in `file`. Raises ConfigError with all mistakes."""
    reading = Reading(file)
    settings = reading.table(kind, reading.data)
    reading.finish()
    return cast(S, settings)  # only a mistake leaves None


class Reading(Decoder):
    """One settings file while it is read: its data, and the mistakes found so far."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError if the file cannot be read, or is not TOML."""
        super().__init__()
        self.file = file
        self.folder = file.parent
        text = self._load()
        self.data = self._parse(text)
        self._lines = lines(text)

    def finish(self) -> None:
        """Raises ConfigError if there were mistakes."""
        if self.wrong:
            raise ConfigError(
                Mistake(str(self.file), self._line(path), dotted(path), what, meant)
                for path, what, meant in self.wrong
            )

    def _line(self, path: KeyPath) -> int:
        """The line of a key; that of its table if it is not there."""
        return next((self._lines[p] for p in _upwards(path) if p in self._lines), 1)

    def _load(self) -> str:
        try:
            with self.file.open("rb") as source:
                octets = source.read(MAX_FILE + 1)
        except OSError as error:
            raise self._error(0, f"cannot be read: {error.strerror}") from None
        if len(octets) > MAX_FILE:
            raise self._error(0, f"is larger than {MAX_FILE} octets")
        try:
            return octets.removeprefix(BOM_UTF8).decode()
        except UnicodeDecodeError as error:
            line = octets[: error.start].count(b"\n") + 1
            raise self._error(line, "is not UTF-8") from None

    def _parse(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except RecursionError:
            raise self._error(0, "is nested too deeply") from None
        except tomllib.TOMLDecodeError as error:
            found = _LINE.search(str(error))
            line = int(found[1]) if found and found[1] else text.count("\n") + 1
            raise self._error(line, f"is not TOML: {_LINE.sub('', str(error))}") from None

    def _error(self, line: int, what: str) -> ConfigError:
        return ConfigError([Mistake(str(self.file), line, "", what)])


def changed(old: Struct, new: Struct, path: KeyPath = ()) -> set[KeyPath]:
    """The paths of all values that differ, as deep as tables go."""
    if type(old) is not type(new):
        return {path}
    differing: set[KeyPath] = set()
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        differing |= _differing(before, after, (*path, field.encode_name))
    return differing


def _differing(before: Any, after: Any, path: KeyPath) -> set[KeyPath]:
    if isinstance(before, Struct) and isinstance(after, Struct):
        return changed(before, after, path)
    if isinstance(before, dict) and isinstance(after, dict):
        keys = before.keys() | after.keys()
        each = (_differing(before.get(key), after.get(key), (*path, key)) for key in keys)
        return set[KeyPath]().union(*each)
    return set() if before == after else {path}


def _upwards(path: KeyPath) -> Iterable[KeyPath]:
    return (path[:length] for length in range(len(path), 0, -1))
