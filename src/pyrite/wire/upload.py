"""HTTP File Upload: a place for a file on the server, to put it to and to get it from."""

from __future__ import annotations

from datetime import datetime

from ..core.payload import attr, child, child_text, children, payload, text
from ..core.values import NonNegative, PositiveInt
from . import Spec, disco

SPEC = Spec("XEP-0363", "1.2.0", "HTTP File Upload")
NS = "urn:xmpp:http:upload:0"
NS_PURPOSE = "urn:xmpp:http:upload:purpose:0"

ALLOWED = {name.lower(): name for name in ("Authorization", "Cookie", "Expires")}  # headers (§5)


@payload(NS_PURPOSE, "message")
class ForMessage:
    """It goes to somebody with a message (§5)."""


@payload(NS_PURPOSE, "profile")
class ForProfile:
    """It is to be had as long as it is the account's, such as a picture (§5)."""


@payload(NS_PURPOSE, "ephemeral")
class Ephemeral:
    """It may go soon, at this time at the latest (§5)."""

    expire_before: datetime | None = attr("expire-before", default=None)


@payload(NS_PURPOSE, "permanent")
class Permanent:
    """It is to stay for good (§5)."""


Purpose = ForMessage | ForProfile | Ephemeral | Permanent


@payload(NS, "request")
class Request:
    """A place for a file of exactly this size is wanted (§4)."""

    filename: str = attr()
    size: PositiveInt = attr()
    content_type: str | None = attr("content-type", default=None)
    purpose: Purpose | None = child(default=None)


@payload(NS, "header")
class Header:
    """A header field of the PUT (§5)."""

    name: str = attr()
    value: str = text(default="")


@payload(NS, "put")
class Put:
    """Where to put it, with these header fields (§5)."""

    url: str = attr()
    headers: tuple[Header, ...] = children(default=())


@payload(NS, "get")
class Get:
    """Where everybody gets it (§5)."""

    url: str = attr()


@payload(NS, "slot")
class Slot:
    """The place (§5)."""

    put: Put = child()
    get: Get = child()


@payload(NS, "file-too-large")
class FileTooLarge:
    """In an error: the file is larger than any may be (§6)."""

    max_file_size: NonNegative | None = child_text("max-file-size", default=None)


@payload(NS, "retry")
class Retry:
    """In an error: not before then (§6)."""

    stamp: datetime = attr()


def headers(put: Put) -> dict[str, str]:
    """The header fields that may be sent, without line breaks; others are ignored (§5, §12)."""
    found: dict[str, str] = {}
    for header in put.headers:
        name = ALLOWED.get(_one_line(header.name).lower())
        if name is not None:
            found[name] = _one_line(header.value)
    return found


def _one_line(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()


def limit(info: disco.Info) -> int | None:
    """The octets that a file may have, where the service says so (§4)."""
    for form in info.forms:
        size = form.value("max-file-size").strip()
        if form.form_type == NS and size.isascii() and size.isdigit():
            return int(size[:19])
    return None
