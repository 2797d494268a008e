"""A document that is too large to hold, read piece by piece: not a peer's stream, but a file.

What holds other things is opened and closed, as a stream is; what is held comes as whole elements.
As in a stream there are no entities, whatever they stand for, and every element has its limits.
Comments and processing instructions, which a file may have, mean nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple
from xml.parsers import expat

from ..errors import StreamError
from .element import Element, Name, write_attributes
from .limits import Limits
from .mistakes import not_utf_8, too_big, well_formedness
from .reader import (
    _NAMES,
    _TAG,
    MAX_NAME,
    MAX_TAG,
    PARSER_LIFE,
    Closed,
    _mended,
    _parser,
    _qualified,
)

MAX_DECLARED = 64  # namespaces that one container may declare


class Container(NamedTuple):
    """An element that is open, and will be closed: it has no children yet."""

    element: Element


#: Container -> what is opened inside of it; ``None`` is the document itself.
Shape = Mapping[Name | None, Collection[Name]]

#: What octets amount to.
Part = Container | Element | Closed


class _Open(NamedTuple):
    """A container as it has to be told to a fresh parser."""

    name: Name
    tag: bytes  # as it is written: its end is written alike
    declared: Mapping[str | None, str]  # prefix -> namespace


class Document:
    """Gives the parts of a document whose octets come in pieces of any size.

    `shape` says what is opened, and where: elsewhere it is an element like any other, and what
    is inside of an element is nobody's but its own. `line` is where it has come to. `limits`
    hold for each element that is given whole.
    """

    def __init__(self, shape: Shape, limits: Limits) -> None:
        self._shape, self._limits = shape, limits
        self._open: list[_Open] = []
        self._stack: list[tuple[Name, Mapping[str, str], list[Element | str]]] = []
        self._declared: dict[str | None, str] = {}
        self._ready: list[Part] = []
        self._elements = self._began = self._fed = self._lines = 0
        self._rest: bytes | None = None  # what an old parser left to read
        self._is_telling = False
        self._mistake: StreamError | None = None
        self._parser: Any = self._fresh()

    @property
    def line(self) -> int:
        """The line that is being read, from 1."""
        return self._lines + int(self._parser.CurrentLineNumber)

    def feed(self, data: bytes) -> list[Part]:
        """The parts that `data` completes, in order.

        Raises `StreamError` for a mistake, once all that was complete before it has been given.
        """
        self._check()
        try:
            self._parse(data, is_last=False)
        except StreamError as error:
            self._mistake = error
        if not self._ready:
            self._check()
        ready, self._ready = self._ready, []
        return ready

    def close(self) -> None:
        """There is no more. Raises `StreamError` if there should be."""
        self._check()
        self._parse(b"", is_last=True)

    def _check(self) -> None:
        if self._mistake is not None:
            raise self._mistake

    def _parse(self, data: bytes, *, is_last: bool) -> None:
        rest: bytes | None = data
        while rest is not None:
            parser, self._rest = self._parser, None
            self._fed += len(rest)
            try:
                parser.Parse(rest, is_last)
            except _Renewed:
                self._lines += parser.CurrentLineNumber - 1
                self._parser = self._fresh()
            except expat.ExpatError as error:
                raise well_formedness(error) from None
            rest = self._rest
        read = self._parser.CurrentByteIndex
        # an unfinished tag is read again with every piece of it
        if self._fed - read > MAX_TAG:
            raise too_big(MAX_TAG)
        if self._stack:
            self._check_size(read)

    def _fresh(self) -> expat.XMLParserType:
        """A parser that is inside of what is open: an old one keeps every name it ever met."""
        parser: Any = _parser()
        parser.CommentHandler = parser.ProcessingInstructionHandler = None
        parser.XmlDeclHandler = _check_declaration
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._parser = parser
        self._fed = 0
        self._declared = {}
        if self._open:
            self._tell_open(parser)
        return parser  # type: ignore[no-any-return]

    def _tell_open(self, parser: Any) -> None:
        tags = b"".join(map(_start_tag, self._open))
        self._is_telling = True
        parser.Parse(tags, False)
        self._is_telling = False
        self._fed = len(tags)
        self._declared = {}

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if not self._stack:
            self._declared[prefix] = uri or ""

    def _start(self, key: str, attrs: dict[str, str]) -> None:
        if self._is_telling:
            return
        if not self._stack:
            if self._parser.CurrentByteIndex > PARSER_LIFE and self._open:
                if self._rest is None:
                    self._rest = self._parser.GetInputContext()
                raise _Renewed
            self._began, self._elements = self._parser.CurrentByteIndex, 0
        name = _NAMES["jabber:client"][key]
        if attrs:
            attrs = _qualified(attrs)
        self._count(key, attrs)
        declared, self._declared = self._declared, {}
        if not self._stack and name in self._shape.get(self._inside, ()):
            if len(declared) > MAX_DECLARED:
                raise StreamError("policy-violation", "too many namespaces")
            context = self._parser.GetInputContext() or b""
            tag = _TAG.match(context).group(1)  # type: ignore[union-attr]
            self._open.append(_Open(name, tag, declared))
            self._ready.append(Container(Element(name, attrs)))
        elif not self._open:
            raise StreamError("invalid-namespace", f"begins with {name.ns} {name.tag}"[:200])
        else:
            self._stack.append((name, attrs, []))

    @property
    def _inside(self) -> Name | None:
        return self._open[-1].name if self._open else None

    def _count(self, key: str, attrs: Mapping[str, str]) -> None:
        """Namespaces count as often as they will be written: a prefix may stand for 16 KiB."""
        self._elements += 1
        self._began -= sum(len(key) for key in attrs if key[0] == "{")
        self._began -= len(key) if len(key) > MAX_NAME else 0
        limits = self._limits
        self._check_size(self._parser.CurrentByteIndex)
        if (
            len(self._stack) >= limits.depth
            or len(attrs) > limits.attributes
            or self._elements > limits.elements
        ):
            raise StreamError("policy-violation", "too deep, too many attributes or children")

    def _end(self, _: str) -> None:
        if not self._stack:
            self._open.pop()
            self._ready.append(Closed())
            return
        self._check_size(self._parser.CurrentByteIndex)
        name, attrs, children = self._stack.pop()
        element = Element(name, attrs, _mended(children))
        if self._stack:
            self._stack[-1][2].append(element)
        else:
            self._ready.append(element)

    def _check_size(self, read: int) -> None:
        if read - self._began > self._limits.octets:
            raise too_big(self._limits.octets)

    def _text(self, text: str) -> None:
        if self._stack:
            self._stack[-1][2].append(text)
        elif text.strip(" \t\r\n"):
            raise StreamError("bad-format", "text between elements")


def parts(pieces: Iterator[bytes], document: Document) -> Iterator[Part]:
    """All parts of what comes in `pieces`. Raises `StreamError`."""
    for piece in pieces:
        yield from document.feed(piece)
    document.close()


class _Renewed(Exception):
    """The parser is old, and at a place where another can take over."""


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise not_utf_8()


def _start_tag(one: _Open) -> bytes:
    """With all that it declares; what else it says is known."""
    spaces = {f"xmlns:{p}" if p else "xmlns": uri for p, uri in one.declared.items()}
    return b"<%s%s>" % (one.tag, write_attributes(spaces).encode())
