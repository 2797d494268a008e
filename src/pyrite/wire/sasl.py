"""SASL in a stream: which mechanisms there are, and the messages of an exchange."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from ..core.errors import SASL_CONDITIONS, SaslError
from ..core.payload import anything, attr, child, child_texts, children, lang, payload, text
from ..core.xml import Element, Name
from . import Spec

SPEC = Spec("RFC 6120", "2011-03", "XMPP: Core, §6 SASL negotiation")
NS = "urn:ietf:params:xml:ns:xmpp-sasl"

SPEC_BINDINGS = Spec("XEP-0440", "1.0.0", "SASL Channel-Binding Type Capability")
NS_BINDINGS = "urn:xmpp:sasl-cb:0"


@payload(NS, "mechanisms")
class Mechanisms:
    """The stream feature: what the receiving side offers, best first (§6.4.1)."""

    names: tuple[str, ...] = child_texts("mechanism", default=())


@payload(NS_BINDINGS, "channel-binding")
class Binding:
    """One type of channel binding, by its registered name (XEP-0440 §2)."""

    type: str = attr()


@payload(NS_BINDINGS, "sasl-channel-binding")
class Bindings:
    """The stream feature: the channel bindings that work on this connection (XEP-0440 §2)."""

    bindings: tuple[Binding, ...] = children()

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(binding.type for binding in self.bindings)


def bindings(*types: str) -> Bindings:
    return Bindings(tuple(map(Binding, types)))


@payload(NS, "auth")
class Auth:
    """Begin with `mechanism`; `encoded` is its initial response, see `unpack` (§6.4.2).

    None named is ``invalid-mechanism`` as well (§6.5.7).
    """

    mechanism: str = attr(default="")
    encoded: str = text(default="")


@payload(NS, "challenge")
class Challenge:
    """The receiving side's next message (§6.4.3)."""

    encoded: str = text(default="")


@payload(NS, "response")
class Response:
    """The initiating side's next message (§6.4.3)."""

    encoded: str = text(default="")


@payload(NS, "success")
class Success:
    """The end, with what the mechanism still has to say (§6.4.6)."""

    encoded: str = text(default="")


@payload(NS, "abort")
class Abort:
    """The initiating side gives up this exchange (§6.4.4)."""


@payload(NS, "text")
class FailureText:
    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "failure")
class Failure:
    """The receiving side ends this exchange; `error` says why (§6.4.5)."""

    text: FailureText | None = child(default=None)
    conditions: tuple[Element, ...] = anything(default=())

    @property
    def error(self) -> SaslError:
        """What went wrong; ``not-authorized`` where the condition is none that is defined."""
        known = (e.name.tag for e in self.conditions if e.name.ns == NS)
        condition = next((tag for tag in known if tag in SASL_CONDITIONS), "not-authorized")
        return SaslError(condition, self.text.text if self.text else "")


def failure(error: SaslError) -> Failure:
    """`error` as the receiving side tells it."""
    explanation = FailureText(error.text, "en") if error.text else None
    return Failure(explanation, (Element(Name(NS, error.condition)),))


def unpack(encoded: str) -> bytes | None:
    """The octets of a SASL message; ``None`` if there is none, which ``=`` is not (§6.4.2).

    Raises `SaslError` ``incorrect-encoding`` for anything but strict base64 (RFC 4648 §4): not
    even space is allowed (§13.9.1).
    """
    if encoded in ("", "="):
        return b"" if encoded else None
    try:
        octets = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise SaslError("incorrect-encoding") from None
    if b64encode(octets).decode("ascii") != encoded:  # bits that no octet holds must be zero
        raise SaslError("incorrect-encoding")
    return octets


def pack(data: bytes | None) -> str:
    """A SASL message as text: ``None`` is no message, ``=`` an empty one."""
    return "" if data is None else b64encode(data).decode("ascii") or "="
