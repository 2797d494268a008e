"""The settings of a server: one TOML file, read once, whole and typed.

Each module's settings stand beside the module: ``[modules.NAME]`` sets them for all hosts,
``[host."example.org".NAME]`` for one, over what is set for all.
"""

from .reading import load
from .tables import (
    QUIET,
    TLS,
    Catalogue,
    HostSettings,
    HostTable,
    Limits,
    Listen,
    Log,
    Metrics,
    ServerTable,
    Settings,
    Store,
    changed,
    set_up_log,
    tables,
    to_json,
)

__all__ = [
    "QUIET",
    "TLS",
    "Catalogue",
    "HostSettings",
    "HostTable",
    "Limits",
    "Listen",
    "Log",
    "Metrics",
    "ServerTable",
    "Settings",
    "Store",
    "changed",
    "load",
    "set_up_log",
    "tables",
    "to_json",
]
