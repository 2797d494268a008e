"""Out of Band Data: here is a URL."""

from __future__ import annotations

from ..core.payload import attr, child_text, payload
from . import Spec

SPEC = Spec("XEP-0066", "1.5", "Out of Band Data")
NS_QUERY = "jabber:iq:oob"
NS = "jabber:x:oob"


@payload(NS, "x")
class XOob:
    """On a message, or beside a form: a URL and what it is (§3)."""

    url: str = child_text()
    desc: str | None = child_text(default=None)


@payload(NS_QUERY, "query")
class Query:
    """Asks the other side to fetch a URL (§2); `sid`: of the stream that it is for (§6)."""

    url: str = child_text()
    desc: str | None = child_text(default=None)
    sid: str | None = attr(default=None)
