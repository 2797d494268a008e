"""Elements, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

NS_XML = "http://www.w3.org/XML/1998/namespace"

#: An attribute that XMPP writes with a prefix and everybody else does not.
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
            and _joined(self.children) == _joined(other.children)
        )

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.attrs.items())), _joined(self.children)))

    def __repr__(self) -> str:
        return write(self)


def _joined(children: Sequence[Element | str]) -> tuple[Element | str, ...]:
    """`children` with neighbouring texts as one: in how many pieces one came means nothing."""
    joined: list[Element | str] = []
    for child in children:
        if isinstance(child, str) and joined and isinstance(joined[-1], str):
            joined[-1] += child
        elif child != "":
            joined.append(child)
    return tuple(joined)


# --- writing ---------------------------------------------------------------------------

#: Control characters, lone surrogates and two more: XML cannot say them at all. A peer cannot
#: send them, but text from elsewhere may have them, and must not break a stream.
_ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_IN_ATTRIBUTE = {**_IN_TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
_text_sub = re.compile(f"[&<>\r{_ILLEGAL}]").sub
_attribute_sub = re.compile(f'[&<>\r"\n\t{_ILLEGAL}]').sub


# Both look for what is common first, which a search by the expression would take twice as long
# for; and both say it in full, since a call costs as much as the look.


def escape(text: str) -> str:
    """`text` as character data; what XML cannot say as U+FFFD."""
    if text.isprintable() and "&" not in text and "<" not in text and ">" not in text:
        return text
    return _text_sub(lambda found: _IN_TEXT.get(found[0], "\ufffd"), text)


def quote(text: str) -> str:
    """`text` as the inside of an attribute in double quotes; the same for the rest."""
    if text.isprintable() and "&" not in text and "<" not in text and ">" not in text:
        return text if '"' not in text else text.replace('"', "&quot;")
    return _attribute_sub(lambda found: _IN_ATTRIBUTE.get(found[0], "\ufffd"), text)


def write(element: Element, ns: str = "") -> str:
    """`element` as text, inside a parent whose default namespace is `ns`.

    The text is remembered in the element, so that what goes to many is written once.
    """
    memo = element._memo
    if memo is not None and memo[0] == ns:
        return memo[1]
    text = _written(element, ns)
    element._memo = (ns, text)
    return text


def _written(element: Element, ns: str) -> str:
    """As `write`, for what is inside another element, too: the text is kept for the whole."""
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
        return f"{head}/>"
    inner = "".join(
        [escape(c) if c.__class__ is str else _written(c, own) for c in children]  # type: ignore[arg-type]
    )
    return f"{head}>{inner}</{tag}>"


def write_attributes(attrs: Mapping[str, str]) -> str:
    """`attrs` as they stand in a tag, each with a space before it."""
    parts: list[str] = []
    for number, (key, value) in enumerate(attrs.items()):
        if key[0] == "{":
            ns, _, key = key[1:].rpartition("}")  # a namespace may have one in it too
            parts.append(f' xmlns:a{number}="{quote(ns)}"')
            key = f"a{number}:{key}"
        parts.append(f' {key}="{quote(value)}"')
    return "".join(parts)
