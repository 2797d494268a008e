"""HTTP scheme for URL data: with what a URL is to be fetched."""

from __future__ import annotations

from ..core.payload import attr, children, payload, text
from . import Spec

SPEC = Spec("XEP-0104", "0.3", "HTTP Scheme for URL Data")
NS = "http://jabber.org/protocol/url-data/scheme/http"


@payload(NS, "auth-param")
class AuthParameter:
    """Something that the scheme wants to know (§5.3)."""

    name: str = attr()
    value: str = attr()


@payload(NS, "auth")
class Auth:
    """How to log in (§5.2)."""

    scheme: str = attr()
    parameters: tuple[AuthParameter, ...] = children(default=())


@payload(NS, "cookie")
class Cookie:
    """A cookie to send (§5.4)."""

    name: str = attr()
    value: str = attr()
    comment: str | None = attr(default=None)
    domain: str | None = attr(default=None)
    max_age: int | None = attr("max-age", default=None)
    path: str | None = attr(default=None)
    secure: bool = attr(default=False)
    version: str | None = attr(default=None)


@payload(NS, "header")
class Header:
    """A header field to send (§5.5); its value also as text."""

    name: str = attr()
    value: str | None = attr(default=None)
    text: str = text(default="")
