"""Fastening: something that is about an earlier message, such as what it links to."""

from __future__ import annotations

from ..core.payload import anything, attr, children, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0422", "0.2.0", "Message Fastening")
SPEC_ATTACHING = Spec("XEP-0367", "0.3", "Message Attaching")
NS = "urn:xmpp:fasten:0"
NS_ATTACHING = "urn:xmpp:message-attaching:1"


@payload(NS, "external")
class External:
    """What is beside this and of that name belongs to it (§3.2)."""

    name: str = attr()
    ns: str | None = attr("element-namespace", default=None)


@payload(NS, "apply-to")
class ApplyTo:
    """What is said of the message of that id; `clear`: no more (§3)."""

    id: str = attr()
    clear: bool = attr(default=False)
    shell: bool = attr(default=False)  # what is within was encrypted, and is elsewhere (§3.5)
    external: tuple[External, ...] = children(default=())
    content: tuple[Element, ...] = anything(default=())


@payload(NS_ATTACHING, "attach-to")
class AttachTo:
    """The whole message is shown with the one of that id (XEP-0367 §3)."""

    id: str = attr()
