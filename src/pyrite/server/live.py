"""Settings while the server runs: what takes effect at once, and what a command changes.

What a command changes is kept in the store, and counts over what the file says.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo, fields, replace

from ..kit.config import Decoder, KeyPath, dotted, live_fields
from ..kit.config.mistakes import meant, nearest
from ..kit.config.table import is_live
from .catalogue import Installed
from .settings import Catalogue, HostSettings, HostTable, ServerTable, Settings
from .store.settings import LiveSettings

log = logging.getLogger(__name__)

AT_START: tuple[KeyPath, ...] = (  # what a running server does not take up
    ("data",),
    ("listen",),
    ("metrics",),
    ("store",),
    ("limits", "connections"),
    ("limits", "connections-per-address"),
    ("limits", "connection-rate"),
    ("limits", "connection-burst"),
)

MAX_VALUE = 10_000  # characters of a value, as JSON


class LiveError(ValueError):
    """There is no such setting, it is not live, or the value does not fit; the text says which."""


@dataclass(frozen=True, slots=True)
class Live:
    """A setting that may be changed while the server runs."""

    key: str
    value: Any


def in_force(new: Settings, old: Settings) -> Settings:
    """The new settings with what waits for the next start (`AT_START`) as it is."""
    for path in AT_START:
        new = _with(new, old, path)
    return new


def waits_for_start(path: KeyPath) -> bool:
    """Whether a change at `path` has no effect on a running server."""
    return any(path[: len(one)] == one for one in AT_START)


async def restored(settings: Settings, store: LiveSettings) -> Settings:
    """The settings of the file with all that is kept in the store."""
    stored = await store.load()
    return overlay(settings, stored, Installed()) if stored else settings


def overlay(settings: Settings, stored: Mapping[str, str], catalogue: Catalogue) -> Settings:
    """The settings with all that is stored; what does not fit any more is left out, and logged."""
    for name, value in sorted(stored.items()):
        try:
            settings = change(settings, name, json.loads(value), catalogue)
        except ValueError as error:
            log.warning("stored setting left out: %s", error)
    return settings


def change(settings: Settings, name: str, value: object, catalogue: Catalogue) -> Settings:
    """The settings with one changed. `name` is written as in the file. Raises `LiveError`."""
    path = parse(name)
    try:
        changed: Settings = _Change(settings, path, value, catalogue).of(settings, path)
    except ValueError as error:
        raise error if isinstance(error, LiveError) else LiveError(f"{name}: {error}") from None
    return changed


def listed(settings: Settings, catalogue: Catalogue) -> Iterator[Live]:
    """Every live setting with its value, of each host and each module that may be set."""
    for path, field in live_fields(ServerTable):
        yield Live(dotted(path), _value(settings, path[:-1], field))
    for domain, host in settings.host.items():
        for path, field in live_fields(HostTable):
            yield Live(dotted(("host", domain, *path)), getattr(host, field.name))
    for name in catalogue:
        kind = catalogue[name]
        for path, field in live_fields(kind) if kind else ():
            found = settings.modules.get(name) or kind()  # type: ignore[misc]
            yield Live(dotted(("modules", name, *path)), getattr(found, field.name))


def parse(name: str) -> KeyPath:
    """The key path that `name` writes. Raises `LiveError`."""
    path: list[str] = []
    try:
        left: Any = tomllib.loads(f"{name} = 0") if "\n" not in name else None
    except tomllib.TOMLDecodeError:
        left = None
    while isinstance(left, dict) and len(left) == 1:
        ((key, left),) = left.items()
        path.append(key)
    if left != 0:
        raise LiveError(f"{name!a} is no key")
    return tuple(path)


def _with(new: Any, old: Any, path: KeyPath) -> Any:
    """`new` with the value of `old` at `path`."""
    if not path:
        return old
    name = str(path[0]).replace("-", "_")
    return replace(new, **{name: _with(getattr(new, name), getattr(old, name), path[1:])})


class _Change:
    """One change on its way down to the table that it is for."""

    def __init__(self, whole: Settings, path: KeyPath, value: object, catalogue: Catalogue) -> None:
        self._whole, self._path, self._value = whole, path, value
        self._catalogue = catalogue

    def of(self, node: Any, path: KeyPath) -> Any:
        """`node` with the change, which is for what stands at `path` in it."""
        key, rest = str(path[0]), path[1:]
        if isinstance(node, dict):
            return node | {key: self.of(self._member(node, key), rest)}
        if not isinstance(node, Struct) or not path:
            raise LiveError(f"{dotted(self._path)} is no table")
        field = next((one for one in fields(node) if one.encode_name == key), None)
        if field is None and isinstance(node, HostSettings) and rest:
            return replace(node, overrides=self.of(self._overrides(node, key), path))
        if field is None:
            known = [one.encode_name for one in fields(node)]
            raise LiveError(f"{dotted(self._path)}: unknown key{meant(nearest(key, known))}")
        if rest:
            return replace(node, **{field.name: self.of(getattr(node, field.name), rest)})
        return replace(node, **{field.name: self._decoded(field)})

    def _member(self, node: dict[str, Any], key: str) -> Any:
        if key in node:
            return node[key]
        kind = self._catalogue.get(key) if node is self._whole.modules else None
        if kind is None:
            raise LiveError(f"{dotted(self._path)}: unknown key{meant(nearest(key, node))}")
        return kind()

    def _overrides(self, host: HostSettings, name: str) -> dict[str, Any]:
        """The host's module settings, with those of `name`, whoever they are from."""
        kind = self._catalogue.get(name)
        if kind is None:
            raise LiveError(f"{dotted(self._path)}: unknown key")
        own = host.overrides.get(name) or self._whole.modules.get(name) or kind()
        return {**host.overrides, name: own}

    def _decoded(self, field: FieldInfo) -> Any:
        if not is_live(field):
            raise LiveError(f"{dotted(self._path)} is not changed while the server runs")
        decoder = Decoder()
        decoded = decoder.value(field.type, self._value, self._path)
        for _, what, hint in decoder.wrong:
            raise LiveError(f"{dotted(self._path)}: {what}{meant(hint)}")
        return decoded


def _value(node: Any, path: KeyPath, field: FieldInfo) -> Any:
    for key in path:
        node = getattr(node, str(key).replace("-", "_"))
    return getattr(node, field.name)


def written(value: object) -> str:
    """A value as it is stored. Raises `LiveError` if it is too long."""
    text = msgspec.json.encode(value).decode()
    if len(text) > MAX_VALUE:
        raise LiveError("the value is too long")
    return text
