"""Which modules there are, and what settings each takes; imports one when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from msgspec import Struct

from .hosts import PLUGINS, built_in, find_module


class Installed(Mapping[str, "type[Struct] | None"]):
    """Our own modules and, with `plugins`, those of others that are installed, by name."""

    def __init__(self, *, plugins: bool = True) -> None:
        found = entry_points(group=PLUGINS) if plugins else ()
        self._names = sorted({*built_in(), *(entry.name for entry in found)})

    def __getitem__(self, name: str) -> type[Struct] | None:
        """The class of the module's settings; raises `LookupError` if it cannot be loaded."""
        if name not in self._names:
            raise KeyError(name)
        return find_module(name).Settings

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
