"""XML as XMPP restricts it: elements, an incremental reader, a writer.

RFC 6120 §11.1 forbids comments, processing instructions, DTDs and entities, so the reader
refuses them instead of ignoring them, and bounds whatever else a peer could make grow.
"""

from .element import LANG, NS_XML, Element, Name, escape, quote, write, write_attributes
from .reader import (
    BEFORE_AUTHENTICATION,
    MAX_TAG,
    NS_APP_ERRORS,
    Closed,
    Item,
    Limits,
    Opened,
    Reader,
    parse,
)

__all__ = [
    "BEFORE_AUTHENTICATION",
    "LANG",
    "MAX_TAG",
    "NS_APP_ERRORS",
    "NS_XML",
    "Closed",
    "Element",
    "Item",
    "Limits",
    "Name",
    "Opened",
    "Reader",
    "escape",
    "parse",
    "quote",
    "write",
    "write_attributes",
]
