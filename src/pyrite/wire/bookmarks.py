"""PEP Native Bookmarks: the rooms that somebody wants to find again, and their older form."""

from __future__ import annotations

from dataclasses import replace

from ..core.jid import JID
from ..core.payload import anything, attr, child, child_text, children, payload
from ..core.xml import Element
from . import Spec
from .dataforms import Value

SPEC = Spec("XEP-0402", "1.2.0", "PEP Native Bookmarks")
SPEC_STORAGE = Spec("XEP-0048", "1.2", "Bookmarks")
NS = "urn:xmpp:bookmarks:1"
NS_STORAGE = "storage:bookmarks"

#: How the node has to be, so that nobody else sees it (XEP-0402 §3.2).
OPTIONS: dict[str, Value] = {
    "persist_items": True,
    "max_items": "max",
    "send_last_published_item": "never",
    "access_model": "whitelist",
}


@payload(NS, "extensions")
class Extensions:
    """What other clients keep there; it stays when we change the rest (XEP-0402 §3)."""

    content: tuple[Element, ...] = anything(default=())


@payload(NS, "conference")
class Bookmark:
    """A room; its address is the id of the item (XEP-0402 §3)."""

    name: str | None = attr(default=None)
    autojoin: bool = attr(default=False)
    nick: str | None = child_text(default=None)
    password: str | None = child_text(default=None)
    extensions: Extensions | None = child(default=None)


@payload(NS_STORAGE, "conference")
class OldBookmark:
    """A room, in the older form (XEP-0048 §2.1)."""

    jid: JID = attr()
    name: str | None = attr(default=None)
    autojoin: bool = attr(default=False)
    nick: str | None = child_text(default=None)
    password: str | None = child_text(default=None)


@payload(NS_STORAGE, "url")
class Url:
    """A page; of no use to us, and kept (XEP-0048 §2.2)."""

    url: str = attr()
    name: str | None = attr(default=None)


@payload(NS_STORAGE, "storage")
class Storage:
    """All bookmarks at once, in the older form (XEP-0048 §2)."""

    rooms: tuple[OldBookmark, ...] = children(default=())
    urls: tuple[Url, ...] = children(default=())
    content: tuple[Element, ...] = anything(default=())


def to_old(jid: JID, mark: Bookmark) -> OldBookmark:
    return OldBookmark(jid, mark.name, mark.autojoin, mark.nick, mark.password)


def from_old(storage: Storage) -> dict[JID, Bookmark]:
    """Room -> bookmark; of several for one room the first counts (XEP-0402 §5)."""
    return {
        old.jid.bare: Bookmark(old.name, old.autojoin, old.nick, old.password)
        for old in reversed(storage.rooms)
    }


def put(storage: Storage, jid: JID, mark: Bookmark | None) -> Storage:
    """`storage` with this bookmark in place of those for the room; without them for ``None``."""
    rooms = tuple(old for old in storage.rooms if old.jid.bare != jid.bare)
    return replace(storage, rooms=rooms + ((to_old(jid, mark),) if mark is not None else ()))
