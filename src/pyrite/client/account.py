"""Who logs in, with what, and how far the server is trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ..core.frozen import frozen
from ..core.jid import JID
from ..core.sasl import SAFE, Advertised, ClientMechanism
from ..net.tls import ClientTls, Identity

if TYPE_CHECKING:
    from pathlib import Path


@frozen
class Token:
    """What a server gives to log in with, in place of the password (XEP-0484)."""

    mechanism: str
    secret: str = field(repr=False)
    expires: datetime
    count: int = 0  # of the log-ins with it


@frozen
class Memory:
    """What is kept of one account on this device, between one run and the next."""

    device: str  # a UUID that the server knows this installation by (XEP-0388 §2.3)
    token: Token | None = None
    mechanism: str = ""  # the strongest that was ever used: nothing weaker is, from then on


class TokenStore(Protocol):
    """Where `Memory` is kept. It holds secrets."""

    async def load(self, account: JID) -> Memory | None:
        """What is kept of `account` (bare)."""

    async def save(self, account: JID, memory: Memory) -> None:
        """Replace it."""


class VolatileStore:
    """Keeps it as long as the program runs."""

    def __init__(self) -> None:
        self._kept: dict[JID, Memory] = {}

    async def load(self, account: JID) -> Memory | None:
        return self._kept.get(account)

    async def save(self, account: JID, memory: Memory) -> None:
        self._kept[account] = memory


Mechanism = Callable[[Advertised], ClientMechanism | None]
"""Makes one's own mechanism for what a server offers, or None where that does not fit."""


@frozen
class Trust:
    """Which certificate the server has to show: by default one for its domain, of a known issuer.

    `pin` is the SHA-256 of the only one that is taken, with colons or without. `authorities` are
    in PEM, in place of the system's. `encrypted=False` goes on in the clear: for tests on loopback
    alone.
    """

    pin: str | None = None
    authorities: Path | None = None
    identity: Identity | None = None  # our own certificate, for EXTERNAL
    encrypted: bool = True

    def settings(self, domain: str, *, direct: bool) -> ClientTls:
        """What a connection to `domain` is made with."""
        return ClientTls(
            domain,
            service="xmpp-client",
            alpn=("xmpp-client",) if direct else (),
            authorities=self.authorities,
            pin=self.pin.replace(":", "").lower() if self.pin else None,
            identity=self.identity,
        )


@frozen
class Account:
    """One account and how it logs in. `jid` may have a resource, which the server may refuse."""

    jid: JID
    password: str | None = field(default=None, repr=False)
    allowed: Sequence[str] = SAFE
    mechanisms: Sequence[Mechanism] = ()  # of the program's own, tried first
    trust: Trust = Trust()
    software: str = "Pyrite"
    device: str = ""  # how the user calls this device
    lang: str = "en"

    @property
    def is_anonymous(self) -> bool:
        """Whether the server is to give us a name (RFC 4505)."""
        return self.jid.local is None
