"""PubSub server information: with whom a server is connected, for those who draw the network."""

from __future__ import annotations

from typing import Literal

from ..core.payload import attr, child, children, payload
from . import Spec
from .version import Version

SPEC = Spec("XEP-0485", "1.0.0", "PubSub Server Information")
NS = "urn:xmpp:serverinfo:0"


@payload(NS, "connection")
class Connection:
    """One way (§4)."""

    type: Literal["incoming", "outgoing", "bidi"] | None = attr(default=None)


@payload(NS, "remote-domain")
class Remote:
    """Another server; without a name one that does not want to be told of (§7)."""

    name: str | None = attr(default=None)
    connections: tuple[Connection, ...] = children(default=())


@payload(NS, "federation")
class Federation:
    """All of them (§4)."""

    remotes: tuple[Remote, ...] = children(default=())


@payload(NS, "domain")
class Domain:
    """One of its own names (§4)."""

    name: str = attr()
    federation: Federation | None = child(default=None)


@payload(NS, "serverinfo")
class ServerInfo:
    """What is published (§4)."""

    domains: tuple[Domain, ...] = children(default=())
    version: Version | None = child(default=None)
