"""Publishing Jingle sessions: what can be had from a client, by asking it to begin."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import anything, attr, child_text, children, lang, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0358", "0.7.0", "Publishing Available Jingle Sessions")
NS = "urn:xmpp:jinglepub:1"


@payload(NS, "meta")
class Meta:
    """What it is, in words."""

    title: str = attr()
    summary: str | None = attr(default=None)
    lang: str | None = lang(default=None)


@payload(NS, "jinglepub")
class Published:
    """A session that `sender` begins for who asks for it (§2.1)."""

    sender: JID = attr("from")
    id: str = attr()
    title: str | None = attr(default=None)
    description: str | None = attr(default=None)
    metas: tuple[Meta, ...] = children(default=())
    uri: str | None = child_text(default=None)
    contents: tuple[Element, ...] = anything(default=())  # descriptions, as `jingle` has them


@payload(NS, "start")
class Start:
    """Begin it (§2.2)."""

    id: str = attr()


@payload(NS, "starting")
class Starting:
    """It begins, as the session `sid` (§2.2)."""

    sid: str = attr()
