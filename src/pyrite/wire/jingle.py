"""Jingle: sessions between two clients, as far as files need them."""

from __future__ import annotations

from typing import Literal

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import anything, attr, child, child_text, children, encode, flag, payload
from ..core.values import NonNegative, PositiveInt
from ..core.xml import Element
from . import Spec
from .hashes import Hash, HashUsed
from .ibb import BlockSize
from .sharing import Date, Thumbnail
from .socks5 import DEFAULT_PORT, Port

SPEC = Spec("XEP-0166", "1.1.2", "Jingle")
SPEC_FILES = Spec("XEP-0234", "0.19.1", "Jingle File Transfer")
SPEC_SOCKS5 = Spec("XEP-0260", "1.0.3", "Jingle SOCKS5 Bytestreams Transport Method")
SPEC_IBB = Spec("XEP-0261", "1.0", "Jingle In-Band Bytestreams Transport Method")
NS = "urn:xmpp:jingle:1"
NS_ERRORS = "urn:xmpp:jingle:errors:1"
NS_FILES = "urn:xmpp:jingle:apps:file-transfer:5"
NS_FILES_ERRORS = "urn:xmpp:jingle:apps:file-transfer:errors:0"
NS_SOCKS5 = "urn:xmpp:jingle:transports:s5b:1"
NS_IBB = "urn:xmpp:jingle:transports:ibb:1"

Role = Literal["initiator", "responder"]

Action = Literal[
    "content-accept", "content-add", "content-modify", "content-reject", "content-remove",
    "description-info", "security-info", "session-accept", "session-info", "session-initiate",
    "session-terminate", "transport-accept", "transport-info", "transport-reject",
    "transport-replace",
]  # fmt: skip


# --- what is sent (XEP-0234) ------------------------------------------------------------------


@payload(NS_FILES, "range")
class Range:
    """A part of the file; without bounds: parts are understood (XEP-0234 §4.3)."""

    offset: NonNegative | None = attr(default=None)
    length: PositiveInt | None = attr(default=None)
    hashes: tuple[Hash, ...] = children(default=())


@payload(NS_FILES, "file")
class File:
    """The file (XEP-0234 §4.1). `name` is never a path."""

    date: Date | None = child_text(default=None)
    desc: str | None = child_text(default=None)
    media_type: str | None = child_text("media-type", default=None)
    name: str | None = child_text(default=None)
    range: Range | None = child(default=None)
    size: NonNegative | None = child_text(default=None)
    hashes: tuple[Hash, ...] = children(default=())
    hash_used: HashUsed | None = child(default=None)
    thumbnails: tuple[Thumbnail, ...] = children(default=())  # XEP-0264


@payload(NS_FILES, "description")
class Description:
    """What the session is for: one file."""

    file: File | None = child(default=None)


@payload(NS_FILES, "checksum")
class Checksum:
    """The hash, told when all was read (XEP-0234 §8.1)."""

    name: str = attr()
    file: File = child()
    creator: Role = attr(default="initiator", always=True)


@payload(NS_FILES, "received")
class Received:
    """It has arrived (XEP-0234 §7)."""

    name: str = attr()
    creator: Role = attr(default="initiator", always=True)


# --- by which way (XEP-0260, XEP-0261) ----------------------------------------------------------


@payload(NS_SOCKS5, "candidate")
class Candidate:
    """A host that one can connect to (XEP-0260 §2.2)."""

    cid: str = attr()
    host: str = attr()
    jid: JID = attr()
    priority: NonNegative = attr()
    port: Port = attr(default=DEFAULT_PORT, always=True)
    type: Literal["assisted", "direct", "proxy", "tunnel"] = attr(default="direct", always=True)


@payload(NS_SOCKS5, "candidate-used")
class CandidateUsed:
    """The best of yours that we could reach (XEP-0260 §2.4)."""

    cid: str = attr()


@payload(NS_SOCKS5, "activated")
class Activated:
    """The proxy lets octets through (XEP-0260 §2.4)."""

    cid: str = attr()


@payload(NS_SOCKS5, "transport")
class Socks5:
    """Connections of their own (XEP-0260)."""

    sid: str = attr()
    dstaddr: str | None = attr(default=None)
    mode: Literal["tcp", "udp"] | None = attr(default=None)
    candidates: tuple[Candidate, ...] = children(default=())
    used: CandidateUsed | None = child(default=None)
    activated: Activated | None = child(default=None)
    is_error: bool = flag("candidate-error", default=False)
    is_proxy_error: bool = flag("proxy-error", default=False)


@payload(NS_IBB, "transport")
class Ibb:
    """Stanzas (XEP-0261)."""

    sid: str = attr()
    block_size: BlockSize | None = attr("block-size", default=None)
    stanza: Literal["iq", "message"] = attr(default="iq")


# --- the session (XEP-0166) ---------------------------------------------------------------------


@payload(NS, "alternative-session")
class Alternative:
    """There is another session for it (§7.4)."""

    sid: str | None = child_text(default=None)


@payload(NS, "reason")
class Reason:
    """Why it ends (§7.4): as many of these as are known, one of them set."""

    busy: bool = flag(default=False)
    cancel: bool = flag(default=False)
    connectivity_error: bool = flag("connectivity-error", default=False)
    decline: bool = flag(default=False)
    expired: bool = flag(default=False)
    failed_application: bool = flag("failed-application", default=False)
    failed_transport: bool = flag("failed-transport", default=False)
    general_error: bool = flag("general-error", default=False)
    gone: bool = flag(default=False)
    incompatible_parameters: bool = flag("incompatible-parameters", default=False)
    media_error: bool = flag("media-error", default=False)
    security_error: bool = flag("security-error", default=False)
    success: bool = flag(default=False)
    timeout: bool = flag(default=False)
    unsupported_applications: bool = flag("unsupported-applications", default=False)
    unsupported_transports: bool = flag("unsupported-transports", default=False)
    file_not_available: bool = flag("file-not-available", ns=NS_FILES_ERRORS, default=False)
    file_too_large: bool = flag("file-too-large", ns=NS_FILES_ERRORS, default=False)
    alternative: Alternative | None = child(default=None)
    text: str | None = child_text(default=None)
    more: tuple[Element, ...] = anything(default=())

    @property
    def name(self) -> str:
        """The condition's name."""
        for field in self.__dataclass_fields__:
            if field not in ("text", "more") and getattr(self, field) is True:
                return str(field).replace("_", "-")
        return "undefined" if self.alternative is None else "alternative-session"


@payload(NS, "content")
class Content:
    """What is sent, by whom, and by which way; what is not known here is in `more` (§7.3).

    Such as the descriptions of `rtp`, and the transports of `ice`.
    """

    name: str = attr()
    creator: Role = attr(default="initiator", always=True)
    senders: Literal["both", "initiator", "none", "responder"] | None = attr(default=None)
    description: Description | None = child(default=None)
    transport: Socks5 | Ibb | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "jingle")
class Jingle:
    """One step of a session (§7.2)."""

    action: Action = attr()
    sid: str = attr()
    initiator: JID | None = attr(default=None)
    responder: JID | None = attr(default=None)
    contents: tuple[Content, ...] = children(default=())
    reason: Reason | None = child(default=None)
    info: Checksum | Received | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS_ERRORS, "unknown-session")
class UnknownSession:
    """In an error: there is none with this id (§7.5)."""


@payload(NS_ERRORS, "out-of-order")
class OutOfOrder:
    """In an error: not now (§7.5)."""


def unknown_session() -> StanzaError:
    return StanzaError("item-not-found", "no such session", app=encode(UnknownSession()))


def out_of_order() -> StanzaError:
    return StanzaError("unexpected-request", "not now", app=encode(OutOfOrder()))


def preference(type: str, local: int) -> int:
    """A candidate's priority (XEP-0260 §2.2)."""
    return 2**16 * {"direct": 126, "assisted": 120, "tunnel": 110, "proxy": 10}[type] + local
