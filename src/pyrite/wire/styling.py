"""Message Styling: quotations, code and emphasis in plain text, found in one pass."""

from __future__ import annotations

import unicodedata
from typing import Literal

from ..core.frozen import frozen
from ..core.payload import payload
from ..core.stanza import Message
from . import Spec

SPEC = Spec("XEP-0393", "1.1.1", "Message Styling")
NS = "urn:xmpp:styling:0"

DEEPEST = 20  # quotations inside each other; what is deeper is plain
_FENCE = "```"

Style = Literal["emphasis", "strong", "strike", "preformatted"]

_STYLES: dict[str, Style] = {
    "_": "emphasis",
    "*": "strong",
    "~": "strike",
    "`": "preformatted",
}


@payload(NS, "unstyled")
class Unstyled:
    """On a message: its characters are only characters (§6)."""


@frozen
class Span:
    """A part of a line with its style, and the parts inside; plain text has no style.

    `text` is what it covers, with the characters that style it: they are shown too (§7).
    """

    text: str
    style: Style | None = None
    spans: tuple[Span, ...] = ()


@frozen
class Line:
    """One line, of one or more spans (§5.1.1)."""

    spans: tuple[Span, ...]


@frozen
class Code:
    """Lines as they are (§5.1.2). `info` is what stood behind the mark in its first line."""

    text: str
    info: str = ""


@frozen
class Quotation:
    """What somebody else has said (§5.1.3)."""

    blocks: tuple[Block, ...]


Block = Line | Code | Quotation


def parse(text: str) -> tuple[Block, ...]:
    """`text` in blocks. Never fails: what is not well styled is plain."""
    return _blocks(text.split("\n"), 0)


def blocks(message: Message, text: str) -> tuple[Block, ...]:
    """`text` of `message` in blocks, in plain lines if its sender wishes so (§6)."""
    if message.has(Unstyled):
        return tuple(Line((Span(line),) if line else ()) for line in text.split("\n"))
    return parse(text)


def _blocks(lines: list[str], depth: int) -> tuple[Block, ...]:
    found: list[Block] = []
    at = 0
    while at < len(lines):
        line, start = lines[at], at
        if line.startswith(_FENCE):
            at = next((n for n in range(at + 1, len(lines)) if lines[n] == _FENCE), len(lines))
            found.append(Code("\n".join(lines[start + 1 : at]), line[len(_FENCE) :]))
            at += 1
        elif line.startswith(">") and depth < DEEPEST:
            while at < len(lines) and lines[at].startswith(">"):
                at += 1
            inside = [_unquoted(one) for one in lines[start:at]]
            found.append(Quotation(_blocks(inside, depth + 1)))
        else:
            found.append(Line(spans(line)))
            at += 1
    return tuple(found)


def _unquoted(line: str) -> str:
    """Without the mark and the first space after it."""
    rest = line[1:]
    return rest[1:] if rest and _is_space(rest[0]) else rest


def spans(line: str) -> tuple[Span, ...]:
    """The parts of one line (§5.2). Its time grows with its length alone."""
    return _Spans(line).within(0, len(line))


class _Spans:
    """Reads one line. Where each mark may end is found before, so that no search is repeated."""

    def __init__(self, line: str) -> None:
        self.line = line
        self._closing = {mark: self._ends(mark) for mark in _STYLES if mark in line}

    def _ends(self, mark: str) -> list[int]:
        """Place -> the first one from there on where `mark` may close, -1 for none."""
        line = self.line
        ends, last = [-1] * (len(line) + 1), -1
        for at in range(len(line) - 1, -1, -1):
            if line[at] == mark and at and not _is_space(line[at - 1]):
                last = at
            ends[at] = last
        return ends

    def within(self, start: int, end: int) -> tuple[Span, ...]:
        """The parts between two places; `start` is the beginning of a line or of a span."""
        found: list[Span] = []
        plain = at = start
        while at < end:
            close = self._close(at, start, end)
            if close is None:
                at += 1
                continue
            if plain < at:
                found.append(Span(self.line[plain:at]))
            found.append(self._styled(at, close))
            plain = at = close + 1
        if plain < end:
            found.append(Span(self.line[plain:end]))
        return tuple(found)

    def _styled(self, at: int, close: int) -> Span:
        style = _STYLES[self.line[at]]
        inside = (
            (Span(self.line[at + 1 : close]),)
            if style == "preformatted"
            else self.within(at + 1, close)
        )
        return Span(self.line[at : close + 1], style, inside)

    def _close(self, at: int, start: int, end: int) -> int | None:
        """Where the span that opens at `at` closes; ``None`` if none does."""
        mark = self.line[at]
        ends = self._closing.get(mark)
        if ends is None or not self._may_open(at, start, end):
            return None
        close = ends[at + 1]
        if close == at + 1:  # nothing between the two: neither is one
            return None
        return close if at < close < end else None

    def _may_open(self, at: int, start: int, end: int) -> bool:
        if at + 1 >= end or _is_space(self.line[at + 1]):
            return False
        return at == start or _is_space(self.line[at - 1])


def _is_space(one: str) -> bool:
    return one.isspace() or unicodedata.category(one)[0] == "Z"
