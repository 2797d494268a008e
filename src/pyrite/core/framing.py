"""Elements that travel alone, each a document of its own: over WebSocket, or inside of a BOSH body.

On a stream of TCP the header says once which namespace stanzas have. Here each says it (RFC 7395
§3.3.3, XEP-0124 §10).
"""

from __future__ import annotations

from .stanza import NS
from .xml import Element, Limits, parse, write

_STANZAS = ("<message", "<presence", "<iq")


def alone(text: str) -> str:
    """One stanza or element, as it is written for a stream, as it is written alone."""
    for tag in _STANZAS:
        if text.startswith(tag) and text[len(tag)] in " />":
            return f'{tag} xmlns="{NS}"{text[len(tag) :]}'
    return text


def frame(element: Element) -> str:
    """`element` as text that stands alone."""
    return write(element)


def unframe(text: str, limits: Limits) -> Element:
    """The one element in `text`. Raises `StreamError` for more, less, or what XMPP forbids."""
    text = text.removeprefix("\ufeff").strip(" \t\r\n")
    if text.startswith("<?xml"):  # COMPAT: a document may have it, and some servers' bodies do
        text = text.partition("?>")[2]
    return parse(text, limits=limits)
