"""What a connection itself proves, and what an authentication ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...core.jid import JID


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
class Success:
    """The client is the account `jid`. `data`, if any, goes out with the success."""

    jid: JID
    data: bytes | None
    mechanism: str
