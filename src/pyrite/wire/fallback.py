"""Fallback Indication: words that are only for clients that do not know better."""

from __future__ import annotations

from collections.abc import Container

from ..core.errors import StanzaError
from ..core.payload import attr, children, decode, name_of, payload
from ..core.stanza import Message
from ..core.values import UnsignedInt
from . import Spec

SPEC = Spec("XEP-0428", "0.2.1", "Fallback Indication")
SPEC_COUNTING = Spec("XEP-0426", "0.3.0", "Character counting in message bodies")
NS = "urn:xmpp:fallback:0"


@payload(NS, "body")
class BodyPart:
    """From `start` up to `end`, in code points (XEP-0426); without them the whole body (§2.2)."""

    start: UnsignedInt | None = attr(default=None)
    end: UnsignedInt | None = attr(default=None)


@payload(NS, "subject")
class SubjectPart:
    """As `BodyPart`, of the subject."""

    start: UnsignedInt | None = attr(default=None)
    end: UnsignedInt | None = attr(default=None)


@payload(NS, "fallback")
class Fallback:
    """These parts say what the payloads of namespace `purpose` say; without parts, all (§2.2)."""

    purpose: str | None = attr("for", default=None)
    bodies: tuple[BodyPart, ...] = children(default=())
    subjects: tuple[SubjectPart, ...] = children(default=())


_NAME = name_of(Fallback)


def first(purpose: str, length: int) -> Fallback:
    """So many characters at the beginning of the body are for who does not know `purpose`."""
    return Fallback(purpose, (BodyPart(0, length),))


def without(message: Message, known: Container[str]) -> str | None:
    """The first body without what stands there for the namespaces `known`; ``None``: no body.

    Parts that cannot be, such as those beyond the end, are not there.
    """
    body = message.body
    if body is None:
        return None
    hidden = bytearray(len(body))
    for element in message.payloads:
        if element.name != _NAME:
            continue
        try:
            found = decode(Fallback, element)
        except StanzaError:
            continue
        if found.purpose in known:
            _hide(found, hidden)
    if not any(hidden):
        return body
    return "".join(one for one, gone in zip(body, hidden, strict=True) if not gone)


def _hide(found: Fallback, hidden: bytearray) -> None:
    parts = found.bodies
    if not parts and not found.subjects:
        parts = (BodyPart(),)
    for part in parts[:100]:
        start = part.start or 0
        end = len(hidden) if part.end is None else part.end
        if start < end <= len(hidden):
            hidden[start:end] = b"\1" * (end - start)
