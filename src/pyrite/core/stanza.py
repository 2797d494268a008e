"""Message, presence and IQ: an addressed envelope around payloads (RFC 6120 §8).

A stanza keeps its payloads as the elements they came as. `get` gives the typed form of
one when it is asked for, so a server can route what it does not understand unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, Self, TypeVar

from .errors import TYPE_OF, ErrorType, StanzaError, StreamError
from .jid import JID, JIDError
from .payload import decode, encode, name_of
from .xml import LANG, Element, Name, quote, write

NS = "jabber:client"
NS_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"

P = TypeVar("P")

_ERROR = Name(NS, "error")
_ERROR_TEXT = Name(NS_ERRORS, "text")


class Stanza:
    """What message, presence and IQ have in common. Changed only by making another."""

    __slots__ = ("_text", "id", "lang", "payloads", "sender", "to", "type")

    tag: ClassVar[str]

    def __init__(
        self,
        type: str | None = None,
        to: JID | None = None,
        sender: JID | None = None,
        id: str | None = None,
        payloads: Sequence[Element] = (),
        lang: str | None = None,
    ) -> None:
        self.type = type
        self.to = to
        self.sender = sender  # the ``from`` attribute, which Python keeps for itself
        self.id = id
        self.payloads = payloads
        self.lang = lang
        self._text: str | None = None

    def get(self, cls: type[P]) -> P | None:
        """The first payload of type `cls`; raises `StanzaError` if it is malformed."""
        name = name_of(cls)
        for element in self.payloads:
            if element.name == name:
                return decode(cls, element)
        return None

    def has(self, cls: type) -> bool:
        name = name_of(cls)
        return any(element.name == name for element in self.payloads)

    def child(self, ns: str, tag: str) -> Element | None:
        """The first payload ``{ns}tag``, as it came."""
        name = (ns, tag)
        return next((element for element in self.payloads if element.name == name), None)

    def add(self, *values: object) -> Self:
        """With `values` (payloads or elements) after what is there."""
        more = [v if isinstance(v, Element) else encode(v) for v in values]
        inner = "" if self._text is None else "".join([write(payload, NS) for payload in more])
        return self._longer(more, inner)

    def add_written(self, payload: Element, text: str) -> Self:
        """The same with `payload`, which is written as `text` in a stanza."""
        return self._longer((payload,), text)

    def _longer(self, more: Sequence[Element], inner: str) -> Self:
        """With `more`, which are written as `inner`: if the rest is written already, it stays."""
        payloads = (*self.payloads, *more)
        added = self.__class__(self.type, self.to, self.sender, self.id, payloads, self.lang)
        text = self._text
        if text is not None and self.payloads:
            end = -len(self.tag) - 3
            added._text = f"{text[:end]}{inner}{text[end:]}"
        return added

    def strip(self, cls: type) -> Self:
        """Without payloads of type `cls`."""
        name = name_of(cls)
        return self.with_payloads([e for e in self.payloads if e.name != name])

    def without(self, name: Name, is_unwanted: Callable[[Element], bool]) -> Self:
        """Without those payloads called `name` that are unwanted; itself if there are none."""
        for element in self.payloads:
            if element.name == name and is_unwanted(element):
                break
        else:
            return self
        kept = [e for e in self.payloads if e.name != name or not is_unwanted(e)]
        return self.with_payloads(kept)

    def with_payloads(self, payloads: Sequence[Element]) -> Self:
        return self.__class__(self.type, self.to, self.sender, self.id, payloads, self.lang)

    def routed(self, *, sender: JID | None = None, to: JID | None = None) -> Self:
        """The same from `sender` or to `to`; ``None`` leaves an address as it is."""
        return self.__class__(
            self.type,
            self.to if to is None else to,
            self.sender if sender is None else sender,
            self.id,
            self.payloads,
            self.lang,
        )

    def refuse(self, error: StanzaError) -> Self:
        """The error stanza that answers this one (RFC 6120 §8.3.1)."""
        children = [Element(Name(NS_ERRORS, error.condition))]
        if error.text:
            children.append(Element(_ERROR_TEXT, {LANG: "en"}, (error.text,)))
        if error.app is not None:
            children.append(error.app)
        body = Element(_ERROR, {"type": error.type}, children)
        return self.__class__("error", self.sender, self.to, self.id, (body,))

    @property
    def error(self) -> StanzaError | None:
        """What an error stanza says; ``undefined-condition`` where it says nothing known."""
        body = next((e for e in self.payloads if e.name == _ERROR), None)
        if self.type != "error":
            return None
        return _read_error(body)

    def to_element(self) -> Element:
        pairs = ("type", self.type), ("to", self.to), ("from", self.sender), ("id", self.id)
        attrs = {key: str(value) for key, value in pairs if value is not None}
        if self.lang is not None:
            attrs[LANG] = self.lang
        return Element(Name(NS, self.tag), attrs, self.payloads)

    def write(self) -> str:
        """As text for a stream whose stanzas need no namespace; remembered for the next one."""
        if self._text is None:
            self._text = self._write()
        return self._text

    def _write(self) -> str:
        head = f"<{self.tag}"
        if self.type is not None:
            head += f' type="{quote(self.type)}"'
        if self.to is not None:
            head += f' to="{quote(str(self.to))}"'
        if self.sender is not None:
            head += f' from="{quote(str(self.sender))}"'
        if self.id is not None:
            head += f' id="{quote(self.id)}"'
        if self.lang is not None:
            head += f' xml:lang="{quote(self.lang)}"'
        if not self.payloads:
            return head + "/>"
        inner = "".join([write(payload, NS) for payload in self.payloads])
        return f"{head}>{inner}</{self.tag}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stanza):
            return NotImplemented
        return self.to_element() == other.to_element()

    def __hash__(self) -> int:
        return hash(self.to_element())

    def __repr__(self) -> str:
        return self.write()


class Message(Stanza):
    """One-way delivery, to one entity or its account (RFC 6121 §5)."""

    __slots__ = ()
    tag = "message"

    @property
    def body(self) -> str | None:
        """The text of the first body, in whatever language."""
        body = self.child(NS, "body")
        return None if body is None else body.text


class Presence(Stanza):
    """Availability and subscriptions (RFC 6121 §3 and §4)."""

    __slots__ = ()
    tag = "presence"


class Iq(Stanza):
    """A request, ``get`` or ``set``, or its one answer (RFC 6120 §8.2.3)."""

    __slots__ = ()
    tag = "iq"

    @property
    def is_request(self) -> bool:
        return self.type == "get" or self.type == "set"

    def answer(self, value: object = None) -> Iq:
        """The result of this request, carrying `value` (a payload, an element or nothing)."""
        if value is None:
            payloads: tuple[Element, ...] = ()
        else:
            payloads = (value if isinstance(value, Element) else encode(value),)
        return Iq("result", self.sender, self.to, self.id, payloads)


#: What is a stanza, by the name of its element.
KINDS: Final[dict[Name, type[Stanza]]] = {Name(NS, k.tag): k for k in (Message, Presence, Iq)}

_IQ_TYPES = frozenset(("get", "set", "result", "error"))


def read(element: Element) -> Stanza:
    """`element` as a stanza.

    Raises `StreamError` ``unsupported-stanza-type`` if it is none, and `StanzaError`
    ``jid-malformed`` if an address in it is not one; refuse that with `read_unaddressed`.
    """
    kind = KINDS.get(element.name)
    if kind is None:
        raise StreamError("unsupported-stanza-type", element.name.tag)
    at = element.attrs
    to, sender = at.get("to"), at.get("from")
    try:
        return kind(
            at.get("type"),
            None if to is None else JID.parse(to),
            None if sender is None else JID.parse(sender),
            at.get("id"),
            _payloads(element),
            at.get(LANG),
        )
    except JIDError as error:
        raise StanzaError("jid-malformed", str(error)) from None


def read_unaddressed(element: Element) -> Stanza:
    """`element` as a stanza from nobody to nobody. Raises `StreamError` as `read` does."""
    kind = KINDS.get(element.name)
    if kind is None:
        raise StreamError("unsupported-stanza-type", element.name.tag)
    at = element.attrs
    return kind(at.get("type"), None, None, at.get("id"), _payloads(element), at.get(LANG))


def _payloads(element: Element) -> Sequence[Element]:
    """The child elements; text between them means nothing in a stanza."""
    children = element.children
    for child in children:
        if child.__class__ is str:
            return tuple(element.elements)
    return children  # type: ignore[return-value]


def check_iq(iq: Iq) -> None:
    """Raises `StanzaError` ``bad-request`` for what RFC 6120 §8.2.3 forbids an IQ to be."""
    if iq.type not in _IQ_TYPES:
        raise StanzaError("bad-request", "an iq is get, set, result or error")
    if iq.id is None:
        raise StanzaError("bad-request", "an iq has an id")
    if iq.is_request and len(iq.payloads) != 1:
        raise StanzaError("bad-request", "a request has exactly one payload")
    if iq.type == "result" and len(iq.payloads) > 1:
        raise StanzaError("bad-request", "a result has at most one payload")


def _read_error(body: Element | None) -> StanzaError:
    if body is None:
        return StanzaError("undefined-condition", "an error without a reason")
    conditions = [e for e in body.elements if e.name.ns == NS_ERRORS and e.name.tag in TYPE_OF]
    condition = conditions[0].name.tag if conditions else "undefined-condition"
    text = next((e.text for e in body.elements if e.name == _ERROR_TEXT), "")
    app = next((e for e in body.elements if e.name.ns != NS_ERRORS), None)
    return StanzaError(condition, text, type=_error_type(body.attrs, condition), app=app)


def _error_type(attrs: Mapping[str, str], condition: str) -> ErrorType:
    match attrs.get("type"):
        case "auth" | "cancel" | "continue" | "modify" | "wait" as known:
            return known
    return TYPE_OF[condition]
