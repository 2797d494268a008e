"""Runs a command where the data is: in the running server, else in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..kit.config import ConfigError, Reading
from .failure import USAGE, Failure, reason

if TYPE_CHECKING:
    from ..server.control import File
    from ..server.settings import Settings

PLACES = (Path("pyrite.toml"), Path("/etc/pyrite/pyrite.toml"))


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """What every command takes."""

    config: Annotated[Path | None, Parameter(help="The settings of the server.")] = None
    json: Annotated[bool, Parameter(negative="", help="Write JSON, for programs.")] = False


def settings_file(config: Path | None) -> Path:
    """The file that was named, or the first that is where it is looked for."""
    found = config or next((place for place in PLACES if place.is_file()), None)
    if found is None:
        raise Failure(f"no settings: neither {PLACES[0]} nor {PLACES[1]} is there", USAGE)
    return found


def load(config: Path | None) -> Settings:
    """The whole settings. Raises `Failure` with a line for each mistake."""
    from ..server.catalogue import Installed
    from ..server.settings import load as load_settings

    try:
        return load_settings(settings_file(config), Installed())
    except ConfigError as error:
        raise Failure(str(error), USAGE) from None


def call(
    command: str,
    where: Where,
    /,
    *,
    offline: bool = True,
    file: File | None = None,
    **args: Any,
) -> Any:
    """The result, as plain data, of a command; arguments that are None are left out.

    One that is not for `offline` needs the running server. It may read or write `file`. Raises
    `Failure`, and what `file` raises.
    """
    from ..server.commands import CommandError
    from ..server.control import RUNNING, NotRunningError, ask

    given = {key: value for key, value in args.items() if value is not None}
    try:
        return ask(_data(where.config), command, given, RUNNING, file)
    except NotRunningError:
        if not offline:
            raise Failure("the server does not run") from None
    except CommandError as error:
        raise Failure(str(error), error.exit_code) from None
    return _run_here(load(where.config), command, given, file)


def show(result: Any, where: Where) -> None:
    """Print a result: JSON where it is asked for, else lines that people read."""
    if where.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        sys.stdout.write(text(result))


def text(result: Any) -> str:
    """Plain data in lines: a list of objects as a table, an object as ``key: value``."""
    from ..kit.log import safe

    if isinstance(result, list) and result and isinstance(result[0], dict):
        lines = _table(result)
    elif isinstance(result, list):
        lines = [_cell(one) for one in result]
    elif isinstance(result, dict):
        lines = [f"{key.replace('_', '-')}: {_cell(value)}" for key, value in result.items()]
    else:
        lines = [] if result is None else [_cell(result)]
    return "".join(safe(line.rstrip()) + "\n" for line in lines)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    header = [key.replace("_", "-").upper() for key in rows[0]]
    cells = [header, *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)) for row in cells]


def _cell(value: Any) -> str:
    match value:
        case None | "" | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(_cell, value))
        case dict() if all(isinstance(number, int) for number in value.values()):
            return ", ".join(f"{number} {word}" for word, number in value.items()) or "-"
        case dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def _data(config: Path | None) -> Path:
    """The data directory; not more is read, for what the server knows it need not be told."""
    file = settings_file(config)
    try:
        data = Reading(file).data.get("data")
    except ConfigError as error:
        raise Failure(str(error), USAGE) from None
    return file.parent / data if isinstance(data, str) else load(config).data


def _run_here(settings: Settings, name: str, args: Mapping[str, Any], file: File | None) -> Any:
    import asyncio

    from ..server.app import Server
    from ..server.commands import CommandError, encode
    from ..server.control import InUseError, claim
    from ..server.module import ModuleError
    from ..store.errors import StoreError

    async def run() -> Any:
        server = Server(settings)
        async with server.opened():
            stream = None if file is None else _Stream(file)
            return encode(await server.commands.run(name, args, stream=stream))

    try:
        with claim(settings.data):
            return asyncio.run(run())
    except CommandError as error:
        raise Failure(str(error), error.exit_code) from None
    except (InUseError, ModuleError, StoreError, OSError) as error:
        raise Failure(reason(error)) from None


class _Stream:
    """See `server.commands.Stream`: nobody else waits while this process reads or writes."""

    def __init__(self, file: File) -> None:
        self._file = file

    async def read(self) -> bytes:
        from ..server.commands import PIECE

        return self._file.read(PIECE)

    async def write(self, text: str) -> None:
        self._file.write(text)
