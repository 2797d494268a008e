"""XML as XMPP restricts it: elements, an incremental reader, a writer.

RFC 6120 §11.1 forbids comments, processing instructions, DTDs and entities, so the reader
refuses them instead of ignoring them, and bounds whatever else a peer could make grow.
"""

from .document import Container, Document, Part, Shape
from .element import LANG, NS_XML, Element, Name, escape, quote, write, write_attributes
from .limits import BEFORE_AUTHENTICATION, KEPT, Limits
from .mistakes import NS_APP_ERRORS
from .reader import MAX_TAG, Closed, Item, Opened, Reader, parse

__all__ = [
    "BEFORE_AUTHENTICATION",
    "KEPT",
    "LANG",
    "MAX_TAG",
    "NS_APP_ERRORS",
    "NS_XML",
    "Closed",
    "Container",
    "Document",
    "Element",
    "Item",
    "Limits",
    "Name",
    "Opened",
    "Part",
    "Reader",
    "Shape",
    "escape",
    "parse",
    "quote",
    "write",
    "write_attributes",
]
