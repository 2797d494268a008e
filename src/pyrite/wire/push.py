"""Push Notifications: what wakes a device whose client is not connected, and for what."""

from __future__ import annotations

from collections.abc import Callable

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import anything, attr, child, encode, payload
from ..core.stanza import NS as NS_CLIENT
from ..core.stanza import Message
from ..core.xml import Element
from . import Spec, carbons, hints
from .dataforms import Form, Value, submission
from .message import kind
from .pubsub import NS_PUBLISH_OPTIONS, Item, Publish, PublishOptions, PubSub

SPEC = Spec("XEP-0357", "0.4.1", "Push Notifications")
NS = "urn:xmpp:push:0"
NS_SUMMARY = "urn:xmpp:push:summary"

NS_CALL = "urn:xmpp:jingle-message:0"

#: Of a call, what somebody is to see or hear at once (XEP-0353): not that it rings elsewhere,
#: nor that it is over.
_CALL = frozenset({"propose", "proceed", "reject", "retract"})

#: What a service says when it cannot be reached, or cannot answer yet (RFC 6120 §8.3.3).
_PASSING = frozenset(
    {
        "internal-server-error",
        "recipient-unavailable",
        "remote-server-not-found",
        "remote-server-timeout",
        "resource-constraint",
        "service-unavailable",
        "undefined-condition",
    }
)


_NOTHING = frozenset({"none", "outcast"})  # affiliations that let nobody publish (XEP-0060 §4.1)


@payload(NS, "enable")
class Enable:
    """Publish at the node of a service from now on; `form` is what to say along (§5)."""

    jid: JID = attr()
    node: str | None = attr(default=None)
    form: Form | None = child(default=None)


@payload(NS, "disable")
class Disable:
    """Publish there no more; without a node, at no node of the service (§6)."""

    jid: JID = attr()
    node: str | None = attr(default=None)


@payload(NS, "notification")
class Notification:
    """What is published: that there is something, and in `form` a summary of it (§7)."""

    form: Form | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())


def check(enable: Enable, account: JID) -> None:
    """Raises `StanzaError` for what cannot be published as `account` asks for it.

    ``feature-not-implemented`` without a node, which XEP-0060 has no word for; ``bad-request``
    for the account itself as the service, or a form that is no publish options.
    """
    if not enable.node:
        raise StanzaError("feature-not-implemented", "a push service has a node")
    if enable.jid.bare == account.bare:
        raise StanzaError("bad-request", "a push service is somebody else")
    form = enable.form
    if form is not None and (form.type != "submit" or form.form_type != NS_PUBLISH_OPTIONS):
        raise StanzaError("bad-request", f"the form is a submission of {NS_PUBLISH_OPTIONS}")


def summary(
    count: int, *, requests: int | None = None, sender: JID | None = None, body: str | None = None
) -> Form:
    """How many messages wait, and what else may be told of the last of them (§7)."""
    values: dict[str, Value] = {"message-count": str(count)}
    if requests is not None:
        values["pending-subscription-count"] = str(requests)
    if sender is not None:
        values["last-message-sender"] = sender
    if body is not None:
        values["last-message-body"] = body
    return submission(NS_SUMMARY, values)


def publication(enable: Enable, form: Form) -> PubSub:
    """What to publish as `enable` asks for it (§7)."""
    item = Item(payload=encode(Notification(form)))
    options = PublishOptions(enable.form) if enable.form is not None else None
    return PubSub(Publish(enable.node or "", (item,)), options)


def is_final(error: StanzaError) -> bool:
    """Whether a service that answers so is to be asked no more (§7.1).

    The others, which say that it cannot be reached or is busy, may pass.
    """
    return error.type != "wait" and error.condition not in _PASSING


def withdrawn(message: Message, account: JID) -> str | None:
    """The node at which the sender of `message` lets nobody publish for `account` any more (§8).

    ``None`` for whatever else it says.
    """
    try:
        told = message.get(PubSub)
    except StanzaError:
        return None
    if told is None or message.type == "error":
        return None
    where, who = told.node, told.bare
    if told.affiliations is not None:
        where, who = told.affiliations.node, told.affiliations.each
    is_over = any(each.jid == account and each.affiliation in _NOTHING for each in who)
    return where if is_over else None


def is_worth_waking(message: Message, owner: JID) -> bool:
    """Whether somebody who is away wants to know of `message` at once.

    That is what people say or want to be called for, whether or not its words can be read here.
    Not what the account's own clients say, copies, headlines, errors, nor what its sender wants
    kept nowhere: there would be nothing to be found.
    """
    if kind(message) in ("error", "headline") or hints.may_wait(message) is False:
        return False
    if message.sender is not None and message.sender.bare == owner:
        return False
    return any(_says_something(element) for element in message.payloads)


def _says_something(element: Element) -> bool:
    says = _SAYS.get(element.name.ns)
    return says is not None and says(element)


def _is_there(_: Element) -> bool:
    return True


def _has_payload(element: Element) -> bool:
    """Without one, OMEMO only exchanges keys (XEP-0384 §5.6)."""
    return any(inner.name.tag == "payload" for inner in element.elements)


def _invites(element: Element) -> bool:
    return any(inner.name.tag == "invite" for inner in element.elements)


#: Namespace of a payload -> whether it says something.
_SAYS: dict[str, Callable[[Element], bool]] = {
    NS_CLIENT: lambda element: element.name.tag == "body" and bool(element.text),
    NS_CALL: lambda element: element.name.tag in _CALL,
    carbons.NS_INVITATION: _is_there,
    carbons.NS_ROOM_USER: _invites,
    "eu.siacs.conversations.axolotl": _has_payload,
    "urn:xmpp:omemo:1": _has_payload,
    "urn:xmpp:omemo:2": _has_payload,
    "urn:xmpp:openpgp:0": _is_there,
    "jabber:x:encrypted": _is_there,
}
