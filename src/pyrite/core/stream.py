"""One XMPP stream over TCP, without I/O: bytes in, events out; elements in, bytes out.

    for event in stream.feed(await socket.read()):
        ...
    await socket.write(stream.take())

The stream never blocks, waits or looks at a clock. Whoever drives it owns the socket.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from .errors import STREAM_CONDITIONS, StreamError
from .stanza import NS, Stanza
from .xml import (
    BEFORE_AUTHENTICATION,
    LANG,
    Closed,
    Element,
    Item,
    Limits,
    Name,
    Opened,
    Reader,
    quote,
    write,
)

NS_STREAM = "http://etherx.jabber.org/streams"
NS_STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"

HEADER = Name(NS_STREAM, "stream")
ERROR = Name(NS_STREAM, "error")

State = Enum("State", "IDLE OPEN CLOSED")
Side = Literal["ours", "theirs"]

#: Every move a side of a stream can make. What is not listed here is an error.
MOVES: dict[tuple[State, str], State] = {
    (State.IDLE, "header"): State.OPEN,
    (State.OPEN, "element"): State.OPEN,
    (State.OPEN, "footer"): State.CLOSED,
}

Event = Item


class Stream:
    """The state of both directions of one stream (RFC 6120 §4).

    `content` is the namespace of its stanzas (``jabber:client``, ``jabber:server``,
    ``jabber:component:accept``). A restart begins a new stream on the same connection.
    """

    __slots__ = ("_content", "_out", "_reader", "id", "ours", "sender", "theirs")

    def __init__(self, content: str = NS, *, limits: Limits = BEFORE_AUTHENTICATION) -> None:
        self.ours = self.theirs = State.IDLE
        self.sender = self.id = ""  # what our header says when an error forces it out early
        self._content = content
        self._reader = Reader(limits, content)
        self._out: list[str] = []

    def __del__(self) -> None:
        self._reader.end()

    @property
    def is_closed(self) -> bool:
        """Whether we have said the last word on it."""
        return self.ours is State.CLOSED

    @property
    def is_over(self) -> bool:
        return self.ours is self.theirs is State.CLOSED

    def restart(self, limits: Limits | None = None) -> None:
        """Begin anew, after TLS or authentication (RFC 6120 §4.3.3). Nothing is carried over."""
        self.ours = self.theirs = State.IDLE
        self._reader.end()
        self._reader = Reader(limits or self._reader.limits, self._content)

    def limit(self, limits: Limits) -> None:
        """Bound what the peer may send from now on."""
        self._reader.limits = limits

    def relax(self) -> bool:
        """Keep as little as possible until the peer says more; whether that freed anything."""
        return self._reader.relax()

    def open(self, *, to: str = "", sender: str = "", id: str = "", lang: str = "") -> None:
        """Queue our header. A client names `to`; a server names `sender` and `id`."""
        self._move("ours", "header")
        named = (("to", to), ("from", sender), ("id", id), (LANG, lang))
        attrs = "".join(f' {key}="{quote(value)}"' for key, value in named if value)
        self._out.append(
            f'<?xml version="1.0"?><stream:stream xmlns="{self._content}"'
            f' xmlns:stream="{NS_STREAM}" version="1.0"{attrs}>'
        )

    def send(self, element: Element) -> None:
        """Queue one top-level element that is not a stanza."""
        self._move("ours", "element")
        if element.name.ns == NS_STREAM:
            inner = "".join(write(child, self._content) for child in element.elements)
            tag = element.name.tag
            self._out.append(f"<stream:{tag}>{inner}</stream:{tag}>")
        else:
            self._out.append(write(element, NS))

    def send_stanza(self, stanza: Stanza) -> None:
        """Queue one stanza."""
        self.send_text(stanza.write())

    def send_text(self, text: str) -> None:
        """Queue stanzas that are written already, or whitespace to keep the stream alive."""
        if self.ours is not State.OPEN:
            self._move("ours", "element")
        self._out.append(text)

    def close(self, error: StreamError | None = None) -> None:
        """Queue `error`, if any, and our footer. Closing twice is harmless."""
        if self.is_closed:
            return
        if self.ours is State.IDLE:
            self.open(sender=self.sender, id=self.id, lang="en")  # errors need a stream (§4.9.1.2)
        if error:
            self.send(_error(error))
        self._move("ours", "footer")
        self._out.append("</stream:stream>")

    def take(self) -> bytes:
        """Bytes to write now; each is given once."""
        out = self._out
        if not out:
            return b""
        self._out = []
        return (out[0] if len(out) == 1 else "".join(out)).encode()

    def feed(self, data: bytes) -> list[Event]:
        """Events in `data`. Never raises: a mistake of the peer is the last event, once."""
        if self.theirs is State.CLOSED:
            return []
        events = self._reader.feed(data)
        if self.theirs is State.OPEN and (not events or events[-1].__class__ is Element):
            return events
        return self._check(events)

    def _check(self, events: list[Event]) -> list[Event]:
        """`events` up to the first that the peer's side of the stream may not make now."""
        for number, event in enumerate(events):
            try:
                self._receive(event)
            except StreamError as error:
                self.theirs = State.CLOSED
                return [*events[:number], error]
            if self.theirs is State.CLOSED:
                return events[: number + 1]  # whatever follows the footer
        return events

    def _receive(self, item: Item) -> None:
        match item:
            case Opened(root, default_ns):
                _check_header(root, default_ns, self._content)
                self._move("theirs", "header")
            case Element():
                self._move("theirs", "element")
            case Closed():
                self._move("theirs", "footer")
            case StreamError():
                raise item

    def _move(self, side: Side, move: str) -> None:
        state: State = getattr(self, side)
        try:
            setattr(self, side, MOVES[state, move])
        except KeyError:
            mistake = f"{move} while {side} is {state.name}"
            if side == "ours":
                raise RuntimeError(mistake) from None  # a bug here, not the peer's doing
            raise StreamError("bad-format", mistake) from None


def _check_header(root: Element, default_ns: str, content: str) -> None:
    """Raises `StreamError` for a header that opens no stream of ours (RFC 6120 §4.8, §4.9.3.10)."""
    if root.name.ns != NS_STREAM:
        raise StreamError("invalid-namespace", "that is not the namespace of streams")
    if root.name.tag != "stream":
        raise StreamError("bad-format", "a stream begins with <stream>")
    if default_ns not in (content, NS_STREAM):  # the latter: each stanza names its own (§4.8.2)
        raise StreamError("invalid-namespace", f"this port speaks {content}")


def _error(error: StreamError) -> Element:
    children = [Element(Name(NS_STREAM_ERRORS, error.condition))]
    if error.text:
        text = Name(NS_STREAM_ERRORS, "text")
        children.append(Element(text, {LANG: "en"}, (error.text,)))
    if error.app is not None:
        children.append(error.app)
    return Element(ERROR, children=children)


def read_error(element: Element) -> StreamError:
    """What a received ``<stream:error/>`` says (RFC 6120 §4.9)."""
    condition, text, app = "undefined-condition", "", None
    for child in element.elements:
        if child.name.ns != NS_STREAM_ERRORS:
            app = child
        elif child.name.tag == "text":
            text = child.text
        else:
            condition = _known(child.name.tag)
    return StreamError(condition, text, app=app)


def _known(condition: str) -> str:
    if condition == "xml-not-well-formed":  # COMPAT: RFC 3920 peers
        return "not-well-formed"
    return condition if condition in STREAM_CONDITIONS else "undefined-condition"
