"""What a TLS context is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are: PEM files of a certificate, its chain behind it, and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The accepting side. Who asks for no host, or for an unknown one, is shown `identity`."""

    identity: Identity
    hosts: Mapping[str, Identity] = field(default_factory=dict)  # A-label name -> its own
    alpn: tuple[str, ...] = ()  # who offers ALPN has to offer one of these; empty: not looked at
    asks_certificate: bool = False  # any certificate is accepted; peer_is_trusted tells
    authorities: Path | None = None  # PEM of who may issue clients' certificates; None: system's


@dataclass(frozen=True, slots=True)
class ClientTls:
    """The connecting side: the certificate has to be for `domain`, and its issuer trusted.

    With `pin` the certificate has to be this one, and nothing else counts. With
    `is_lenient` nobody is refused, and `peer_is_trusted` tells.
    """

    domain: str
    service: str = ""  # also accepts the SRV-ID of this service: "xmpp-client", "xmpp-server"
    alpn: tuple[str, ...] = ()
    authorities: Path | None = None  # PEM of trusted issuers; None: the system's
    pin: str | None = None  # SHA-256 of the certificate, hexadecimal, colons allowed
    identity: Identity | None = None  # our own certificate, where the peer asks
    is_lenient: bool = False
