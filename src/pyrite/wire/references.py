"""References: what a part of a message is about, such as whom it mentions."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, unquote

from ..core.errors import StanzaError
from ..core.jid import JID, JIDError
from ..core.payload import anything, attr, decode, name_of, payload
from ..core.stanza import Message
from ..core.values import UnsignedInt
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0372", "0.5.0", "References")
NS = "urn:xmpp:reference:0"

MOST = 100  # in one message that are read
_SCHEME = "xmpp:"


@payload(NS, "reference")
class Reference:
    """The body from `begin` up to `end`, in code points, is about `uri` (§3.1).

    With an `anchor` it is the body of another message, that this names. Without a `uri` it is
    about what is in `more`, such as a file of `mediasharing`.
    """

    type: Literal["mention", "data"] = attr()
    uri: str = attr(default="")
    begin: UnsignedInt | None = attr(default=None)
    end: UnsignedInt | None = attr(default=None)
    anchor: str | None = attr(default=None)
    more: tuple[Element, ...] = anything(default=())


_NAME = name_of(Reference)


def references(message: Message) -> tuple[Reference, ...]:
    """All that can be: whole, and within the body."""
    length = len(message.body or "")
    found = []
    for element in [e for e in message.payloads if e.name == _NAME][:MOST]:
        try:
            one = decode(Reference, element)
        except StanzaError:
            continue
        if one.uri and (one.anchor is not None or _fits(one, length)):
            found.append(one)
    return tuple(found)


def _fits(reference: Reference, length: int) -> bool:
    begin, end = reference.begin, reference.end
    if begin is None or end is None:
        return begin is end
    return begin < end <= length


def mention(who: JID, body: str, name: str | None = None) -> Reference:
    """That `body` mentions somebody (bare, §3.2): where it says `name`, else as a whole."""
    uri = _SCHEME + quote(who.bare.text, safe="@/")
    at = body.find(name) if name else -1
    if name is None or at < 0:
        return Reference("mention", uri)
    return Reference("mention", uri, at, at + len(name))


def mentioned(message: Message) -> tuple[JID, ...]:
    """Whom `message` mentions (bare), each once."""
    found = (_who(one.uri) for one in references(message) if one.type == "mention")
    return tuple(dict.fromkeys(who for who in found if who is not None))


def _who(uri: str) -> JID | None:
    """The address in an XMPP URI (RFC 5122 §2.2), which may have a query."""
    if not uri.startswith(_SCHEME):
        return None
    address = uri.removeprefix(_SCHEME).partition("?")[0].partition("#")[0]
    try:
        return JID.parse(unquote(address, errors="strict")).bare
    except (JIDError, UnicodeDecodeError):
        return None
