"""XML as XMPP restricts it: elements, an incremental reader, a writer.

RFC 6120 §11.1 forbids comments, processing instructions, DTDs and entities, so the reader
refuses them instead of ignoring them, and bounds whatever else a peer could make grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from xml.parsers import expat

from .errors import StreamError

NS_XML = "http://www.w3.org/XML/1998/namespace"
NS_APP_ERRORS = "urn:xmpp:errors"

MAX_TAG = 16 * 1024  # octets of one unfinished tag; see `Reader.feed`
MAX_NAMES = 4096  # names remembered between elements; more are forgotten together

#: Two attributes that XMPP writes with a prefix and everybody else does not.
LANG = "xml:lang"


class Name(NamedTuple):
    """An expanded XML name."""

    ns: str
    tag: str


class Element:
    """One element and all below it. Never changed once made, so sessions may share it.

    Attributes are named plainly, ``xml:lang`` as such, and any other qualified one as
    ``{namespace}local``. A plain slotted class, since every stanza makes several.
    """

    __slots__ = ("_memo", "attrs", "children", "name")

    def __init__(
        self,
        name: Name,
        attrs: Mapping[str, str] | None = None,
        children: Sequence[Element | str] = (),
    ) -> None:
        self.name = name
        self.attrs: Mapping[str, str] = {} if attrs is None else attrs
        self.children = children
        self._memo: tuple[str, str] | None = None

    @property
    def elements(self) -> Iterator[Element]:
        return (child for child in self.children if child.__class__ is Element)

    @property
    def text(self) -> str:
        return "".join([child for child in self.children if child.__class__ is str])

    def child(self, ns: str, tag: str) -> Element | None:
        """The first child element ``{ns}tag``."""
        name = (ns, tag)
        return next((child for child in self.elements if child.name == name), None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        return (
            self.name == other.name
            and self.attrs == other.attrs
            and tuple(self.children) == tuple(other.children)
        )

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.attrs.items())), tuple(self.children)))

    def __repr__(self) -> str:
        return write(self)


class Opened(NamedTuple):
    """The peer's stream header. `default_ns` is the content namespace it declares."""

    root: Element
    default_ns: str


class Closed(NamedTuple):
    """The peer's stream footer."""


#: What bytes amount to. A `StreamError` is the last: the peer broke the rules.
Item = Opened | Element | Closed | StreamError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may make us hold: all bounds are for one top-level element."""

    octets: int = 512 * 1024
    depth: int = 64
    attributes: int = 64  # of one element
    elements: int = 8192  # children of all depths


#: Before a peer has proved who it is, nothing it needs to say is large.
BEFORE_AUTHENTICATION = Limits(octets=10_000, depth=8, attributes=24, elements=100)


class _Names(dict[str, Name]):
    """Expat's ``namespace\\nlocal`` -> `Name`, so that equal names are one object."""

    def __init__(self, alias: Mapping[str, str]) -> None:
        super().__init__()
        self._alias = alias

    def __missing__(self, key: str) -> Name:
        if len(self) >= MAX_NAMES:
            self.clear()
        ns, _, tag = key.rpartition("\n")
        name = self[key] = Name(self._alias.get(ns, ns), tag)
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

    def __init__(self, limits: Limits = BEFORE_AUTHENTICATION, content: str = "jabber:client"):
        self.limits = limits
        self._fed = self._began = self._elements = 0
        self._spent = False
        self._stack: list[tuple[Name, Mapping[str, str], list[Element | str]]] = []
        self._ready: list[Item] = []
        self._names = _NAMES[content]
        self._declared: dict[str | None, str] = {}
        self._parser = parser = expat.ParserCreate("UTF-8", "\n")
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)  # else expat >= 2.6 holds stanzas back
        parser.buffer_text = True
        parser.StartElementHandler = self._open
        parser.StartNamespaceDeclHandler = self._declare
        parser.XmlDeclHandler = self._check_declaration
        for forbidden in (
            "CommentHandler",
            "ProcessingInstructionHandler",
            "StartDoctypeDeclHandler",
            "EntityDeclHandler",
            "SkippedEntityHandler",
        ):
            setattr(parser, forbidden, _forbid)

    def feed(self, data: bytes) -> list[Item]:
        """Items completed by `data`, in order."""
        if self._spent:
            return []
        parser = self._parser
        if not self._fed and data[:2] in (b"\xfe\xff", b"\xff\xfe"):
            return self._end_with(_not_utf_8())
        self._fed += len(data)
        try:
            parser.Parse(data, False)
        except expat.ExpatError as error:
            return self._end_with(_well_formedness(error))
        except StreamError as error:
            return self._end_with(error)
        # Expat reads an unfinished tag again with every piece of it: 128 KiB that come octet
        # by octet would cost seconds. Text is not read again, so it needs no such limit.
        if self._fed - parser.CurrentByteIndex > MAX_TAG:
            return self._end_with(_too_big(MAX_TAG))
        if len(self._stack) > 1 and self._fed - self._began > self.limits.octets:
            return self._end_with(_too_big(self.limits.octets))
        ready, self._ready = self._ready, []
        return ready

    def _end_with(self, error: StreamError) -> list[Item]:
        self._spent = True
        return [*self._ready, error]

    def _check_declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            raise _not_utf_8()

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if len(self._declared) > self.limits.attributes:
            raise StreamError("policy-violation", "too many namespaces")
        self._declared[prefix] = uri or ""

    def _open(self, name: str, attrs: dict[str, str]) -> None:
        """The stream header; from then on `_start` is told."""
        parser = self._parser
        if len(attrs) > self.limits.attributes:
            raise StreamError("policy-violation", "too many attributes")
        root = Element(self._names[name], _qualified(attrs))
        self._stack.append((root.name, root.attrs, []))
        self._ready.append(Opened(root, self._declared.get(None, "")))
        parser.StartNamespaceDeclHandler = None
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

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
                    break
        stack.append((self._names[name], attrs, []))

    def _end(self, _name: str) -> None:
        stack = self._stack
        name, attrs, children = stack.pop()
        depth = len(stack)
        if depth > 1:
            stack[-1][2].append(Element(name, attrs, children))
        elif depth == 1:
            if self._parser.CurrentByteIndex - self._began > self.limits.octets:
                raise _too_big(self.limits.octets)
            self._ready.append(Element(name, attrs, children))
        else:
            self._ready.append(Closed())

    def _text(self, text: str) -> None:
        stack = self._stack
        if len(stack) > 1:
            stack[-1][2].append(text)
        elif not text.isspace():
            raise StreamError("bad-format", "text between stanzas")


def _forbid(*_: object) -> None:
    raise StreamError("restricted-xml")


def _not_utf_8() -> StreamError:
    return StreamError("unsupported-encoding", "only UTF-8 is spoken here")


def _too_big(limit: int) -> StreamError:
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


def _well_formedness(error: expat.ExpatError) -> StreamError:
    if error.code in _ENTITY_ERRORS:
        return StreamError("restricted-xml", "entity reference")
    if error.code in _ENCODING_ERRORS:
        return _not_utf_8()
    return StreamError("not-well-formed", expat.ErrorString(error.code))


def _qualified(attrs: dict[str, str]) -> dict[str, str]:
    return {_attribute(key): value for key, value in attrs.items()}


def _attribute(key: str) -> str:
    ns, _, tag = key.rpartition("\n")
    if not ns:
        return tag
    return f"xml:{tag}" if ns == NS_XML else f"{{{ns}}}{tag}"


# --- writing ---------------------------------------------------------------------------

_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_IN_ATTRIBUTE = {**_IN_TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
_text_search = re.compile("[&<>\r]").search
_attribute_search = re.compile('[&<>\r"\n\t]').search
_text_sub = re.compile("[&<>\r]").sub
_attribute_sub = re.compile('[&<>\r"\n\t]').sub


def escape(text: str) -> str:
    """`text` as character data."""
    if _text_search(text) is None:
        return text
    return _text_sub(lambda found: _IN_TEXT[found[0]], text)


def quote(value: str) -> str:
    """`value` as the inside of an attribute in double quotes."""
    if _attribute_search(value) is None:
        return value
    return _attribute_sub(lambda found: _IN_ATTRIBUTE[found[0]], value)


def write(element: Element, ns: str = "") -> str:
    """`element` as text, inside a parent whose default namespace is `ns`.

    The text is remembered in the element, so that what goes to many is written once.
    """
    memo = element._memo
    if memo is not None and memo[0] == ns:
        return memo[1]
    name, children = element.name, element.children
    own, tag = name
    head = f"<{tag}" if own == ns else f'<{tag} xmlns="{quote(own)}"'
    attrs = element.attrs
    if attrs:
        head += write_attributes(attrs)
    if not children:
        text = f"{head}/>"
    else:
        inner = "".join(
            [escape(c) if c.__class__ is str else write(c, own) for c in children]  # type: ignore[arg-type]
        )
        text = f"{head}>{inner}</{tag}>"
    element._memo = (ns, text)
    return text


def write_attributes(attrs: Mapping[str, str]) -> str:
    """`attrs` as they stand in a tag, each with a space before it."""
    parts: list[str] = []
    for number, (key, value) in enumerate(attrs.items()):
        if key[0] == "{":
            ns, _, key = key[1:].partition("}")
            parts.append(f' xmlns:a{number}="{quote(ns)}"')
            key = f"a{number}:{key}"
        parts.append(f' {key}="{quote(value)}"')
    return "".join(parts)


def parse(text: str, ns: str = "", *, limits: Limits | None = None) -> Element:
    """One element from `text`, read as if inside a parent in namespace `ns`.

    Raises `StreamError` if it is not exactly one, or not what XMPP allows.
    """
    reader = Reader(limits or Limits())
    items: list[Any] = reader.feed(f'<parent xmlns="{quote(ns)}">{text}'.encode())[1:]
    items += reader.feed(b"</parent>")
    match items:
        case [Element() as element, Closed()]:
            return element
        case [*_, StreamError() as error]:
            raise error
    raise StreamError("bad-format", "not exactly one element")
