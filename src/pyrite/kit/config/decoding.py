"""From plain data to typed values, with every mistake told and not just the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from .mistakes import Wrong, nearest
from .paths import KeyPath
from .table import bare
from .words import toml, words

S = TypeVar("S", bound=Struct)

_SEQUENCES = (list, tuple, set, frozenset)


class Decoder:
    """Makes structs of dictionaries; notes what is wrong with `mistake`.

    A class that is not TOML's or JSON's own reads itself: with ``parse(text)``, or with
    ``from_toml(value, folder)``, either of which raises ValueError in words. `folder` is
    where paths begin; without one no file is read, whatever the data says.
    """

    folder: Path | None = None

    def __init__(self) -> None:
        self.wrong: list[tuple[KeyPath, str, str | None]] = []  # where, what, what was meant

    def mistake(self, path: KeyPath, what: str, nearest: str | None = None) -> None:
        """Note that the value at `path` is wrong."""
        self.wrong.append((path, what, nearest))

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
        before = len(self.wrong)
        values = {
            field.name: self._field(field, raw, path, getattr(base, field.name, NODEFAULT))
            for field in known.values()
        }
        if len(self.wrong) > before:
            return None
        return self._make(kind, values, path)

    def value(self, kind: Any, raw: object, path: KeyPath, base: Any = NODEFAULT) -> Any:
        """`raw`, which stands at `path`, as `kind`; nothing useful after a mistake."""
        inner, before = bare(kind), len(self.wrong)
        if isinstance(inner, type) and issubclass(inner, Struct):
            return self.table(inner, raw, path, base if isinstance(base, inner) else None)
        if get_origin(inner) is dict and isinstance(raw, dict):
            each = get_args(inner)[1]
            return {key: self.value(each, one, (*path, key)) for key, one in raw.items()}
        if get_origin(inner) in _SEQUENCES and isinstance(raw, list):
            each = get_args(inner)[0]
            values = [self.value(each, one, (*path, i)) for i, one in enumerate(raw)]
            if len(self.wrong) > before or _holds_structs(each):
                return get_origin(inner)(values)
        return self._leaf(kind, raw, path)

    def unknown(self, raw: Mapping[str, object], known: Iterable[str], path: KeyPath) -> None:
        """A mistake for each key of `raw` that is not known."""
        known = set(known)
        for key in raw:
            if key not in known:
                self.mistake((*path, key), "unknown key", nearest(key, sorted(known)))

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
            return kind.from_toml(raw, self.folder)
        if not isinstance(raw, str):
            raise ValueError(f"expected {words(kind)}, found {toml(raw)}")
        return self._path(raw) if kind is Path else kind.parse(raw)

    def _path(self, raw: str) -> Path:
        if not raw or "\0" in raw:
            raise ValueError(f"expected {words(Path)}, found {toml(raw)}")
        return (self.folder or Path()) / raw


def _holds_structs(kind: Any) -> bool:
    inner = bare(kind)
    return isinstance(inner, type) and issubclass(inner, Struct)
