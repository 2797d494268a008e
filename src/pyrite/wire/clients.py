"""Client Access Management: a user sees what has access to the account, and takes it away."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..core.errors import StanzaError
from ..core.payload import attr, child, child_text, children, encode, flag, payload
from . import Spec

SPEC = Spec("XEP-0494", "0.1.0", "Client Access Management")
NS = "urn:xmpp:cam:0"


@payload(NS, "list")
class List:
    """Which clients are there? (§3.1)"""


@payload(NS, "auth")
class Auth:
    """The ways in which a client has got in (§3.1)."""

    password: bool = flag(default=False)
    grant: bool = flag(default=False)
    fast: bool = flag(default=False)


@payload(NS, "permission")
class Permission:
    """How much a client may do (§3.1)."""

    status: Literal["unrestricted", "normal", "restricted"] = attr()


@payload(NS, "user-agent")
class UserAgent:
    """What a client has said of itself, each in its own words (§3.1)."""

    software: str | None = child_text(default=None)
    uri: str | None = child_text(default=None)
    device: str | None = child_text(default=None)


@payload(NS, "client")
class Client:
    """One client; its `id` is a name for `Revoke`, and nothing else (§3.1)."""

    connected: bool = attr()
    id: str = attr()
    type: Literal["session", "access"] = attr()
    first_seen: datetime = child_text("first-seen")
    last_seen: datetime = child_text("last-seen")
    auth: Auth = child()
    permission: Permission = child()
    agent: UserAgent | None = child(default=None)


@payload(NS, "clients")
class Clients:
    """All clients of an account (§3.1)."""

    clients: tuple[Client, ...] = children(default=())


@payload(NS, "revoke")
class Revoke:
    """Shut a client out (§3.2)."""

    id: str = attr()


@payload(NS, "password-reset-required")
class PasswordResetRequired:
    """The client knows the password: only another password shuts it out (§3.2)."""


def knows_password() -> StanzaError:
    """The refusal to shut out a client that can come in again with the password (§3.2)."""
    app = encode(PasswordResetRequired())
    return StanzaError("service-unavailable", "the client knows the password: change it", app=app)
