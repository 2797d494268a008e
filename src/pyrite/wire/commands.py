"""Ad-hoc commands: what somebody can be told to do, step by step, with forms."""

from __future__ import annotations

from typing import Literal, get_args

from ..core.errors import StanzaError
from ..core.payload import anything, attr, child, children, flag, lang, payload, text
from ..core.xml import Element, Name
from . import Spec
from .dataforms import Form

SPEC = Spec("XEP-0050", "1.3.0", "Ad-Hoc Commands")
SPEC_ADMINISTRATION = Spec("XEP-0133", "1.3.0", "Service Administration")
NS = "http://jabber.org/protocol/commands"
NS_ADMIN = "http://jabber.org/protocol/admin"

Action = Literal["execute", "prev", "next", "complete", "cancel"]
Move = Literal["prev", "next", "complete"]
Status = Literal["executing", "completed", "canceled"]

ACTIONS: tuple[Action, ...] = get_args(Action)
MOVES: tuple[Move, ...] = get_args(Move)


@payload(NS, "actions")
class Actions:
    """What may be done next (§3.4): `execute` is what is done where nothing is said."""

    execute: Move | None = attr(default=None)
    prev: bool = flag(default=False)
    next: bool = flag(default=False)
    complete: bool = flag(default=False)

    @property
    def allowed(self) -> frozenset[Move]:
        return frozenset(name for name in MOVES if getattr(self, name))


def actions(*allowed: Move, usual: Move | None = None) -> Actions:
    """What may be done next, and what is done where nothing is said: `usual`, or the last."""
    names = frozenset(allowed)
    told = {name: name in names for name in MOVES}
    return Actions(usual or allowed[-1], told["prev"], told["next"], told["complete"])


@payload(NS, "note")
class Note:
    """Words for a person (§3.5)."""

    text: str = text(default="")
    type: Literal["info", "warn", "error"] = attr(default="info")


@payload(NS, "command")
class Command:
    """One step of a command, either way (§4).

    What is no `Action` or `Status` is for who reads it to refuse: there is a word for that. More
    than a form may be in it: `more` has the rest, as addresses of pages, or a roster.
    """

    node: str = attr()
    sessionid: str | None = attr(default=None)
    action: str | None = attr(default=None)
    status: str | None = attr(default=None)
    actions: Actions | None = child(default=None)
    notes: tuple[Note, ...] = children(default=())
    form: Form | None = child(default=None)
    lang: str | None = lang(default=None)
    more: tuple[Element, ...] = anything(default=())


def refusal(condition: str, app: str, words: str = "") -> StanzaError:
    """An error with this protocol's own word in it: ``bad-action``, ``bad-payload``,
    ``bad-sessionid``, ``malformed-action``, ``session-expired`` (§4.4)."""
    return StanzaError(condition, words, app=Element(Name(NS, app)))


def admin_node(name: str) -> str:
    """The node of a command of service administration: ``add-user`` (XEP-0133 §3)."""
    return f"{NS_ADMIN}#{name}"
