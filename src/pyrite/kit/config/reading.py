"""From a TOML file to typed settings, with every mistake in it told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from .mistakes import ConfigError, Mistake, Wrong, nearest
from .paths import KeyPath, dotted, lines
from .table import bare
from .words import toml, words

S = TypeVar("S", bound=Struct)

MAX_FILE = 1 << 20  # octets; more is no settings file
_LINE = re.compile(r"\s*\(at (?:line (\d+)[^)]*|end of document)\)")
_SEQUENCES = (list, tuple, set, frozenset)


def read(file: Path, kind: type[S]) -> S:
    """The settings in `file`. Raises ConfigError with all mistakes."""
    reading = Reading(file)
    settings = reading.table(kind, reading.data)
    reading.finish()
    return cast(S, settings)  # only a mistake leaves None


class Reading:
    """One settings file while it is read: its data, and the mistakes found so far."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError if the file cannot be read, or is not TOML."""
        self.file = file
        self.mistakes: list[Mistake] = []
        text = self._load()
        self.data = self._parse(text)
        self._lines = lines(text)

    def table(
        self, kind: type[S], raw: object, path: KeyPath = (), base: S | None = None
    ) -> S | None:
        """`raw`, which stands at `path`, as a `kind`; None after a mistake.

        What it does not mention has the value it has in `base`, or its default.
        """
        if not isinstance(raw, dict):
            self.mistake(path, f"expected a table, found {toml(raw)}")
            return None
        known = {field.encode_name: field for field in fields(kind)}
        self.unknown(raw, known, path)
        before = len(self.mistakes)
        values = {
            field.name: self._field(field, raw, path, getattr(base, field.name, NODEFAULT))
            for field in known.values()
        }
        if len(self.mistakes) > before:
            return None
        return self._make(kind, values, path)

    def value(self, kind: Any, raw: object, path: KeyPath, base: Any = NODEFAULT) -> Any:
        """`raw`, which stands at `path`, as `kind`; nothing useful after a mistake."""
        inner, before = bare(kind), len(self.mistakes)
        if isinstance(inner, type) and issubclass(inner, Struct):
            return self.table(inner, raw, path, base if isinstance(base, inner) else None)
        if get_origin(inner) is dict and isinstance(raw, dict):
            each = get_args(inner)[1]
            return {key: self.value(each, one, (*path, key)) for key, one in raw.items()}
        if get_origin(inner) in _SEQUENCES and isinstance(raw, list):
            each = get_args(inner)[0]
            values = [self.value(each, one, (*path, i)) for i, one in enumerate(raw)]
            if len(self.mistakes) > before or _holds_structs(each):
                return get_origin(inner)(values)
        return self._leaf(kind, raw, path)

    def unknown(self, raw: Mapping[str, object], known: Iterable[str], path: KeyPath) -> None:
        """A mistake for each key of `raw` that is not known."""
        known = set(known)
        for key in raw:
            if key not in known:
                self.mistake((*path, key), "unknown key", nearest(key, sorted(known)))

    def mistake(self, path: KeyPath, what: str, nearest: str | None = None) -> None:
        """Note that the value at `path` is wrong."""
        line = next((self._lines[p] for p in _upwards(path) if p in self._lines), 1)
        self.mistakes.append(Mistake(str(self.file), line, dotted(path), what, nearest))

    def finish(self) -> None:
        """Raises ConfigError if there were mistakes."""
        if self.mistakes:
            raise ConfigError(self.mistakes)

    def _field(self, field: FieldInfo, raw: dict[str, Any], path: KeyPath, base: Any) -> Any:
        here = (*path, field.encode_name)
        if field.encode_name in raw:
            return self.value(field.type, raw[field.encode_name], here, base)
        if base is not NODEFAULT:
            return base
        if field.default is not NODEFAULT:
            return field.default
        if field.default_factory is not NODEFAULT:
            return field.default_factory()
        return self.mistake(here, "is missing")

    def _make(self, kind: type[S], values: dict[str, Any], path: KeyPath) -> S | None:
        try:
            return kind(**values)
        except Wrong as error:
            self.mistake((*path, *error.path), str(error))
        except ValueError as error:
            self.mistake(path, str(error))
        return None

    def _leaf(self, kind: Any, raw: object, path: KeyPath) -> Any:
        choices = get_args(bare(kind)) if get_origin(bare(kind)) is Literal else ()
        if choices and raw not in choices:
            hint = nearest(raw, choices) if isinstance(raw, str) else None
            return self.mistake(path, f"expected {words(kind)}, found {toml(raw)}", hint)
        try:
            return msgspec.convert(raw, kind, dec_hook=self._custom)
        except msgspec.ValidationError as error:
            what = str(error)
            if what.startswith("Expected"):
                what = f"expected {words(kind)}, found {toml(raw)}"
            return self.mistake(path, what)

    def _custom(self, kind: Any, raw: Any) -> Any:
        """A value of a class that is not TOML's own: it reads itself."""
        if hasattr(kind, "from_toml"):
            return kind.from_toml(raw, self.file.parent)
        if not isinstance(raw, str):
            raise ValueError(f"expected {words(kind)}, found {toml(raw)}")
        return self.file.parent / raw if kind is Path else kind.parse(raw)

    def _load(self) -> str:
        try:
            with self.file.open("rb") as source:
                octets = source.read(MAX_FILE + 1)
        except OSError as error:
            raise self._error(0, f"cannot be read: {error.strerror}") from None
        if len(octets) > MAX_FILE:
            raise self._error(0, f"is larger than {MAX_FILE} octets")
        try:
            return octets.decode()
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


def _holds_structs(kind: Any) -> bool:
    inner = bare(kind)
    return isinstance(inner, type) and issubclass(inner, Struct)
