"""SOCKS5 Bytestreams: octets over a connection of their own, direct or through a proxy."""

from __future__ import annotations

from hashlib import sha1
from typing import Annotated, Literal

from ..core.jid import JID
from ..core.payload import attr, child, child_text, children, payload
from ..core.values import integer
from . import Spec

SPEC = Spec("XEP-0065", "1.8.2", "SOCKS5 Bytestreams")
NS = "http://jabber.org/protocol/bytestreams"

MAX_HOSTS = 16  # of one offer that are looked at
DEFAULT_PORT = 1080

Port = Annotated[int, integer(1, 2**16 - 1)]


@payload(NS, "streamhost")
class StreamHost:
    """Somewhere to connect to (§4)."""

    jid: JID = attr()
    host: str = attr()
    port: Port = attr(default=DEFAULT_PORT, always=True)


@payload(NS, "streamhost-used")
class StreamHostUsed:
    """The one that a connection leads to (§5)."""

    jid: JID = attr()


@payload(NS, "udpsuccess")
class UdpSuccess:
    """The host has had the first datagram for that stream (§8.3)."""

    dstaddr: str = attr()


@payload(NS, "query")
class Query:
    """Offers hosts, says which is used, asks a proxy where it is, or to begin (§4 to §6)."""

    sid: str | None = attr(default=None)
    mode: Literal["tcp", "udp"] | None = attr(default=None)
    dstaddr: str | None = attr(default=None)
    hosts: tuple[StreamHost, ...] = children(default=())
    used: StreamHostUsed | None = child(default=None)
    activate: JID | None = child_text(default=None)


def address(sid: str, requester: JID, target: JID) -> str:
    """What stands for the stream in place of a host's name (§5.3.2)."""
    return sha1(f"{sid}{requester}{target}".encode(), usedforsecurity=False).hexdigest()


# --- the part of SOCKS5 (RFC 1928) that streams need: no log-in, CONNECT, a name ------------------

GREETING = b"\x05\x01\x00"
GREETED = b"\x05\x00"
REFUSED = b"\x05\xff"
_CONNECT = b"\x05\x01\x00\x03"
_DONE = b"\x05\x00\x00\x03"


def connect(name: str) -> bytes:
    """Asks for a connection to `name` at port 0."""
    return _CONNECT + _named(name)


def connected(name: str) -> bytes:
    """Says that it is there (§5.3.2: with the same name)."""
    return _DONE + _named(name)


def refused() -> bytes:
    """Says that it is not allowed (RFC 1928 §6)."""
    return b"\x05\x02\x00\x01" + bytes(6)


def _named(name: str) -> bytes:
    octets = name.encode("ascii")
    return bytes([len(octets)]) + octets + b"\x00\x00"
