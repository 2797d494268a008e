"""A privacy list, made ready to be asked, and what happens to lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile

from ...core.jid import JID
from ...core.payload import decode, encode
from ...core.stanza import Iq, Message, Presence, Stanza
from ...core.xml import KEPT, parse, write
from ...wire import privacy as wire
from ...wire.blocking import matches
from ..session import Key
from ..store.privacy import PrivacyList


class Rules:
    """A list, its rules in order."""

    __slots__ = ("blocked", "items", "name", "needs_roster", "rest")

    def __init__(self, name: str, items: Iterable[wire.Item]) -> None:
        self.name = name
        self.items = tuple(sorted(items, key=lambda item: item.order))
        first = tuple(takewhile(is_block, self.items))
        self.blocked = frozenset(map(address_of, first))  # looked up, however many they are
        self.rest = self.items[len(first) :]
        self.needs_roster = any(item.type in ("group", "subscription") for item in self.rest)

    def allow(
        self,
        kind: wire.Kind,
        other: JID,
        owner: JID,
        subscription: str = "none",
        groups: Collection[str] = (),
    ) -> bool:
        """As `wire.privacy.allows`, for whom the subscription and groups of `other` are."""
        if other.bare == owner:
            return True
        if matches(self.blocked, other):
            return False
        return not self.rest or wire.allows(self.rest, kind, other, owner, subscription, groups)

    @property
    def blocklist(self) -> tuple[JID, ...]:
        """The addresses that are denied everything, wherever they stand."""
        return tuple(dict.fromkeys(address_of(item) for item in self.items if is_block(item)))

    @classmethod
    def read(cls, stored: PrivacyList) -> Rules:
        """A list as the store keeps it."""
        return cls(stored.name, decode(wire.List, parse(stored.rules, limits=KEPT)).items)

    def store(self) -> PrivacyList:
        """What `read` reads."""
        return PrivacyList(self.name, write(encode(wire.List(self.name, self.items))))


#: The list that a session has chosen instead of the default one.
ACTIVE: Key[Rules | None] = Key("privacy list", default=None)


@dataclass(frozen=True, slots=True)
class ListChanged:
    """A list has other rules; `by_blocking` if it was a client that knows nothing of lists."""

    owner: JID
    name: str
    by_blocking: bool


@dataclass(frozen=True, slots=True)
class BlocksChanged:
    """An account's block list has changed; `unblocked` is ``None`` if nobody is blocked now."""

    owner: JID
    blocked: tuple[JID, ...]
    unblocked: tuple[JID, ...] | None


def is_block(item: wire.Item) -> bool:
    """Whether a rule is what a block list shows: an address that is denied everything."""
    return item.action == "deny" and item.type == "jid" and item.concerns("out")


def address_of(item: wire.Item) -> JID:
    return JID.parse(item.value or "")


def kind_in(stanza: Stanza) -> wire.Kind:
    """What a stanza that comes in is to the rules (XEP-0016 §2.10 to §2.13)."""
    if isinstance(stanza, Message):
        return "message"
    if isinstance(stanza, Iq):
        return "iq"
    return "presence-in" if _is_notification(stanza) else "out"


def kind_out(stanza: Stanza) -> wire.Kind:
    """What a stanza that goes out is: only presence can be denied apart from the rest."""
    return "presence-out" if isinstance(stanza, Presence) and _is_notification(stanza) else "out"


def _is_notification(presence: Stanza) -> bool:
    """Subscriptions and probes are none: only a rule about everything concerns them."""
    return presence.type in (None, "unavailable", "error")
