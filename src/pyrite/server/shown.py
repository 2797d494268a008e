"""What the server's own commands show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..core.jid import JID


@dataclass(frozen=True, slots=True)
class HostShown:
    """A served domain."""

    host: str
    registration: str
    modules: tuple[str, ...]
    accounts: int
    sessions: int


@dataclass(frozen=True, slots=True)
class SessionShown:
    """A client that is connected, or may come back."""

    jid: JID
    address: str
    secure: bool
    since: datetime
    available: bool
    priority: int
    queued: int  # stanzas that it has yet to read, or to acknowledge
    detached: bool  # its connection has broken, and it may come back


@dataclass(frozen=True, slots=True)
class ModuleShown:
    """A module, and the hosts that it is loaded on."""

    module: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A metric."""

    name: str
    label: str | None
    value: float


@dataclass(frozen=True, slots=True)
class Deleted:
    """What an account had that is gone now, and how many of each kind.

    `overwritten`: the database's files do not have it any more either, as far as it knows.
    """

    jid: JID
    removed: dict[str, int]
    overwritten: bool


@dataclass(frozen=True, slots=True)
class Compacted:
    """Octets of the store's file."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """A setting that has changed, and when that has an effect."""

    setting: str
    applies: str


@dataclass(frozen=True, slots=True)
class Status:
    """How the server does."""

    version: str
    since: datetime
    hosts: int
    sessions: int
