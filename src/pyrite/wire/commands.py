"""Ad-hoc commands: what somebody can be told to do, step by step, with forms."""

from __future__ import annotations

from typing import Literal

from ..core.errors import StanzaError
from ..core.payload import attr, child, children, flag, payload, text
from ..core.xml import Element, Name
from . import Spec
from .dataforms import Form

SPEC = Spec("XEP-0050", "1.3.0", "Ad-Hoc Commands")
SPEC_ADMINISTRATION = Spec("XEP-0133", "1.3.0", "Service Administration")
NS = "http://jabber.org/protocol/commands"
NS_ADMIN = "http://jabber.org/protocol/admin"

Action = Literal["execute", "prev", "next", "complete", "cancel"]
Status = Literal["executing", "completed", "canceled"]


@payload(NS, "actions")
class Actions:
    """What may be done next (§3.4): `execute` is what is done where nothing is said."""

    execute: Literal["prev", "next", "complete"] | None = attr(default=None)
    prev: bool = flag(default=False)
    next: bool = flag(default=False)
    complete: bool = flag(default=False)


@payload(NS, "note")
class Note:
    """Words for a person (§3.5)."""

    text: str = text(default="")
    type: Literal["info", "warn", "error"] = attr(default="info")


@payload(NS, "command")
class Command:
    """One step of a command, either way (§4)."""

    node: str = attr()
    sessionid: str | None = attr(default=None)
    action: Action | None = attr(default=None)
    status: Status | None = attr(default=None)
    actions: Actions | None = child(default=None)
    notes: tuple[Note, ...] = children(default=())
    form: Form | None = child(default=None)


def refusal(condition: str, app: str, words: str = "") -> StanzaError:
    """An error with this protocol's own word in it: ``bad-action``, ``bad-payload``,
    ``bad-sessionid``, ``malformed-action``, ``session-expired`` (§4.4)."""
    return StanzaError(condition, words, app=Element(Name(NS, app)))


def admin_node(name: str) -> str:
    """The node of a command of service administration: ``add-user`` (XEP-0133 §3)."""
    return f"{NS_ADMIN}#{name}"
