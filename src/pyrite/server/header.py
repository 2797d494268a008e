"""What a server makes of the stream header of a peer (RFC 6120 §4.7)."""

from __future__ import annotations

from ..core.errors import StreamError
from ..core.jid import JID, JIDError
from ..core.xml import LANG, Element

MAX_LANG = 35  # characters of a language tag that is kept (RFC 5646 §4.4.1)


def speaks_with_us(header: Element) -> bool:
    """Whether the peer understands version 1.0, as all later ones do (§4.7.5)."""
    version = header.attrs.get("version", "0.9")
    major, _, minor = version.partition(".")
    return len(version) < 16 and major.isdecimal() and minor.isdecimal() and int(major) >= 1


def sender_of(header: Element) -> str:
    """Who the peer says it is, if that is an address: to be greeted by, never to be believed."""
    address = header.attrs.get("from")
    try:
        return str(JID.parse(address)) if address else ""
    except JIDError:
        return ""


def claimed_by(header: Element, domain: str) -> JID | None:
    """The account that a client says it is, bare; ``None`` if it does not say (XEP-0388 §2.1).

    Raises `StreamError` ``invalid-from`` for an account of another domain than the stream's.
    """
    try:
        jid = JID.parse(header.attrs.get("from") or "")
    except JIDError:
        return None
    if jid.local is None:
        return None
    if jid.domain != domain:
        raise StreamError("invalid-from", "the account is of another domain")
    return jid.bare


def language_of(header: Element) -> str | None:
    """The language that the peer wants to be spoken to in (§4.7.4)."""
    lang = header.attrs.get(LANG)
    return lang if lang and len(lang) <= MAX_LANG else None
