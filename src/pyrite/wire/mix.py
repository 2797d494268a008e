"""Mediated information exchange: channels, whose participants need not be there."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import attr, child, child_text, children, payload
from . import Spec
from .dataforms import Form

SPEC = Spec("XEP-0369", "0.14.6", "Mediated Information eXchange (MIX)")
SPEC_PRESENCE = Spec("XEP-0403", "0.3.2", "Mediated Information eXchange (MIX): Presence Support.")
SPEC_ANONYMOUS = Spec(
    "XEP-0404", "0.3.1", "Mediated Information eXchange (MIX): JID Hidden Channels."
)
SPEC_SERVER = Spec(
    "XEP-0405", "0.5.3", "Mediated Information eXchange (MIX): Participant Server Requirements"
)
NS = "urn:xmpp:mix:core:1"
NS_PRESENCE = "urn:xmpp:mix:presence:0"
NS_ANONYMOUS = "urn:xmpp:mix:anon:0"
NS_SERVER = "urn:xmpp:mix:pam:2"
NS_ROSTER = "urn:xmpp:mix:roster:0"

#: The nodes of a channel (§4.7).
MESSAGES, PARTICIPANTS, INFO, ALLOWED, BANNED, CONFIG, PRESENCE = (
    f"urn:xmpp:mix:nodes:{name}"
    for name in ("messages", "participants", "info", "allowed", "banned", "config", "presence")
)


@payload(NS, "subscribe")
class Subscribe:
    """Tell me of what is at that node."""

    node: str = attr()


@payload(NS, "unsubscribe")
class Unsubscribe:
    """Tell me of it no more."""

    node: str = attr()


@payload(NS, "join")
class Join:
    """Let me take part; in the answer, as whom (§7.1.2)."""

    id: str | None = attr(default=None)
    jid: JID | None = attr(default=None)
    subscriptions: tuple[Subscribe, ...] = children(default=())
    nick: str | None = child_text(default=None)


@payload(NS, "update-subscription")
class UpdateSubscription:
    """Of some nodes, and no more of others (§7.1.2)."""

    jid: JID | None = attr(default=None)
    subscribe: tuple[Subscribe, ...] = children(default=())
    unsubscribe: tuple[Unsubscribe, ...] = children(default=())


@payload(NS, "leave")
class Leave:
    """I take part no more (§7.1.3)."""


@payload(NS, "setnick")
class SetNick:
    """My name here, or in the answer the one that it became (§7.1.4)."""

    nick: str = child_text()


@payload(NS, "mix")
class Mix:
    """On a message from a channel: who said it (§7.1.6)."""

    nick: str | None = child_text(default=None)
    jid: JID | None = child_text(default=None)


@payload(NS, "participant")
class Participant:
    """Who takes part, by the id of the item (§6.6)."""

    nick: str | None = child_text(default=None)
    jid: JID | None = child_text(default=None)


@payload(NS, "create")
class Create:
    """A channel is wanted, of that name or of any (§7.3.2)."""

    channel: str | None = attr(default=None)


@payload(NS, "destroy")
class Destroy:
    """It is to go (§7.3.4)."""

    channel: str = attr()


@payload(NS_PRESENCE, "mix")
class PresenceMix:
    """On presence from a channel: whose it is (XEP-0403 §3.3)."""

    jid: JID | None = child_text(default=None)
    nick: str | None = child_text(default=None)


# --- where nobody need know who somebody is (XEP-0404) ----------------------------------------


@payload(NS_ANONYMOUS, "participant")
class RealParticipant:
    """Who somebody is, for those who may know (XEP-0404 §2.5)."""

    jid: JID = child_text()


@payload(NS_ANONYMOUS, "subscribe")
class AnonymousSubscribe:
    """Tell me of what is at that node."""

    node: str = attr()


@payload(NS_ANONYMOUS, "join")
class AnonymousJoin:
    """As `Join`, with what one wants to be known of oneself (XEP-0404 §3.1)."""

    jid: JID | None = attr(default=None)
    subscriptions: tuple[AnonymousSubscribe, ...] = children(default=())
    nick: str | None = child_text(default=None)
    form: Form | None = child(default=None)


@payload(NS_ANONYMOUS, "user-preference")
class Preferences:
    """What one wants to be known of oneself (XEP-0404 §3.1)."""

    form: Form | None = child(default=None)


# --- by way of one's own server (XEP-0405) ----------------------------------------------------


@payload(NS_SERVER, "client-join")
class ClientJoin:
    """Let the account take part (XEP-0405 §2.7)."""

    channel: JID | None = attr(default=None)
    join: Join | None = child(default=None)


@payload(NS_SERVER, "client-leave")
class ClientLeave:
    """Let it take part no more (XEP-0405 §2.8)."""

    channel: JID | None = attr(default=None)
    leave: Leave | None = child(default=None)


@payload(NS_ROSTER, "annotate")
class Annotate:
    """When a roster is asked for: say which items are channels (XEP-0405 §2.9)."""


@payload(NS_ROSTER, "channel")
class RosterChannel:
    """In an item of a roster: it is a channel, and who one is there (XEP-0405 §2.9)."""

    participant_id: str = attr("participant-id")
