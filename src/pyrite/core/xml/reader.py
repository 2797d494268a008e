"""An incremental reader of what XMPP allows of XML, and no more than its limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from xml.parsers import expat

from ..errors import StreamError
from .deferral import give_at_once
from .element import NS_XML, Element, Name, quote, write_attributes
from .limits import BEFORE_AUTHENTICATION, Limits
from .mistakes import not_utf_8, too_big, well_formedness

MAX_TAG = 16 * 1024  # octets of one unfinished tag; see `Reader.feed`
MAX_NAMES = 4096  # names remembered between elements; more are forgotten together
MAX_NAME = 256  # characters of a name that is remembered, namespace included

#: Octets that one parser reads. Expat keeps every name and prefix it ever meets, seven times
#: what they take on the wire; so a long stream goes on with a fresh one now and then.
PARSER_LIFE = 1 << 20


class Opened(NamedTuple):
    """The peer's stream header. `default_ns` is the content namespace it declares."""

    root: Element
    default_ns: str


class Closed(NamedTuple):
    """The peer's stream footer."""


#: What bytes amount to. A `StreamError` is the last: the peer broke the rules.
Item = Opened | Element | Closed | StreamError


TEXT_BUFFER = 512  # octets of text that expat gathers; its own choice costs 8 KiB a stream


class _Names(dict[str, Name]):
    """Expat's ``namespace\\nlocal`` -> `Name`, so that equal names are one object."""

    def __init__(self, alias: Mapping[str, str]) -> None:
        super().__init__()
        self._alias = alias

    def __missing__(self, key: str) -> Name:
        if len(self) >= MAX_NAMES:
            self.clear()
        ns, _, tag = key.rpartition("\n")
        if ns == NS_XML:  # cannot be written without its prefix
            raise StreamError("bad-namespace-prefix", "an element of XML itself")
        name = Name(self._alias.get(ns, ns), tag)
        if len(key) <= MAX_NAME:
            self[key] = name
        return name


#: Inside the house every stanza is in ``jabber:client``: one name for one thing.
_NAMES = {
    "jabber:client": _Names({}),
    "jabber:server": _Names({"jabber:server": "jabber:client"}),
    "jabber:component:accept": _Names({"jabber:component:accept": "jabber:client"}),
}


class Reader:
    """Turns bytes, in pieces of any size, into a stream's top-level items.

    A mistake of the peer is the last item, a `StreamError`, and the reader is then spent:
    what was complete before it still counts. `limits` may be replaced between calls.
    `content` is the namespace of the stream's stanzas, which come out in ``jabber:client``
    whatever it is.
    """

    __slots__ = (
        *("_began", "_declared", "_elements", "_fed", "_is_torn", "_names", "_parser"),
        *("_ready", "_rest", "_spent", "_stack", "_tag", "_tail", "limits"),
    )

    def __init__(self, limits: Limits = BEFORE_AUTHENTICATION, content: str = "jabber:client"):
        self.limits = limits
        self._fed = self._began = self._elements = 0
        self._tail = b""  # the beginning of a character whose end has not come
        self._spent = False
        self._is_torn = False  # a text of this top-level element came in pieces
        self._stack: list[tuple[Name, Mapping[str, str], list[Element | str]]] = []
        self._ready: list[Item] = []
        self._names = _NAMES[content]
        self._declared: Mapping[str | None, str] = {}  # prefix -> namespace, of the header
        self._tag = b""  # of the stream header, as it was written
        self._rest: bytes | None = None  # what an old parser left to read
        parser = _parser()
        self._parser: Any = parser  # of expat; None while the stream is idle, see `relax`
        parser.StartElementHandler = self._open
        parser.StartNamespaceDeclHandler = self._declare
        parser.XmlDeclHandler = self._check_declaration

    def feed(self, data: bytes) -> list[Item]:
        """Items completed by `data`, in order."""
        if self._spent:
            return []
        if not self._stack and (end := data.find(b"\0")) >= 0:
            return self._feed_zero(data, end)
        if self._tail or not data.isascii():
            return self._feed_characters(data)
        return self._parse(data)

    def _feed_characters(self, data: bytes) -> list[Item]:
        """As `feed`, for octets that are not all ASCII: expat gets whole characters only.

        It has a mind of its own about broken ones, which changes with the pieces they come in.
        """
        known = self._tail + data
        try:
            known.decode()
        except UnicodeDecodeError as error:
            end = error.start
            if error.end != len(known) or error.reason != "unexpected end of data":
                return self._feed_broken(known[:end])
        else:
            end = len(known)
        self._tail = known[end:]
        return self._parse(known[:end])

    def _feed_zero(self, data: bytes, at: int) -> list[Item]:
        """As `feed`, for octets with a zero: before the header that is UTF-16 or UTF-32."""
        items = self.feed(data[:at])
        if self._stack or self._spent:
            return [*items, *self.feed(data[at:])]
        return [*items, *self._end_with(not_utf_8())]

    def _feed_broken(self, data: bytes) -> list[Item]:
        """The last octets before one that UTF-8 does not have there."""
        items = self._parse(data)
        if self._spent:
            return items
        return [*items, *self._end_with(self._torn_text() or not_utf_8())]

    def _parse(self, data: bytes) -> list[Item]:
        parser = self._parser or self._fresh()
        self._fed += len(data)
        try:
            parser.Parse(data, False)
        except expat.ExpatError as error:
            return self._end_with(self._torn_text() or well_formedness(error))
        except StreamError as error:
            return self._end_with(error)
        except _Renewed:
            return self._renew()
        read = parser.CurrentByteIndex
        # Expat reads an unfinished tag again with every piece of it: 128 KiB that come octet
        # by octet would cost seconds. Text is not read again, so it needs no such limit.
        if self._fed - read > MAX_TAG:
            return self._end_with(too_big(MAX_TAG))
        if len(self._stack) > 1 and read - self._began > self.limits.octets:
            return self._end_with(too_big(self.limits.octets))
        if read > PARSER_LIFE and self._stack:
            parser.StartElementHandler = self._start_anew
        ready, self._ready = self._ready, []
        return ready

    def relax(self) -> bool:
        """Let go of the parser until more comes, if nothing is half read; whether it did.

        It is most of what an idle stream costs: 12 KiB.
        """
        parser = self._parser
        if parser and len(self._stack) == 1 and parser.CurrentByteIndex == self._fed:
            self._parser = None
            return True
        return False

    def end(self) -> None:
        """Let go of the parser for good, half read or not: no more comes.

        Each knows the other, so both would stay until the garbage collector comes by.
        """
        self._parser, self._spent = None, True

    def _renew(self) -> list[Item]:
        """Go on with a fresh parser where an old one stopped."""
        rest, self._rest = self._rest or b"", None
        self._fresh()
        return self._parse(rest)

    def _fresh(self) -> expat.XMLParserType:
        """A parser in the middle of the same stream, whose header it is told first."""
        self._parser = parser = _parser()
        spaces = (("xmlns" + (f":{p}" if p else ""), uri) for p, uri in self._declared.items())
        header = b"<%s%s>" % (self._tag, write_attributes(dict(spaces)).encode())
        parser.Parse(header, False)
        self._fed = len(header)
        self._handle_stanzas(parser)
        return parser

    def _end_with(self, error: StreamError) -> list[Item]:
        if self._spent:
            return self._ready  # what comes behind the footer is nothing to us
        self._spent = True
        ready, self._ready = self._ready, []
        return [*ready, error]

    def _torn_text(self) -> StreamError | None:
        """What is wrong with the text that expat still gathers, which came before a mistake."""
        try:
            self._parser.buffer_text = False  # hands it over
        except StreamError as earlier:
            return earlier
        return None

    def _check_declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            raise not_utf_8()

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if len(self._declared) > self.limits.attributes:
            raise StreamError("policy-violation", "too many namespaces")
        self._declared = {**self._declared, prefix: uri or ""}

    def _open(self, name: str, attrs: dict[str, str]) -> None:
        """The stream header; from then on `_start` is told."""
        parser = self._parser
        if len(attrs) > self.limits.attributes:
            raise StreamError("policy-violation", "too many attributes")
        root = Element(self._names[name], _qualified(attrs))
        self._stack.append((root.name, {}, []))
        self._ready.append(Opened(root, self._declared.get(None, "")))
        tag: bytes = _TAG.match(parser.GetInputContext() or b"").group(1)  # type: ignore[union-attr]
        self._tag, self._declared = _header(tag, tuple(self._declared.items()))
        parser.StartNamespaceDeclHandler = None
        self._handle_stanzas(parser)

    def _handle_stanzas(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartCdataSectionHandler = self._start_cdata

    def _start_anew(self, name: str, attrs: dict[str, str]) -> None:
        """An old parser's `_start`: the next stanza is for a fresh one to read."""
        if len(self._stack) > 1:
            self._start(name, attrs)
        elif self._rest is None:
            self._rest = self._parser.GetInputContext()
            raise _Renewed

    def _start(self, name: str, attrs: dict[str, str]) -> None:
        stack = self._stack
        depth = len(stack)
        if depth == 1:
            self._began = self._parser.CurrentByteIndex
            self._elements = 0
        limits = self.limits
        self._elements += 1
        if (
            depth > limits.depth
            or len(attrs) > limits.attributes
            or self._elements > limits.elements
        ):
            raise StreamError("policy-violation", "too deep, too many attributes or children")
        if attrs:
            for key in attrs:
                if "\n" in key:
                    attrs = _qualified(attrs)
                    self._charge(sum(len(key) for key in attrs if key[0] == "{"))
                    break
        if len(name) > MAX_NAME:
            self._charge(len(name))
        stack.append((self._names[name], attrs, []))

    def _charge(self, octets: int) -> None:
        """Count a namespace as often as it will be written: a prefix may stand for 16 KiB."""
        self._began -= octets
        if self._parser.CurrentByteIndex - self._began > self.limits.octets:
            raise too_big(self.limits.octets)

    def _end(self, _name: str) -> None:
        stack = self._stack
        name, attrs, children = stack.pop()
        if self._is_torn:
            children = _mended(children)
        depth = len(stack)
        if depth > 1:
            stack[-1][2].append(Element(name, attrs, children))
        elif depth == 1:
            if self._parser.CurrentByteIndex - self._began > self.limits.octets:
                raise too_big(self.limits.octets)
            self._ready.append(Element(name, attrs, children))
            self._is_torn = False
        else:
            self._ready.append(Closed())
            self._spent = True

    def _start_cdata(self) -> None:
        if len(self._stack) < 2:
            raise StreamError("bad-format", "text between stanzas")

    def _text(self, text: str) -> None:
        stack = self._stack
        if len(stack) > 1:
            children = stack[-1][2]
            if children and children[-1].__class__ is str:
                self._is_torn = True
            children.append(text)
        elif text.strip(" \t\r\n"):
            raise StreamError("bad-format", "text between stanzas")


def _mended(children: list[Element | str]) -> list[Element | str]:
    """`children` with the pieces of each text put together."""
    whole: list[Element | str] = []
    texts: list[str] = []
    for child in children:
        if isinstance(child, str):
            texts.append(child)
            continue
        if texts:
            whole.append("".join(texts))
            texts = []
        whole.append(child)
    return [*whole, "".join(texts)] if texts else whole


class _Renewed(Exception):
    """The parser is old, and at a place where another can take over."""


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("UTF-8", "\n")
    give_at_once(parser)
    parser.buffer_size = TEXT_BUFFER
    parser.buffer_text = True
    for forbidden in (
        "CommentHandler",
        "ProcessingInstructionHandler",
        "StartDoctypeDeclHandler",
        "EntityDeclHandler",
        "SkippedEntityHandler",
    ):
        setattr(parser, forbidden, _forbid)
    return parser


def _forbid(*_: object) -> None:
    raise StreamError("restricted-xml")


_TAG = re.compile(rb"<([^\s/>]+)")


@lru_cache(maxsize=64)
def _header(
    tag: bytes, declared: tuple[tuple[str | None, str], ...]
) -> tuple[bytes, Mapping[str | None, str]]:
    """What a stream keeps of its header; clients of one kind write it alike, and share it."""
    return tag, dict(declared)


def _qualified(attrs: dict[str, str]) -> dict[str, str]:
    return {_attribute(key): value for key, value in attrs.items()}


def _attribute(key: str) -> str:
    ns, _, tag = key.rpartition("\n")
    if not ns:
        return tag
    return f"xml:{tag}" if ns == NS_XML else f"{{{ns}}}{tag}"


def parse(text: str, ns: str = "", *, limits: Limits | None = None) -> Element:
    """One element from `text`, read as if inside a parent in namespace `ns`.

    Raises `StreamError` if it is not exactly one, or not what XMPP allows.
    """
    reader = Reader(limits or Limits())
    items: list[Any] = reader.feed(
        f'<parent xmlns="{quote(ns)}">{text}'.encode(errors="surrogatepass")
    )[1:]
    rest = reader.feed(b"</parent>")
    reader.end()
    match items, rest:
        case [[Element() as element], [Closed()]]:
            return element
        case [[*_, StreamError() as error], _] | [_, [*_, StreamError() as error]]:
            raise error
    raise StreamError("bad-format", "not exactly one element")
