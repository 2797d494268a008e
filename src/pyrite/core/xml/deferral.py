"""Lets Expat give a token as soon as it is whole.

Since 2.6, Expat looks at an unfinished token again only when much more has come, so that a huge
one costs less. For a stream that means: a stanza whose last tag came in two pieces waits for the
next stanza. Our own limits bound what a token costs (`Reader.feed`), so we switch it off.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from xml.parsers import expat

_TAG = b'<a b="c">'


def give_at_once(parser: expat.XMLParserType) -> None:
    """Switch deferral off for a parser that has not read anything yet."""
    switch = getattr(parser, "SetReparseDeferralEnabled", None)
    if switch is not None:
        switch(False)
    elif (other := _switch()) is not None:
        other(parser)


@cache
def _switch() -> Callable[[expat.XMLParserType], None] | None:
    """The library's own switch, where it defers and Python has no word for it.

    COMPAT: Debian 12, whose Expat 2.5 got the deferral as a security fix, while its Python 3.11.2
    did not get the method.
    """
    if not _defers(expat.ParserCreate()):
        return None
    try:
        library = ctypes.CDLL(getattr(_pyexpat(), "__file__", None))
        switch = library.XML_SetReparseDeferralEnabled
    except (OSError, AttributeError):
        return None
    switch.argtypes, switch.restype = [ctypes.c_void_p, ctypes.c_ubyte], ctypes.c_ubyte

    def turn_off(parser: expat.XMLParserType) -> None:
        if (handle := _handle(parser)) is not None:
            switch(handle, 0)

    return turn_off


def _pyexpat() -> object:
    import pyexpat

    return pyexpat


def _handle(parser: expat.XMLParserType) -> int | None:
    """The library's parser behind Python's: it stands right behind the head of the object.

    It is the right place if what is there begins with a pointer back to the object, which is
    what its callbacks are given.
    """
    handle = ctypes.c_void_p.from_address(id(parser) + object.__basicsize__).value
    if handle is None or ctypes.c_void_p.from_address(handle).value != id(parser):
        return None
    return handle


def _defers(parser: expat.XMLParserType) -> bool:
    """Whether a tag that comes octet by octet is held back. Spends the parser."""
    seen: list[str] = []
    parser.StartElementHandler = lambda name, _: seen.append(name)
    for octet in _TAG:
        parser.Parse(bytes((octet,)))
    return not seen
