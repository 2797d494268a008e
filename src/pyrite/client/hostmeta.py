"""Where a domain can be reached through the web: its host-meta (XEP-0156, RFC 6415)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..core.errors import StreamError
from ..core.payload import name_of
from ..core.xml import Document, Element, Limits
from ..net import http
from ..net.tls import TlsError
from ..wire.hostmeta import BOSH, WEBSOCKET, HostMeta, Link
from .errors import ConnectionFailed

if TYPE_CHECKING:
    import aiohttp

_XRD, _LINK = name_of(HostMeta), name_of(Link)
MOST = 16  # addresses of one kind that are looked at
SCHEMES: Mapping[str, tuple[str, str]] = {  # relation -> with encryption, and in the clear
    WEBSOCKET: ("wss", "ws"),
    BOSH: ("https", "http"),
}
_LIMITS = Limits(octets=http.MAX_DOCUMENT, elements=1000)


async def discover(
    session: aiohttp.ClientSession, domain: str, relation: str, *, encrypted: bool = True
) -> list[str]:
    """URLs of that `relation`, in their order; only what is encrypted, unless told otherwise.

    Raises `ConnectionFailed` where the domain names none.
    """
    reasons: list[Exception] = []
    for name, read in (("host-meta.json", read_json), ("host-meta", read_xml)):
        try:
            data = await http.document(session, f"https://{domain}/.well-known/{name}")
            if found := _usable(read(data), relation, encrypted):
                return found
        except (OSError, TlsError, ValueError) as error:
            reasons.append(error)
    said = "; ".join(str(reason) for reason in reasons)
    kind = SCHEMES[relation][0]
    raise ConnectionFailed(
        f"{domain} names no {kind} address{f': {said}' if said else ''}", tuple(reasons)
    )


def _usable(links: list[tuple[str, str]], relation: str, encrypted: bool) -> list[str]:
    schemes = SCHEMES[relation][: 1 if encrypted else 2]
    found = [url for kind, url in links if kind == relation and _scheme(url) in schemes]
    return found[:MOST]


def _scheme(url: str) -> str:
    try:
        parts = urlsplit(url)
        return parts.scheme if parts.hostname else ""
    except ValueError:
        return ""


def read_json(data: bytes) -> list[tuple[str, str]]:
    """Relations and addresses (RFC 6415 Appendix A). Raises ValueError."""
    try:
        links = json.loads(data).get("links", [])
        pairs = [(link.get("rel"), link.get("href")) for link in links]
    except (AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"not a host-meta: {error}") from None
    return [(rel, href) for rel, href in pairs if isinstance(rel, str) and isinstance(href, str)]


def read_xml(data: bytes) -> list[tuple[str, str]]:
    """Relations and addresses (RFC 6415 §2). Raises ValueError."""
    document = Document({None: (_XRD,)}, _LIMITS)
    try:
        parts = document.feed(data)
        document.close()
    except StreamError as error:
        raise ValueError(f"not a host-meta: {error}") from None
    links = [one.attrs for one in parts if isinstance(one, Element) and one.name == _LINK]
    return [(a["rel"], a["href"]) for a in links if "rel" in a and "href" in a]
