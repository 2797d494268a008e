"""A stream in pairs of HTTP requests and answers (XEP-0124), as XMPP uses it (XEP-0206)."""

from __future__ import annotations

from ..core.payload import anything, attr, lang, payload
from ..core.values import NonNegative
from ..core.xml import Element, quote
from . import Spec

SPEC = Spec("XEP-0124", "1.11.2", "Bidirectional-streams Over Synchronous HTTP (BOSH)")
SPEC_XMPP = Spec("XEP-0206", "1.4", "XMPP Over BOSH")
NS = "http://jabber.org/protocol/httpbind"
NS_XMPP = "urn:xmpp:xbosh"
VERSION = "1.11"
CONTENT_TYPE = "text/xml; charset=utf-8"


@payload(NS, "body")
class Body:
    """What both directions wrap elements in (XEP-0124 §6), with the marks of XMPP (XEP-0206)."""

    rid: NonNegative | None = attr(default=None)
    sid: str | None = attr(default=None)
    to: str | None = attr(default=None)
    sender: str | None = attr("from", default=None)
    version: str | None = attr("ver", default=None)
    wait: NonNegative | None = attr(default=None)
    hold: NonNegative | None = attr(default=None)
    requests: NonNegative | None = attr(default=None)
    inactivity: NonNegative | None = attr(default=None)
    polling: NonNegative | None = attr(default=None)
    ack: NonNegative | None = attr(default=None)
    maxpause: NonNegative | None = attr(default=None)
    pause: NonNegative | None = attr(default=None)
    report: NonNegative | None = attr(default=None)
    time: NonNegative | None = attr(default=None)
    content: str | None = attr(default=None)
    accept: str | None = attr(default=None)
    charsets: str | None = attr(default=None)
    route: str | None = attr(default=None)
    stream: str | None = attr(default=None)
    key: str | None = attr(default=None)
    newkey: str | None = attr(default=None)
    authid: str | None = attr(default=None)
    type: str | None = attr(default=None)
    condition: str | None = attr(default=None)
    xmpp: str | None = attr(f"{{{NS_XMPP}}}version", default=None)
    restart: bool | None = attr(f"{{{NS_XMPP}}}restart", default=None)
    restartlogic: bool | None = attr(f"{{{NS_XMPP}}}restartlogic", default=None)
    lang: str | None = lang(default=None)
    elements: tuple[Element, ...] = anything(default=())


def request(body: Body, *texts: str) -> str:
    """A request with elements that are written already.

    COMPAT: ejabberd knows the attributes of XEP-0206 only by this prefix.
    """
    named: dict[str, object] = {
        "rid": body.rid,
        "sid": body.sid,
        "to": body.to,
        "ver": body.version,
        "wait": body.wait,
        "hold": body.hold,
        "content": body.content,
        "type": body.type,
        "xml:lang": body.lang,
        "xmpp:version": body.xmpp,
        "xmpp:restart": "true" if body.restart else None,
    }
    attrs = "".join(f' {k}="{quote(str(v))}"' for k, v in named.items() if v is not None)
    return f'<body xmlns="{NS}" xmlns:xmpp="{NS_XMPP}"{attrs}>{"".join(texts)}</body>'
