"""Reference documentation, made of what the code declares: it cannot go stale unseen."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..kit.config.words import Described
    from ..kit.meter import Declared
    from ..server.commands import Command

SETTINGS = """\
# Settings

One TOML file, `pyrite.toml`, sets everything. A key that it does not mention has its default;
one that is not known is an error, with the nearest that is. `pyrite check` says what is wrong
without starting anything, and `pyrite reload` lets a running server read the file again.

Durations are written as `"30s"`, `"5m"`, `"12h"` or `"7d"`, sizes as `"512B"`, `"16KiB"` or
`"10MB"`. Paths begin at the file's directory. A secret is text, or `{ file = "path" }` to keep
it elsewhere; it never appears in a log.

A module is set in `[modules.NAME]` for all hosts, and in `[host."example.org".NAME]` for one:
what is not mentioned there is as it is for all.
"""
COMMANDS = """\
# Commands

What an operator can do with a server. `pyrite command NAME KEY=VALUE …` runs any of them; the
most used have words of their own, which `pyrite --help` lists.

A command is for admins, for admins of the host that its arguments name, or for every user.
"""
METRICS = """\
# Metrics

What the server counts and times of itself. Prometheus reads it at `[metrics] listen`; `pyrite
metrics` shows it. A number that has not happened yet, of one that has labels, is not there.

A label never has more than 200 values: all further ones are counted as `other`.
"""
OF_MODULES = """\
## Of modules

They are there while the module is loaded, with the host as a label.
"""
SERVER = """\
data = "data"
[host."example.org"]
"""


def settings() -> None:
    """Write the reference of all settings, as Markdown."""
    sys.stdout.write(settings_page())


def commands() -> None:
    """Write the reference of all commands, as Markdown."""
    sys.stdout.write(commands_page())


def write(folder: Path) -> None:
    """Write all pages below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page())


def metrics() -> None:
    """Write the reference of all metrics, as Markdown."""
    sys.stdout.write(metrics_page())


def settings_page() -> str:
    """The page of the settings."""
    from ..kit.config.words import describe
    from ..server.catalogue import Installed
    from ..server.settings import tables

    parts = [SETTINGS]
    for heading, kind in tables(Installed(plugins=False)):
        title = f"`{heading}`" if heading else "Outside of any table"
        parts.append(f"## {title}\n\n{inspect.cleandoc(kind.__doc__ or '')}\n")
        rows = [_setting(one) for one in describe(kind) if one.type != "a table"]
        parts.append(_table(("key", "value", "default", "meaning"), rows))
    return "\n".join(parts)


def commands_page() -> str:
    """The page of the commands."""
    parts = [COMMANDS]
    for one in sorted(all_commands(), key=lambda command: command.name):
        parts.append(f"## `{one.name}`\n\n{one.help}\n\nFor: {one.role}.\n")
        if one.arguments:
            rows = [
                (
                    f"`{argument.name}`",
                    argument.words.removesuffix(', or { file = "path" }'),
                    "yes" if argument.required else "",
                    argument.doc,
                )
                for argument in one.arguments
            ]
            parts.append(_table(("argument", "value", "required", "meaning"), rows))
    return "\n".join(parts)


def metrics_page() -> str:
    """The page of the metrics."""
    modules: list[tuple[str, ...]] = []
    own: list[tuple[str, ...]] = []
    for one in all_metrics():
        (modules if "host" in one.labels else own).append(_metric(one))
    header = ("metric", "kind", "labels", "meaning")
    parts = (METRICS, _table(header, own), OF_MODULES, _table(header, modules))
    return "\n".join(parts)


def all_metrics() -> list[Declared]:
    """What a server with all its own modules declares; it is started for that, without sockets."""
    from ..server.app import Server
    from ..server.catalogue import Installed
    from ..server.settings import load

    async def declared(server: Server) -> list[Declared]:
        async with server.opened():
            return sorted(server.meter, key=lambda one: one.name)

    with TemporaryDirectory() as folder:
        file = Path(folder, "pyrite.toml")
        file.write_text(SERVER)
        return asyncio.run(declared(Server(load(file, Installed(plugins=False)))))


def all_commands() -> Iterator[Command]:
    """Every command of the server and of all its own modules."""
    from ..server.admin import Admin
    from ..server.catalogue import Installed
    from ..server.commands import Command, Commands
    from ..server.hosts import find_module

    owners: list[type[Any]] = [Admin, Commands, *map(find_module, Installed(plugins=False))]
    for owner in owners:
        for _, method in inspect.getmembers(owner, inspect.isfunction):
            for mark in getattr(method, "marks", ()):
                if mark.door == "command":
                    name, role = mark.place
                    host = None if owner in (Admin, Commands) else "any"
                    yield Command(name, role, method, host)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "metrics.md": metrics_page,
}


def _setting(one: Described) -> tuple[str, str, str, str]:
    meaning = one.doc + (" May be changed while the server runs." if one.is_live else "")
    default = {"": "(required)", "nothing": "", "a table": "none"}.get(one.default, one.default)
    return f"`{one.key}`", one.type, f"`{default}`" if default else "", meaning


def _metric(one: Declared) -> tuple[str, str, str, str]:
    kind = one.kind.__name__.lower()
    name = f"pyrite_{one.name}" + ("_total" if kind == "counter" else "")
    return f"`{name}`", kind, ", ".join(f"`{label}`" for label in one.labels), one.doc


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
