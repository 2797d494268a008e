"""The file of the settings, read whole, with every mistake that is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from ...core.jid import JID, JIDError
from ...kit.config import KeyPath, Reading, Table
from ...kit.config.mistakes import nearest
from .tables import Catalogue, HostSettings, HostTable, ServerTable, Settings

MISTYPED = 0.75  # how like a key what is probably no part of a domain


def load(file: Path, catalogue: Catalogue) -> Settings:
    """The settings in `file`. Raises ConfigError with all mistakes."""
    reading = Reading(file)
    data = reading.data
    known = [field.encode_name for field in fields(Settings)]
    reading.unknown(data, known, ())
    plain = {key: data[key] for key in data if key in known and key not in ("host", "modules")}
    server = reading.table(ServerTable, plain)
    modules = _modules(reading, catalogue, data.get("modules", {}), ("modules",))
    hosts = dict(_hosts(reading, catalogue, data.get("host"), modules))
    if server:
        _check_files(reading, server)
    reading.finish()
    values = {field.name: getattr(server, field.name) for field in fields(ServerTable)}
    return Settings(**values, file=file, host=hosts, modules=modules)


def _modules(
    reading: Reading,
    catalogue: Catalogue,
    raw: object,
    path: KeyPath,
    base: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The settings in each table of `raw` whose name is a module's."""
    if not isinstance(raw, dict):
        reading.table(Table, raw, path)  # says what is wrong
        return {}
    reading.unknown(raw, catalogue, path)
    read: dict[str, Any] = {}
    for name in raw.keys() & catalogue.keys():
        here = (*path, name)
        try:
            kind = catalogue[name]
        except LookupError as error:
            reading.mistake(here, str(error))
            continue
        if kind is None:
            reading.mistake(here, "this module has no settings")
        else:
            read[name] = reading.table(kind, raw[name], here, (base or {}).get(name))
    return read


def _hosts(
    reading: Reading, catalogue: Catalogue, raw: object, modules: Mapping[str, Any]
) -> Iterator[tuple[str, HostSettings]]:
    if not isinstance(raw, dict) or not raw:
        reading.mistake(("host",), 'no host is served: write [host."example.org"]')
        return
    seen: set[str] = set()
    for name, table in raw.items():
        path = ("host", name)
        domain = _domain(name)
        if domain is None or domain in seen:
            reading.mistake(path, "served twice" if domain else "is no domain name")
            continue
        seen.add(domain)
        if settings := _host(reading, catalogue, table, path, modules):
            yield domain, settings


def _host(
    reading: Reading,
    catalogue: Catalogue,
    raw: object,
    path: KeyPath,
    modules: Mapping[str, Any],
) -> HostSettings | None:
    if not isinstance(raw, dict):
        reading.table(HostTable, raw, path)  # says what is wrong
        return None
    own = [field.encode_name for field in fields(HostTable)]
    if domain := _unquoted(raw, path, {*own, *catalogue}):
        reading.mistake(path, f'a domain stands in quotes: [host."{domain}"]')
    reading.unknown(raw, [*own, *catalogue], path)
    host = reading.table(HostTable, {k: v for k, v in raw.items() if k in own}, path)
    theirs = {k: v for k, v in raw.items() if k in catalogue and k not in own}
    overrides = _modules(reading, catalogue, theirs, path, modules)
    for index, name in enumerate((host and host.modules) or ()):
        if name not in catalogue:
            hint = nearest(name, catalogue)
            reading.mistake((*path, "modules", index), f'there is no module "{name}"', hint)
    if host is None:
        return None
    values = {field.name: getattr(host, field.name) for field in fields(HostTable)}
    return HostSettings(**values, overrides=overrides)


def _unquoted(raw: Mapping[str, Any], path: KeyPath, known: set[str]) -> str | None:
    """The domain that ``[host.example.org]`` means: without quotes it is a table in a table."""
    parts = [str(path[-1])]
    while len(raw) == 1 and isinstance(inner := next(iter(raw.values())), dict):
        (part,) = raw
        if nearest(part, known, MISTYPED):
            break
        parts.append(part)
        raw = inner
    return ".".join(parts) if len(parts) > 1 else None


def _check_files(reading: Reading, server: ServerTable) -> None:
    for key in ("certificate", "key", "authorities"):
        path = getattr(server.tls, key)
        if path is not None and not path.is_file():
            reading.mistake(("tls", key), f"there is no file {path}")


def _domain(name: str) -> str | None:
    """The domain as it is compared; None if it is none."""
    try:
        jid = JID.parse(name)
    except JIDError:
        return None
    return jid.domain if jid.local is None and jid.resource is None else None
