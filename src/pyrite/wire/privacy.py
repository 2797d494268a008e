"""Privacy Lists: ordered rules about who may send what to whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from ..core.errors import StanzaError
from ..core.jid import JID, JIDError
from ..core.payload import attr, child, children, flag, payload
from ..core.values import UnsignedInt
from . import Spec
from .blocking import matches

SPEC = Spec("XEP-0016", "1.7", "Privacy Lists")
NS = "jabber:iq:privacy"

MAX_ITEMS = 1000  # rules of one list
MAX_NAME = 256  # characters of a list's name

#: What a rule can be about: what comes in, the user's presence going out, and the rest that
#: goes out, which only a rule without any of the four marks concerns (§2.12).
Kind = Literal["message", "iq", "presence-in", "presence-out", "out"]


@payload(NS, "item")
class Item:
    """One rule; without a type it is for everybody (§2.1)."""

    action: Literal["allow", "deny"] = attr()
    order: UnsignedInt = attr()
    type: Literal["jid", "group", "subscription"] | None = attr(default=None)
    value: str | None = attr(default=None)
    message: bool = flag(default=False)
    iq: bool = flag(default=False)
    presence_in: bool = flag("presence-in", default=False)
    presence_out: bool = flag("presence-out", default=False)

    def concerns(self, kind: Kind) -> bool:
        if not (self.message or self.iq or self.presence_in or self.presence_out):
            return True
        match kind:
            case "message":
                return self.message
            case "iq":
                return self.iq
            case "presence-in":
                return self.presence_in
            case "presence-out":
                return self.presence_out
        return False


@payload(NS, "active")
class Active:
    """The list of this session; without a name: none (§2.4)."""

    name: str | None = attr(default=None)


@payload(NS, "default")
class Default:
    """The list of the account; without a name: none (§2.5)."""

    name: str | None = attr(default=None)


@payload(NS, "list")
class List:
    """A list by name, with its rules or without them (§2.1)."""

    name: str = attr()
    items: tuple[Item, ...] = children(default=())


@payload(NS, "query")
class Query:
    """Any request about lists, and the answers (§2)."""

    active: Active | None = child(default=None)
    default: Default | None = child(default=None)
    lists: tuple[List, ...] = children(default=())


def check_set(query: Query) -> Active | Default | List:
    """The one thing that an IQ set changes.

    Raises `StanzaError` ``bad-request`` if it is not exactly one (§2.1), and as `check_list`.
    """
    parts = [part for part in (query.active, query.default, *query.lists) if part is not None]
    if len(parts) != 1:
        raise StanzaError("bad-request", "exactly one of active, default and list")
    if isinstance(parts[0], List):
        check_list(parts[0])
    return parts[0]


def check_get(query: Query) -> str | None:
    """The name of the list that is asked for; ``None`` if all names are (§2.3).

    Raises `StanzaError` ``bad-request`` for more than one list.
    """
    if query.active or query.default or len(query.lists) > 1:
        raise StanzaError("bad-request", "one list at a time")
    return query.lists[0].name if query.lists else None


def check_list(rules: List) -> None:
    """Raises `StanzaError` if a list cannot be kept: ``bad-request`` for two rules of the same
    order or a value that does not suit its type, ``not-acceptable`` for too many (§2.1)."""
    if not rules.name or len(rules.name) > MAX_NAME:
        raise StanzaError("bad-request", "a list has a name, and a short one")
    if len(rules.items) > MAX_ITEMS:
        raise StanzaError("not-acceptable", f"more than {MAX_ITEMS} rules")
    if len({item.order for item in rules.items}) != len(rules.items):
        raise StanzaError("bad-request", "two rules of the same order")
    for item in rules.items:
        _check_value(item)


def _check_value(item: Item) -> None:
    if (item.type is None) is not (item.value is None):
        raise StanzaError("bad-request", "a rule has both type and value, or neither")
    if item.type == "subscription" and item.value not in ("both", "to", "from", "none"):
        raise StanzaError("bad-request", "no such subscription")
    if item.type == "jid":
        try:
            JID.parse(item.value or "")
        except JIDError as error:
            raise StanzaError("bad-request", str(error)) from None


def allows(
    rules: Iterable[Item],
    kind: Kind,
    other: JID,
    account: JID,
    subscription: str = "none",
    groups: Collection[str] = (),
) -> bool:
    """Whether the rules let a stanza of `kind` pass between `account` and `other` (§2.2).

    `subscription` and `groups` are `other`'s in the roster. The first rule that fits decides;
    without one it passes. An account's own resources are never kept apart (§2.1, note).
    """
    if other.bare == account.bare:
        return True
    for item in sorted(rules, key=lambda item: item.order):
        if item.concerns(kind) and _fits(item, other, subscription, groups):
            return item.action == "allow"
    return True


def _fits(item: Item, other: JID, subscription: str, groups: Collection[str]) -> bool:
    match item.type:
        case None:
            return True
        case "jid":
            try:
                return matches((JID.parse(item.value or ""),), other)
            except JIDError:
                return False
        case "group":
            return item.value in groups
        case "subscription":
            return item.value == subscription
