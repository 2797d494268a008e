"""Stateless file sharing: what a file is, and where it can be had."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ..core.payload import anything, attr, child, child_text, children, payload
from ..core.values import Form, NonNegative, UnsignedInt, read_datetime, show_datetime
from ..core.xml import Element
from . import Spec
from .hashes import Hash

SPEC = Spec("XEP-0447", "0.3.1", "Stateless file sharing")
SPEC_FILE = Spec("XEP-0446", "0.2.0", "File metadata element")
SPEC_THUMBNAIL = Spec("XEP-0264", "0.4.2", "Jingle Content Thumbnails")
SPEC_URL = Spec("XEP-0103", "0.4", "URL Address Information")
NS = "urn:xmpp:sfs:0"
NS_FILE = "urn:xmpp:file:metadata:0"
NS_THUMBNAIL = "urn:xmpp:thumbs:1"
NS_URL = "http://jabber.org/protocol/url-data"


def _read_date(text: str) -> datetime:
    try:
        return read_datetime(text)
    except ValueError:
        if text.endswith("Z"):  # COMPAT: Gajim, which names the zone twice
            return read_datetime(text[:-1])
        return read_datetime(f"{text}Z")  # COMPAT: slixmpp, which does not name it


#: When a file was changed, also as programs write it that have no better word for it.
Date = Annotated[datetime, Form(_read_date, show_datetime)]


@payload(NS_THUMBNAIL, "thumbnail")
class Thumbnail:
    """A small picture of it (XEP-0264)."""

    uri: str = attr()
    media_type: str | None = attr("media-type", default=None)
    width: UnsignedInt | None = attr(default=None)
    height: UnsignedInt | None = attr(default=None)


@payload(NS_FILE, "file")
class File:
    """A file, as its sender describes it (XEP-0446 §3). `name` is never a path."""

    date: Date | None = child_text(default=None)
    media_type: str | None = child_text("media-type", default=None)
    name: str | None = child_text(default=None)
    size: NonNegative | None = child_text(default=None)  # octets
    width: UnsignedInt | None = child_text(default=None)  # pixels
    height: UnsignedInt | None = child_text(default=None)
    dimensions: str | None = child_text(default=None)  # COMPAT: stickers, of an older version
    length: NonNegative | None = child_text(default=None)  # milliseconds
    hashes: tuple[Hash, ...] = children(default=())
    desc: str | None = child_text(default=None)
    thumbnails: tuple[Thumbnail, ...] = children(default=())


@payload(NS_URL, "url-data")
class UrlData:
    """It can be had by HTTP (XEP-0103); `more`: how, see `urls`."""

    target: str = attr()
    sid: str | None = attr(default=None)
    desc: str | None = child_text(default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "sources")
class Sources:
    """Where it can be had (§3.2); `more`: by other protocols, such as `publishing`."""

    id: str | None = attr(default=None)
    urls: tuple[UrlData, ...] = children(default=())
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "file-sharing")
class FileSharing:
    """On a message: a file (§3.1). `id` tells several of one message apart."""

    file: File = child()
    disposition: str | None = attr(default=None)  # "inline" or "attachment"
    id: str | None = attr(default=None)
    sources: Sources | None = child(default=None)
