"""What can be set: each table of the file, and the whole of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

from ...core.jid import JID
from ...core.xml import Limits as ElementLimits
from ...kit import log
from ...kit.config import (
    LIVE,
    MINUTE,
    Address,
    Addresses,
    Duration,
    KeyPath,
    Size,
    Table,
    Wrong,
)
from ...kit.config import changed as _changed
from ...kit.rate import Limit
from ..auth.settings import AuthSettings

Catalogue = Mapping[str, type[Struct] | None]
"""The known modules, by name, each with the class of its settings if it has any."""

QUIET: dict[str, log.Level] = {"alembic": "warning", "asyncio": "warning"}

Count = Annotated[int, Meta(ge=1)]


class Listen(Table):
    """Where connections are accepted. A key that is absent is not listened on."""

    c2s: Addresses = Addresses()
    """Clients, with STARTTLS."""
    c2s_tls: Addresses = Addresses()
    """Clients, with TLS from the first octet (ALPN `xmpp-client`)."""
    s2s: Addresses = Addresses()
    """Other servers, with STARTTLS."""
    s2s_tls: Addresses = Addresses()
    """Other servers, with TLS from the first octet (ALPN `xmpp-server`)."""
    component: Addresses = Addresses()
    """External components."""
    http: Addresses = Addresses()
    """Console, API, BOSH, WebSocket, upload and host-meta, for a proxy in front."""
    https: Addresses = Addresses()
    """The same with TLS."""

    def used(self) -> Iterator[tuple[str, Address]]:
        """Each listener's key and each of its addresses."""
        for field in fields(self):
            for address in getattr(self, field.name):
                yield field.encode_name, address

    def __post_init__(self) -> None:
        seen: dict[Address, str] = {}
        for key, address in self.used():
            if address in seen and address.port:
                raise Wrong(f"{address} is listened on already by {seen[address]}", key)
            seen[address] = key


class TLS(Table):
    """How channels are encrypted."""

    certificate: Path | None = None
    """The chain in PEM, ours first; reloaded when it changes. Absent: a self-signed one is
    made below `data`."""
    key: Path | None = None
    """The private key of the certificate in PEM."""
    authorities: Path | None = None
    """Who may issue clients' certificates for EXTERNAL, in PEM. Absent: the system's."""
    required: bool = True
    """Refuse to log in over an unencrypted channel. `false` is for tests on loopback only."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            given, missing = ("certificate", "key") if self.certificate else ("key", "certificate")
            raise Wrong(f"{given} is given without {missing}", given)


class Store(Table):
    """Where data is kept."""

    url: str = "sqlite:///pyrite.db"
    """`sqlite:///FILE`, below `data` unless FILE begins with a slash."""
    window: Duration = Duration(0.005)
    """How long a message for the archive waits for others, to be written with them. Longer saves
    work of the processor and the disk, and tells later that a message is kept. At most 1s."""

    def __post_init__(self) -> None:
        if self.window > 1:
            raise Wrong("expected 1s or less", "window")
        file = self.url.removeprefix("sqlite:///")
        if file in ("", self.url) or file.endswith("/") or "\0" in file:
            raise Wrong('expected "sqlite:///FILE"', "url")


#: Every connection asks for the same few, and keeps them.
_element_limits = lru_cache(maxsize=16)(ElementLimits)
_rate_limit = lru_cache(maxsize=16)(Limit)


class Limits(Table):
    """What one peer, and all together, may use up."""

    stanza_before_auth: Size = Size(10_000)
    """The largest element before a peer has authenticated."""
    stanza: Size = Size(512 * 1024)
    """The largest stanza afterwards. At least 10,000 octets (RFC 6120 §13.12)."""
    depth: Count = 64
    """How deep the elements of a stanza may be nested."""
    attributes: Count = 64
    """The most attributes of one element."""
    children: Count = 8192
    """The most elements in a stanza, at all depths."""
    connections: Count = 10_000
    """The most connections at a time."""
    connections_per_address: Count = 500
    """The most connections from one address at a time (IPv6: from one /64)."""
    connection_rate: Annotated[float, Meta(gt=0)] = 50.0
    """New connections a second from one address, on average."""
    connection_burst: Count = 200
    """New connections from one address at once."""
    sessions_per_account: Annotated[int, Meta(ge=1), LIVE] = 20
    """The most resources that one account may have bound."""
    detached: Count = 10_000
    """The most sessions that may wait for their clients to resume them; the oldest end."""
    detached_per_account: Count = 5
    """The most of them that one account may have. They count among its resources, too."""
    read_rate: Size = Size(4 << 20)
    """Octets a second that are read from one peer, on average; a faster one has to wait."""
    read_burst: Size = Size(8 << 20)
    """Octets that are read from one peer at once before it has to wait."""
    send_queue: Count = 1000
    """The most stanzas that may wait for a client to read them; then its session ends."""
    send_queue_size: Size = Size(4 << 20)
    """The most octets that may wait for a peer to read them."""
    negotiation: Annotated[Duration, LIVE] = Duration(30)
    """How long a peer may take from connecting to being authenticated and bound."""
    attempts: Annotated[int, Meta(ge=2, le=10), LIVE] = 5
    """Failed attempts to authenticate after which the stream is closed (RFC 6120 §6.4.5: 2 to 5).
    Some clients first try each mechanism with a channel binding that was not offered."""
    ping_after: Annotated[Duration, LIVE] = Duration(5 * MINUTE)
    """A client that says nothing for so long is pinged."""
    ping_timeout: Annotated[Duration, LIVE] = Duration(MINUTE)
    """A client that does not answer a ping for so long is gone."""

    def __post_init__(self) -> None:
        if self.stanza < 10_000:
            raise Wrong("clients may rely on 10,000 octets (RFC 6120 §13.12)", "stanza")
        if self.stanza_before_auth > self.stanza:
            raise Wrong("is larger than limits.stanza", "stanza-before-auth")
        for name in ("read_rate", "read_burst"):
            if getattr(self, name) < 1024:
                raise Wrong("expected at least 1KiB", name.replace("_", "-"))
        for name in ("negotiation", "ping_after", "ping_timeout"):
            if getattr(self, name) <= 0:
                raise Wrong("expected more than 0s", name.replace("_", "-"))

    def reading(self) -> Limit:
        """How fast a peer is read, in octets."""
        return _rate_limit(self.read_rate, self.read_burst)

    def before_authentication(self) -> ElementLimits:
        """What is read of a peer that has not proved who it is: little, and flat."""
        return _element_limits(
            octets=self.stanza_before_auth,
            depth=min(self.depth, 8),
            attributes=min(self.attributes, 24),
            elements=min(self.children, 100),
        )

    def after_authentication(self) -> ElementLimits:
        """What is read of a peer that is known."""
        return _element_limits(
            octets=self.stanza,
            depth=self.depth,
            attributes=self.attributes,
            elements=self.children,
        )


class Log(Table):
    """What is written to standard error."""

    level: Annotated[log.Level, LIVE] = "info"
    """The least important events that are logged."""
    format: log.Format = "text"
    """Lines for people, or JSON for programs."""
    levels: dict[str, log.Level] = msgspec.field(default_factory=dict)
    """Other levels for single loggers: `"pyrite.server.c2s" = "debug"`."""


class Metrics(Table):
    """Numbers for Prometheus."""

    listen: Addresses = Addresses()
    """Where `GET /metrics` is answered, unencrypted and for anyone: an inner address."""


class HostTable(Table):
    """One served domain."""

    registration: Annotated[Literal["closed", "open", "invite"], LIVE] = "closed"
    """Who may make an account over XMPP: nobody, anyone, or who was invited."""
    modules: tuple[str, ...] | None = None
    """The modules that this host has. Absent: all that come with the server."""
    admins: tuple[JID, ...] = ()
    """Accounts that may run the commands that concern this host."""


class HostSettings(HostTable):
    """One served domain, and its modules' settings where they differ from all hosts'."""

    overrides: dict[str, Any] = msgspec.field(default_factory=dict)


class ServerTable(Table):
    """What is set for the whole server, outside of any table."""

    data: Path
    """The directory of the store, of keys and of uploads; made at the first start."""
    admins: tuple[JID, ...] = ()
    """Accounts that may run every command."""
    listen: Listen = Listen()
    tls: TLS = TLS()
    store: Store = Store()
    auth: AuthSettings = AuthSettings()
    limits: Limits = Limits()
    log: Log = Log()
    metrics: Metrics = Metrics()

    def __post_init__(self) -> None:
        reachable = [a for key, a in self.listen.used() if key == "c2s" and not _is_loopback(a)]
        if reachable and not self.tls.required:
            raise Wrong(f"clients on {reachable[0]} need TLS", "tls", "required")
        if reachable and self.auth.plain_without_tls:
            raise Wrong(f"clients on {reachable[0]} need TLS", "auth", "plain-without-tls")


class Settings(ServerTable, frozen=True, kw_only=True):
    """All settings. `host` and `modules` are by domain and by module name."""

    file: Path  # where they were read
    host: dict[str, HostSettings] = msgspec.field(default_factory=dict)
    modules: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def store_path(self) -> Path:
        """The file of the embedded store."""
        return self.data / self.store.url.removeprefix("sqlite:///")

    def of_module(self, name: str, domain: str, kind: type[Struct] | None = None) -> Any:
        """The settings of a module on a host; a `kind` of defaults if nothing is set."""
        found = self.host[domain].overrides.get(name) or self.modules.get(name)
        return kind() if found is None and kind else found


def changed(old: Settings, new: Settings) -> set[KeyPath]:
    """The key paths of all values that differ, as they are written in the file."""
    return {tuple(k for k in path if k != "overrides") for path in _changed(old, new)}


def tables(catalogue: Catalogue) -> Iterator[tuple[str, type[Struct]]]:
    """Each table's heading in the file and its class, for the reference."""
    yield "", ServerTable
    for field in fields(ServerTable):
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            yield f"[{field.encode_name}]", field.type
    yield '[host."example.org"]', HostTable
    for name, kind in sorted(catalogue.items()):
        if kind is not None:
            yield f"[modules.{name}]", kind


def set_up_log(settings: Settings) -> None:
    """Log as the settings say; libraries that talk much only when something is wrong."""
    levels = QUIET | settings.log.levels
    log.setup(settings.log.level, settings.log.format, levels)


def _is_loopback(address: Address) -> bool:
    try:
        return ip_address(address.host).is_loopback
    except ValueError:
        return address.host == "localhost"


def to_json(settings: Settings) -> bytes:
    """The settings as programs read them; secrets are hidden."""
    return msgspec.json.encode(settings, enc_hook=str)
