"""External Service Discovery: where STUN, TURN and the like are, and what they ask for."""

from __future__ import annotations

from datetime import datetime

from ..core.payload import attr, children, payload
from ..core.values import UnsignedInt
from . import Spec

SPEC = Spec("XEP-0215", "1.0.0", "External Service Discovery")
NS = "urn:xmpp:extdisco:2"


@payload(NS, "service")
class Service:
    """One service (§3.2). `expires` is when the name and the password do."""

    host: str = attr()
    type: str = attr()
    port: UnsignedInt | None = attr(default=None)
    transport: str | None = attr(default=None)
    username: str | None = attr(default=None)
    password: str | None = attr(default=None)
    expires: datetime | None = attr(default=None)
    restricted: bool | None = attr(default=None)
    name: str | None = attr(default=None)
    action: str | None = attr(default=None)


@payload(NS, "services")
class Services:
    """The question, by `type` if given, and the answer (§3.1)."""

    type: str | None = attr(default=None)
    services: tuple[Service, ...] = children(default=())


@payload(NS, "credentials")
class Credentials:
    """The name and password for one service, asked for and given (§3.3)."""

    services: tuple[Service, ...] = children(default=())
