"""User Avatar: a picture of somebody, and what is to be known of it before it is fetched."""

from __future__ import annotations

from hashlib import sha1

from ..core.payload import anything, attr, children, payload, text
from ..core.values import UnsignedInt, UnsignedShort
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0084", "1.1.4", "User Avatar")
SPEC_CONVERSION = Spec("XEP-0398", "1.0.0", "User Avatar to vCard-Based Avatars Conversion")
NS_DATA = "urn:xmpp:avatar:data"
NS_METADATA = "urn:xmpp:avatar:metadata"

LARGEST = 1 << 20  # octets of a picture that are taken


@payload(NS_DATA, "data")
class Data:
    """The picture, as an item whose id is its SHA-1 (§3.1)."""

    data: bytes = text(default=b"")


@payload(NS_METADATA, "info")
class Info:
    """One form of the picture; those with a `url` are not in `Data` (§4.2)."""

    id: str = attr()
    bytes: UnsignedInt = attr()
    type: str = attr()
    height: UnsignedShort | None = attr(default=None)
    width: UnsignedShort | None = attr(default=None)
    url: str | None = attr(default=None)


@payload(NS_METADATA, "pointer")
class Pointer:
    """Where another service has the picture (§4.2.2)."""

    content: tuple[Element, ...] = anything(default=())


@payload(NS_METADATA, "metadata")
class Metadata:
    """All forms of the picture; none: there is none any more (§4.2.1)."""

    infos: tuple[Info, ...] = children(default=())
    pointers: tuple[Pointer, ...] = children(default=())


def id_of(data: bytes) -> str:
    """What a picture is called (§3.1)."""
    return sha1(data, usedforsecurity=False).hexdigest()
