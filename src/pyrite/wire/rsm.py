"""Result Set Management: a long list, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..core.errors import StanzaError
from ..core.payload import attr, child, child_text, payload, text
from ..core.values import NonNegative
from . import Spec

SPEC = Spec("XEP-0059", "1.0", "Result Set Management")
NS = "http://jabber.org/protocol/rsm"

T = TypeVar("T")


@payload(NS, "first")
class First:
    """The first item of a page, and where in the whole it stands (§2.6)."""

    id: str = text(default="")
    index: NonNegative | None = attr(default=None)


@payload(NS, "set")
class ResultSet:
    """Which page is wanted, or which it is (§2). An empty `before` asks for the last page."""

    max: NonNegative | None = child_text(default=None)
    after: str | None = child_text(default=None)
    before: str | None = child_text(default=None)
    index: NonNegative | None = child_text(default=None)
    first: First | None = child(default=None)
    last: str | None = child_text(default=None)
    count: NonNegative | None = child_text(default=None)


def page(
    items: Sequence[tuple[str, T]], wanted: ResultSet | None, limit: int
) -> tuple[list[T], ResultSet]:
    """The page of `items` (pairs of id and value, in order) that is `wanted`, and which it is.

    At most `limit` of them, whatever is asked for. Raises `StanzaError` ``item-not-found`` for
    an id that is not there (§2.1), ``bad-request`` if both directions are asked for.
    """
    wanted = wanted or ResultSet()
    size = limit if wanted.max is None else min(wanted.max, limit)
    start = _start([id for id, _ in items], wanted, size)
    if wanted.before:  # the page may not reach what it was to stand before
        size = min(size, _position(items, wanted.before) - start)
    chosen = items[start : start + size]
    if not chosen:
        return [], ResultSet(count=len(items))
    first, last = First(chosen[0][0], start), chosen[-1][0]
    return [value for _, value in chosen], ResultSet(first=first, last=last, count=len(items))


def _start(ids: list[str], wanted: ResultSet, size: int) -> int:
    if sum(x is not None for x in (wanted.after, wanted.before, wanted.index)) > 1:
        raise StanzaError("bad-request", "one of after, before and index")
    try:
        if wanted.after is not None:
            return ids.index(wanted.after) + 1
        if wanted.before:
            return max(0, ids.index(wanted.before) - size)
    except ValueError:
        raise StanzaError("item-not-found", "no such item in the result") from None
    if wanted.before is not None:
        return max(0, len(ids) - size)
    return wanted.index or 0


def _position(items: Sequence[tuple[str, T]], id: str) -> int:
    return next(n for n, (each, _) in enumerate(items) if each == id)
