"""Jingle ICE: by which addresses two clients may reach each other through what is between them."""

from __future__ import annotations

from typing import Literal

from ..core.payload import attr, children, flag, payload, text
from ..core.values import UnsignedInt, UnsignedShort
from . import Spec

SPEC = Spec("XEP-0176", "1.1.1", "Jingle ICE-UDP Transport Method")
SPEC_RAW = Spec("XEP-0177", "1.1.1", "Jingle Raw UDP Transport Method")
SPEC_DTLS = Spec("XEP-0320", "1.0.0", "Use of DTLS-SRTP in Jingle Sessions")
NS = "urn:xmpp:jingle:transports:ice-udp:1"
NS_RAW = "urn:xmpp:jingle:transports:raw-udp:1"
NS_DTLS = "urn:xmpp:jingle:apps:dtls:0"


@payload(NS_DTLS, "fingerprint")
class Fingerprint:
    """The hash of a certificate: another one is a stranger's (XEP-0320 §1)."""

    hash: str = attr()
    value: str = text()
    setup: Literal["active", "passive", "actpass", "holdconn"] | None = attr(default=None)


@payload(NS, "candidate")
class Candidate:
    """An address that may do (§5.3)."""

    component: UnsignedShort = attr()
    foundation: str = attr()
    generation: UnsignedShort = attr()
    id: str = attr()
    ip: str = attr()
    port: UnsignedShort = attr()
    priority: UnsignedInt = attr()
    protocol: str = attr()
    type: Literal["host", "prflx", "relay", "srflx"] = attr()
    network: UnsignedShort | None = attr(default=None)
    rel_addr: str | None = attr("rel-addr", default=None)
    rel_port: UnsignedShort | None = attr("rel-port", default=None)
    tcptype: str | None = attr(default=None)


@payload(NS, "remote-candidate")
class RemoteCandidate:
    """The other side's address that is used (§5.7)."""

    component: UnsignedShort = attr()
    ip: str = attr()
    port: UnsignedShort = attr()


@payload(NS, "transport")
class Transport:
    """All of them, in `jingle.Content.more` (§5.3)."""

    pwd: str | None = attr(default=None)
    ufrag: str | None = attr(default=None)
    fingerprints: tuple[Fingerprint, ...] = children(default=())
    candidates: tuple[Candidate, ...] = children(default=())
    remote: tuple[RemoteCandidate, ...] = children(default=())
    is_complete: bool = flag("gathering-complete", default=False)


@payload(NS_RAW, "candidate")
class RawCandidate:
    """The one address (XEP-0177 §4.2)."""

    generation: UnsignedShort = attr()
    id: str = attr()
    ip: str = attr()
    port: UnsignedShort = attr()
    component: UnsignedShort | None = attr(default=None)
    type: str | None = attr(default=None)


@payload(NS_RAW, "transport")
class RawTransport:
    """Packets without any of that (XEP-0177 §4.2)."""

    candidates: tuple[RawCandidate, ...] = children(default=())
