"""The examples of the specifications, as they stand in ``data/xep``, one file each.

``## 3 A title`` begins the third example. ``#! reason`` after it: it is not read, for that reason.
``#xmlns namespace``: what it shows is a part, whose namespace is declared outside of it.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from tests.unit.wire.classes import CLASSES

from pyrite.core.jid import JID, JIDError
from pyrite.core.payload import decode, encode
from pyrite.core.stanza import NS, NS_ERRORS, Iq, Message, Presence
from pyrite.core.values import form_of, read_bool, read_bytes, read_date, read_datetime
from pyrite.core.xml import Element, Name

XEPS = Path(__file__).parent / "data" / "xep"
STANZAS = {Name(NS, kind.tag): kind for kind in (Message, Presence, Iq)}

#: What a stanza's own namespace may be: the same stanza on another kind of stream.
STREAMS = frozenset({NS, "jabber:server", "jabber:component:accept"})

#: Prefixes that examples take as declared by the stream.
PREFIXES = {
    "stream": "http://etherx.jabber.org/streams",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "db": "jabber:server:dialback",
}

#: What encloses others, and says nothing more.
CONTAINERS = frozenset({Name(PREFIXES["stream"], "features"), Name(PREFIXES["stream"], "error")})

#: Namespaces of conditions, which have nothing in them.
CONDITIONS = frozenset(
    {NS_ERRORS, "urn:ietf:params:xml:ns:xmpp-sasl", "urn:ietf:params:xml:ns:xmpp-streams"}
)

#: What is no element: a stream's ends, who says it, and what HTTP says before it.
ASIDE = re.compile(
    r"<\?xml.*?\?>|</?stream:stream\b[^>]*>"
    r"|^(?:C|S|CLIENT|SERVER|SERVER \(optional error\)|SENDER|RECEIVER): *"
    r"|^(?:POST|HTTP/|Host:|Accept-|Content-)[^\n]*$",
    re.DOTALL | re.MULTILINE,
)

#: "...", or "[ more of it ]": what an example leaves out.
LEFT_OUT = re.compile(r"(?:\s|\.|…|\[[^\]]*\])*").fullmatch


class Example(NamedTuple):
    xep: str
    number: int
    title: str
    ns: str
    reason: str | None  # why it is not read
    text: str

    @property
    def place(self) -> str:
        return f"{self.xep}-{self.number}"


@cache
def covered() -> Mapping[str, Mapping[str, Any]]:
    """XEP -> what is said of it in ``xeps.toml``."""
    return tomllib.loads((XEPS / "xeps.toml").read_text())


@cache
def examples() -> tuple[Example, ...]:
    """All of them, in order."""
    return tuple(one for path in sorted(XEPS.glob("*.xmls")) for one in _of(path))


def _of(path: Path) -> Iterator[Example]:
    for part in path.read_text().split("\n## ")[1:]:
        head, _, text = part.partition("\n")
        number, _, title = head.partition(" ")
        reason, ns = None, NS
        while text.startswith(("#! ", "#xmlns ")):
            line, _, text = text.partition("\n")
            if line.startswith("#! "):
                reason = line[3:]
            else:
                ns = line.removeprefix("#xmlns ")
        yield Example(path.stem, int(number), title, ns, reason, text)


def elements(example: Example) -> list[Element]:
    """What an example shows. Raises `ElementTree.ParseError` for what is no XML."""
    declared = "".join(f' xmlns:{prefix}="{ns}"' for prefix, ns in PREFIXES.items())
    text = ASIDE.sub("", example.text)
    root = ElementTree.fromstring(f'<_ xmlns="{example.ns}"{declared}>{text}</_>')
    loose = [root.text or "", *(one.tail or "" for one in root)]
    assert all(map(LEFT_OUT, loose)), f"loose text: {loose}"
    return [_element(one) for one in root]


def _element(tree: ElementTree.Element) -> Element:
    inside: list[Element | str] = [tree.text or ""]
    for one in tree:
        inside += [_element(one), one.tail or ""]
    inside = [one for one in inside if not isinstance(one, str) or not LEFT_OUT(one)]
    attrs = {_attribute(key): value for key, value in tree.attrib.items()}
    return Element(_name(tree.tag), attrs, inside)


def _name(key: str) -> Name:
    ns, _, tag = key.removeprefix("{").rpartition("}")
    return Name(NS if ns in STREAMS else ns, tag)


def _attribute(key: str) -> str:
    return key.replace("{http://www.w3.org/XML/1998/namespace}", "xml:")


# --- there and back ---------------------------------------------------------------------------


def unread(element: Element, foreign: frozenset[str]) -> Iterator[str]:
    """What in `element` is not read, or not written as it was; nothing if all is well.

    `foreign`: the namespaces of what is others' to read.
    """
    if element.name in STANZAS or element.name in CONTAINERS:
        for one in element.elements:
            yield from unread(one, foreign)
        return
    if element.name == (NS, "error"):
        yield from unread_error(element, foreign)
        return
    if element.name.ns in CONDITIONS and not list(element.elements):
        return
    cls = CLASSES.get(element.name)
    if cls is None:
        if element.name.ns not in foreign:
            yield f"unknown: {element.name}"
        return
    value = decode(cls, element)
    again = encode(value)
    yield from differences(element, again, element.name.tag)
    if decode(cls, again) != value:
        yield f"{element.name.tag}: not what it was, read again"
    for inner in left(value):
        if inner.name.ns != element.name.ns:
            yield from unread(inner, foreign)


def unread_error(error: Element, foreign: frozenset[str]) -> Iterator[str]:
    """The condition and the words are read as part of the stanza; what is beside them is not.

    That may be all in its name, too.
    """
    for one in error.elements:
        if one.name.ns != NS_ERRORS and (one.attrs or one.children):
            yield from unread(one, foreign)


def left(value: Any) -> Iterator[Element]:
    """The elements that a payload holds as they came."""
    if isinstance(value, Element):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from left(one)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from left(getattr(value, field.name))


def differences(one: Element, other: Element, where: str) -> Iterator[str]:
    """How they differ in what they say.

    The order of children counts among those of one name only; that of attributes does not.
    What is the default may be said or not.
    """
    ours, theirs = _filled(one), _filled(other)
    for key in sorted({*ours, *theirs}):
        if not is_same(ours.get(key), theirs.get(key)):
            yield f"{where}@{key}: {ours.get(key)!r} became {theirs.get(key)!r}"
    if not is_same(one.text, other.text):
        yield f"{where}: {one.text!r} became {other.text!r}"
    mine, yours = _grouped(one), _grouped(other)
    for name in sorted({*mine, *yours}):
        below = f"{where}/{name.tag}"
        left, right = mine.get(name, []), yours.get(name, [])
        if len(left) != len(right):
            yield f"{below}: {len(left)} became {len(right)}"
        for a, b in zip(left, right, strict=False):
            yield from differences(a, b, below)


def _grouped(element: Element) -> dict[Name, list[Element]]:
    found: dict[Name, list[Element]] = {}
    for one in element.elements:
        found.setdefault(one.name, []).append(one)
    return found


def _filled(element: Element) -> dict[str, str]:
    """The attributes, with those that are left out because they are the default."""
    return {**defaults(CLASSES.get(element.name)), **element.attrs}


@cache
def defaults(cls: Any) -> Mapping[str, str]:
    if cls is None:
        return {}
    return {
        field.metadata["tag"] or field.name: form_of(type(field.default)).show(field.default)
        for field in dataclasses.fields(cls)
        if field.metadata["place"] == "attr"
        and field.default is not dataclasses.MISSING
        and field.default is not None
    }


def is_same(one: str | None, other: str | None) -> bool:
    """Whether they are one value, however it is written."""
    if one is None or other is None:
        return one is other
    if " ".join(one.split()) == " ".join(other.split()):
        return True
    return any(_reads_alike(read, one, other) for read in READERS)


#: How text is read where it can be written in more than one way.
READERS = (int, float, read_bool, read_datetime, read_date, read_bytes, JID.parse)


def _reads_alike(read: Any, one: str, other: str) -> bool:
    try:
        return bool(read(one) == read(other))
    except (ValueError, JIDError):
        return False
