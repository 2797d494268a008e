"""vcard-temp: a person's card, and the hash of the picture in it."""

from __future__ import annotations

from hashlib import sha1
from typing import Literal

from ..core.payload import anything, attr, child_text, decode, encode, payload
from ..core.values import read_bytes
from ..core.xml import Element, Name
from . import Spec

SPEC = Spec("XEP-0054", "1.3.0", "vcard-temp")
SPEC_AVATAR = Spec("XEP-0153", "1.1.1", "vCard-Based Avatars")
NS = "vcard-temp"
NS_UPDATE = "vcard-temp:x:update"

#: What a picture may be, whatever the card calls it, by its first octets (XEP-0153 §6).
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


@payload(NS, "PHOTO")
class Photo:
    """A picture in the card, or where to find it."""

    type: str | None = child_text("TYPE", default=None)
    binval: str | None = child_text("BINVAL", default=None)
    extval: str | None = child_text("EXTVAL", default=None)

    @property
    def data(self) -> bytes:
        """The picture's octets, none if it has none; raises `ValueError` for broken base64."""
        return read_bytes(self.binval or "")


@payload(NS, "vCard")
class VCard:
    """A card: its elements as they are, so that nothing is lost between two clients."""

    version: str | None = attr(default=None)
    content: tuple[Element, ...] = anything(default=())

    def text(self, *path: str) -> str | None:
        """The text of the first element at `path`, such as ``"N", "FAMILY"``."""
        inside = self.content
        found: Element | None = None
        for tag in path:
            found = next((e for e in inside if e.name == (NS, tag)), None)
            inside = tuple(found.elements) if found is not None else ()
        return found.text.strip() if found is not None else None

    @property
    def photo(self) -> Photo | None:
        """The first picture; ``None`` if there is none."""
        found = next((e for e in self.content if e.name == (NS, "PHOTO")), None)
        return decode(Photo, found) if found is not None else None

    def with_text(self, tag: str, value: str) -> VCard:
        """With one top-level text instead of what was there; without it if `value` is empty."""
        rest = tuple(e for e in self.content if e.name != (NS, tag))
        new = (Element(Name(NS, tag), None, (value,)),) if value else ()
        return VCard(self.version, rest + new)

    def with_photo(self, photo: Photo | None) -> VCard:
        rest = tuple(e for e in self.content if e.name != (NS, "PHOTO"))
        return VCard(self.version, rest + ((encode(photo),) if photo else ()))


@payload(NS_UPDATE, "x")
class Update:
    """On presence: the hash of the picture (XEP-0153 §4.1).

    ``None``: not known yet; empty: there is no picture.
    """

    photo: str | None = child_text(default=None)


def avatar_hash(card: VCard) -> str:
    """What `Update.photo` says about `card`: the SHA-1 of its picture, empty without one."""
    photo = card.photo
    try:
        data = photo.data if photo else b""
    except ValueError:
        return ""
    return sha1(data, usedforsecurity=False).hexdigest() if data else ""


def after(ours: str, other: Update | None) -> Literal["keep", "stop", "reset"]:
    """What a client that advertises the hash `ours` does after another resource of its account
    sent a presence with `other` (XEP-0153 §4.3).

    ``stop``: advertise nothing while that resource is there, which knows nothing of this and
    may change the card. ``reset``: send an empty `Update`, fetch the card, advertise its hash.
    """
    if other is None:
        return "stop"
    return "keep" if other.photo is None or (other.photo and other.photo == ours) else "reset"


def image_type(data: bytes) -> Literal["image/png", "image/jpeg", "image/gif"] | None:
    """What the picture really is; its card's word does not count (XEP-0153 §6)."""
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind  # type: ignore[return-value]
    return None
