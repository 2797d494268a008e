"""What a connection itself proves, and what an authentication ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...core.jid import JID
from ..store.clients import Token


@dataclass(frozen=True, slots=True)
class Channel:
    """The way to a client.

    `bindings`: channel binding type -> its data, of this TLS channel. `address`: an IP address
    as text. `certificate_identities`: the JIDs of its certificate, if TLS has verified it.
    """

    secure: bool
    bindings: Mapping[str, bytes] = field(default_factory=dict)
    address: str = ""
    certificate_identities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """What a client says of itself beside its proof (XEP-0388 §2.1, §2.3; XEP-0484).

    `sender`: who it says it is, bare. `client`: the id of its installation. `is_token`: what it
    proves is a token, with this `count`, which `ends` if so. `wants`: a token for this mechanism.
    """

    sender: JID | None = None
    client: str | None = None
    software: str | None = None
    device: str | None = None
    is_token: bool = False
    count: int | None = None
    ends: bool = False
    wants: str | None = None


@dataclass(frozen=True, slots=True)
class Success:
    """The client is the account `jid`. `data`, if any, goes out with the success.

    `token` is what it came by, if it was one; `mark` is of the time when it began (`Changes`).
    """

    jid: JID
    data: bytes | None
    mechanism: str
    token: Token | None = None
    mark: int = 0
