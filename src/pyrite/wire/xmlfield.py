"""Data forms XML element: a field whose value is XML."""

from __future__ import annotations

from ..core.payload import child, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0315", "0.1.1", "Data Forms XML Element")
NS = "urn:xmpp:xml-element"


@payload(NS, "wrapper")
class Wrapper:
    """What holds the XML, in a field's `more` (§2)."""

    content: Element | None = child(default=None)
