"""Stickers: pictures in place of words, and packs of them."""

from __future__ import annotations

from ..core.payload import anything, attr, child, child_text, child_texts, children, flag, payload
from ..core.xml import Element
from . import Spec
from .hashes import Hash
from .sharing import File, Sources

SPEC = Spec("XEP-0449", "0.2.0", "Stickers")
NS = "urn:xmpp:stickers:0"


@payload(NS, "sticker")
class Sticker:
    """On a message with a file: it is a sticker, perhaps of a pack (§4.1)."""

    pack: str | None = attr(default=None)


@payload(NS, "item")
class Item:
    """One of a pack (§4.3)."""

    file: File = child()
    sources: Sources | None = child(default=None)
    suggest: tuple[str, ...] = child_texts("suggest", default=())
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "pack")
class Pack:
    """Published under the beginning of its hash (§4.3)."""

    name: str | None = child_text(default=None)
    summary: str | None = child_text(default=None)
    items: tuple[Item, ...] = children(default=())
    hashes: tuple[Hash, ...] = children(default=())
    is_restricted: bool = flag("restricted", default=False)  # not to be taken by others
