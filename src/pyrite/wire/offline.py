"""Offline messages: which are worth keeping, and how a client fetches them one by one."""

from __future__ import annotations

from typing import Literal

from ..core.errors import StanzaError
from ..core.payload import attr, children, flag, payload
from ..core.stanza import Message
from . import Spec, carbons, chatstates, hints
from .dataforms import Field, result
from .disco import Identity, Info, info
from .message import kind

SPEC = Spec("XEP-0013", "1.3", "Flexible Offline Message Retrieval")
SPEC_KEEPING = Spec("XEP-0160", "1.0.1", "Best Practices for Handling Offline Messages")
NS = "http://jabber.org/protocol/offline"

MAX_ITEMS = 1000  # of one request


@payload(NS, "item")
class Item:
    """One message by its node: what to do with it, or on a message: which it is (§2.4)."""

    node: str = attr()
    action: Literal["view", "remove"] | None = attr(default=None)


@payload(NS, "offline")
class Offline:
    """A request about messages, and the mark on a message that answers one (§2.4 to §2.7)."""

    items: tuple[Item, ...] = children(default=())
    fetch: bool = flag(default=False)
    purge: bool = flag(default=False)


Request = tuple[Literal["view", "remove", "fetch", "purge"], tuple[str, ...]]


def request_of(offline: Offline, iq_type: str | None) -> Request:
    """What to do and with which nodes; ``fetch`` and ``purge`` name none: all.

    Raises `StanzaError` ``bad-request`` if it is not one thing, or does not suit its IQ type.
    """
    actions = {item.action for item in offline.items}
    wishes = (
        actions | ({"fetch"} if offline.fetch else set()) | ({"purge"} if offline.purge else set())
    )
    if len(wishes) != 1 or len(offline.items) > MAX_ITEMS:
        raise StanzaError("bad-request", "one wish at a time")
    (wish,) = wishes
    nodes = tuple(dict.fromkeys(item.node for item in offline.items))
    match wish, iq_type:
        case ("view" | "fetch", "get") | ("remove" | "purge", "set"):
            return wish, nodes  # type: ignore[return-value]
    raise StanzaError("bad-request", "view and fetch are gets, remove and purge are sets")


def count_info(count: int) -> Info:
    """What the node `NS` of an account answers: how many messages wait (§2.2)."""
    form = result(NS, Field("number_of_messages", values=(str(count),)))
    return info([Identity("automation", "message-list")], [NS], [form], NS)


def count(answer: Info) -> int | None:
    """How many messages wait, by the answer of a server; ``None`` if it does not say."""
    form = answer.form(NS)
    text = form.value("number_of_messages") if form else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def is_worth_keeping(message: Message) -> bool:
    """Whether a message for somebody who is away is to be kept for them (XEP-0160 §3).

    Normal and chat messages are, unless they say nothing but a chat state; the sender's hints
    decide before anything else.
    """
    wish = hints.may_wait(message)
    if wish is not None:
        return wish
    if kind(message) not in ("normal", "chat"):
        return False
    return any(
        not chatstates.says_nothing(element) and element.name.ns != carbons.NS
        for element in message.payloads
    )
