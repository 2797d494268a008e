"""Jingle RTP sessions: voice and video, as far as it is agreed on before it flows."""

from __future__ import annotations

from typing import Annotated, Literal

from ..core.payload import anything, attr, child, children, flag, payload, text
from ..core.values import NonNegative, UnsignedInt, UnsignedShort, integer
from ..core.xml import Element
from . import Spec
from .jingle import Role

SPEC = Spec("XEP-0167", "1.2.3", "Jingle RTP Sessions")
SPEC_FEEDBACK = Spec("XEP-0293", "1.0.2", "Jingle RTP Feedback Negotiation")
SPEC_EXTENSIONS = Spec("XEP-0294", "1.1.2", "Jingle RTP Header Extensions Negotiation")
SPEC_GROUPING = Spec("XEP-0338", "1.0.0", "Jingle Grouping Framework")
SPEC_SOURCES = Spec("XEP-0339", "1.0.1", "Source-Specific Media Attributes in Jingle")
NS = "urn:xmpp:jingle:apps:rtp:1"
NS_INFO = "urn:xmpp:jingle:apps:rtp:info:1"
NS_ERRORS = "urn:xmpp:jingle:apps:rtp:errors:1"
NS_FEEDBACK = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"
NS_EXTENSIONS = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"
NS_GROUPING = "urn:xmpp:jingle:apps:grouping:0"
NS_SOURCES = "urn:xmpp:jingle:apps:rtp:ssma:0"

PayloadId = Annotated[int, integer(0, 127)]


@payload(NS, "parameter")
class Parameter:
    """Something more of a payload type (§4)."""

    name: str = attr()
    value: str | None = attr(default=None)


@payload(NS_FEEDBACK, "parameter")
class FeedbackParameter:
    """Something more of a kind of feedback (XEP-0293 §3)."""

    name: str = attr()
    value: str | None = attr(default=None)


@payload(NS_FEEDBACK, "rtcp-fb")
class Feedback:
    """What feedback is understood (XEP-0293 §3)."""

    type: str = attr()
    subtype: str | None = attr(default=None)
    parameters: tuple[FeedbackParameter, ...] = children(default=())


@payload(NS_FEEDBACK, "rtcp-fb-trr-int")
class FeedbackInterval:
    """How long to wait from one report to the next (XEP-0293 §3)."""

    value: UnsignedInt = attr()  # milliseconds


@payload(NS, "payload-type")
class PayloadType:
    """A way to write sounds or pictures (§4)."""

    id: PayloadId = attr()
    name: str | None = attr(default=None)
    clockrate: UnsignedInt | None = attr(default=None)
    channels: UnsignedInt = attr(default=1)
    ptime: NonNegative | None = attr(default=None)  # milliseconds
    maxptime: NonNegative | None = attr(default=None)
    parameters: tuple[Parameter, ...] = children(default=())
    feedback: tuple[Feedback, ...] = children(default=())
    interval: FeedbackInterval | None = child(default=None)


@payload(NS_EXTENSIONS, "parameter")
class ExtensionParameter:
    """Something more of an extension (XEP-0294 §3)."""

    name: str = attr()
    value: str | None = attr(default=None)


@payload(NS_EXTENSIONS, "rtp-hdrext")
class HeaderExtension:
    """What the header of a packet may say beside (XEP-0294 §3)."""

    id: UnsignedShort = attr()
    uri: str = attr()
    senders: Literal["both", "initiator", "responder"] = attr(default="both")
    parameters: tuple[ExtensionParameter, ...] = children(default=())


@payload(NS, "crypto")
class Crypto:
    """Keys for SRTP (§7)."""

    suite: str = attr("crypto-suite")
    key: str = attr("key-params")
    tag: str = attr()
    session: str | None = attr("session-params", default=None)


@payload(NS, "encryption")
class Encryption:
    """How it can be encrypted, or has to be (§7)."""

    required: bool = attr(default=False)
    crypto: tuple[Crypto, ...] = children(default=())


@payload(NS, "bandwidth")
class Bandwidth:
    """How much there is (§4)."""

    value: str = text()
    type: str = attr()


@payload(NS_SOURCES, "parameter")
class SourceParameter:
    """Something of a stream, such as whose it is (XEP-0339 §2)."""

    name: str = attr()
    value: str | None = attr(default=None)


@payload(NS_SOURCES, "source")
class Source:
    """One stream of packets, by its number (XEP-0339 §2)."""

    ssrc: UnsignedInt = attr()
    parameters: tuple[SourceParameter, ...] = children(default=())


@payload(NS_SOURCES, "ssrc-group")
class SourceGroup:
    """Streams that belong together, such as one that repairs another (XEP-0339 §2)."""

    semantics: str = attr()
    sources: tuple[Source, ...] = children(default=())


@payload(NS, "description")
class Description:
    """What is sent, in `jingle.Content.more` (§4)."""

    media: str | None = attr(default=None)  # "audio" or "video"
    ssrc: UnsignedInt | None = attr(default=None)
    payloads: tuple[PayloadType, ...] = children(default=())
    encryption: Encryption | None = child(default=None)
    bandwidth: Bandwidth | None = child(default=None)
    has_rtcp_mux: bool = flag("rtcp-mux", default=False)
    feedback: tuple[Feedback, ...] = children(default=())
    interval: FeedbackInterval | None = child(default=None)
    extensions: tuple[HeaderExtension, ...] = children(default=())
    mixes_extensions: bool = flag("extmap-allow-mixed", ns=NS_EXTENSIONS, default=False)
    sources: tuple[Source, ...] = children(default=())
    groups: tuple[SourceGroup, ...] = children(default=())
    more: tuple[Element, ...] = anything(default=())


@payload(NS_GROUPING, "content")
class Grouped:
    """A content, by its name."""

    name: str = attr()


@payload(NS_GROUPING, "group")
class Group:
    """Contents that belong together, in `jingle.Jingle.more` (XEP-0338 §2)."""

    semantics: str = attr()  # "BUNDLE": one connection for all of them
    contents: tuple[Grouped, ...] = children(default=())


# --- while it goes on (§8) --------------------------------------------------------------------


@payload(NS_INFO, "active")
class Active:
    """Here one can be heard (again) (§8.1)."""


@payload(NS_INFO, "hold")
class Hold:
    """Nobody listens just now (§8.2)."""


@payload(NS_INFO, "unhold")
class Unhold:
    """Somebody listens again (§8.2)."""


@payload(NS_INFO, "mute")
class Mute:
    """Nothing is sent just now (§8.3)."""

    name: str | None = attr(default=None)
    creator: Role | None = attr(default=None)


@payload(NS_INFO, "unmute")
class Unmute:
    """Something is sent again (§8.3)."""

    name: str | None = attr(default=None)
    creator: Role | None = attr(default=None)


@payload(NS_INFO, "ringing")
class Ringing:
    """Somebody is called to it (§8.4)."""


@payload(NS_ERRORS, "invalid-crypto")
class InvalidCrypto:
    """In a reason: the keys are of no use (§7)."""


@payload(NS_ERRORS, "crypto-required")
class CryptoRequired:
    """In a reason: there have to be keys (§7)."""
