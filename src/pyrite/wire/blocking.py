"""Blocking Command: people one does not want to hear from."""

from __future__ import annotations

from collections.abc import Collection

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import anything, attr, children, encode, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0191", "1.3", "Blocking Command")
NS = "urn:xmpp:blocking"
NS_ERRORS = "urn:xmpp:blocking:errors"

MAX_ITEMS = 1000  # of one request


@payload(NS, "item")
class Item:
    """One address: of a person, one of their resources, or a whole domain (§4).

    `more`: why, as `reporting` has it.
    """

    jid: JID = attr()
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "blocklist")
class Blocklist:
    """The question for all that is blocked, and the answer (§3.2)."""

    items: tuple[Item, ...] = children(default=())


@payload(NS, "block")
class Block:
    """Block these; as a push: these were blocked (§3.3)."""

    items: tuple[Item, ...] = children(default=())


@payload(NS, "unblock")
class Unblock:
    """Unblock these, or without any: all; as a push: it was done (§3.4, §3.5)."""

    items: tuple[Item, ...] = children(default=())


@payload(NS_ERRORS, "blocked")
class Blocked:
    """In the error that a user gets who writes to somebody they block (§3.3)."""


def wanted(request: Block | Unblock) -> tuple[JID, ...]:
    """The addresses in `request`, each once.

    Raises `StanzaError`: ``bad-request`` for a block of nobody (§3.3), ``not-acceptable`` for
    more than `MAX_ITEMS`.
    """
    if isinstance(request, Block) and not request.items:
        raise StanzaError("bad-request", "block whom?")
    if len(request.items) > MAX_ITEMS:
        raise StanzaError("not-acceptable", f"more than {MAX_ITEMS} addresses at once")
    return tuple(dict.fromkeys(item.jid for item in request.items))


def matches(blocked: Collection[JID], who: JID) -> bool:
    """Whether `who` is among `blocked`, most exact address first (§4)."""
    if not blocked:
        return False
    if who in blocked or who.bare in blocked:
        return True
    if who.resource is not None and JID(None, who.domain, who.resource) in blocked:
        return True
    return JID(None, who.domain) in blocked


def refusal() -> StanzaError:
    """What a user gets who writes to somebody they block (§3.3)."""
    return StanzaError(
        "not-acceptable", "you block this address", type="cancel", app=encode(Blocked())
    )
