"""What a peer's XML may be ended with."""

from __future__ import annotations

from xml.parsers import expat

from ..errors import StreamError
from .element import Element, Name

NS_APP_ERRORS = "urn:xmpp:errors"


def not_utf_8() -> StreamError:
    return StreamError("unsupported-encoding", "only UTF-8 is spoken here")


def too_big(limit: int) -> StreamError:
    """What an oversized element ends with; the mark beside it is what clients look for."""
    app = Element(Name(NS_APP_ERRORS, "stanza-too-big"))
    return StreamError("policy-violation", f"element over {limit} octets", app=app)


_ENTITY_ERRORS = (
    expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY],
    expat.errors.codes[expat.errors.XML_ERROR_RECURSIVE_ENTITY_REF],
)
_ENCODING_ERRORS = (
    expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING],
    expat.errors.codes[expat.errors.XML_ERROR_INCORRECT_ENCODING],
)


def well_formedness(error: expat.ExpatError) -> StreamError:
    if error.code in _ENTITY_ERRORS:
        return StreamError("restricted-xml", "entity reference")
    if error.code in _ENCODING_ERRORS:
        return not_utf_8()
    return StreamError("not-well-formed", expat.ErrorString(error.code))
