"""Calls: that somebody wants to talk, before a session is made of it."""

from __future__ import annotations

from ..core.jid import JID
from ..core.payload import anything, attr, child, children, flag, payload
from ..core.xml import Element
from . import Spec
from .jingle import Reason

SPEC = Spec("XEP-0353", "0.8.0", "Jingle Message Initiation")
SPEC_INVITES = Spec("XEP-0482", "0.1.0", "Call Invites")
NS = "urn:xmpp:jingle-message:0"
NS_INVITES = "urn:xmpp:call-invites:0"


@payload(NS, "propose")
class Propose:
    """To all of somebody's clients: let us talk, in these ways (XEP-0353 §3.1)."""

    id: str = attr()
    descriptions: tuple[Element, ...] = anything(default=())


@payload(NS, "ringing")
class Ringing:
    """A client shows it (§3.2)."""

    id: str = attr()


@payload(NS, "retract")
class Retract:
    """Who wanted to talk wants no more (§3.3)."""

    id: str = attr()
    reason: Reason | None = child(default=None)
    is_tie: bool = flag("tie-break", default=False)


@payload(NS, "proceed")
class Proceed:
    """A client takes the call: the others stop (§3.4)."""

    id: str = attr()


@payload(NS, "accept")
class Accepted:
    """COMPAT: older clients, which tell the account's other ones so that the call is taken."""

    id: str = attr()


@payload(NS, "reject")
class Reject:
    """It is not wanted, at any client (§3.5); or another one was there first (§4)."""

    id: str = attr()
    reason: Reason | None = child(default=None)
    is_tie: bool = flag("tie-break", default=False)


@payload(NS, "migrated")
class Migrated:
    """It goes on as another one (§4.2)."""

    to: str = attr()


@payload(NS, "finish")
class Finish:
    """The session is over (§3.7)."""

    id: str = attr()
    reason: Reason | None = child(default=None)
    migrated: Migrated | None = child(default=None)


# --- to a room, or to a meeting elsewhere (XEP-0482) ------------------------------------------


@payload(NS_INVITES, "jingle")
class Session:
    """A session, with a client or with what mixes the voices (XEP-0482 §2.1)."""

    sid: str | None = attr(default=None)
    jid: JID | None = attr(default=None)


@payload(NS_INVITES, "external")
class External:
    """A meeting in another program (XEP-0482 §2.1)."""

    uri: str = attr()


@payload(NS_INVITES, "invite")
class Invite:
    """Come to a call, in one of these ways (XEP-0482 §2.1)."""

    video: bool = attr(default=False)
    sessions: tuple[Session, ...] = children(default=())
    external: tuple[External, ...] = children(default=())
    more: tuple[Element, ...] = anything(default=())


@payload(NS_INVITES, "retract")
class InviteRetracted:
    """Nobody need come any more (XEP-0482 §2.2)."""

    id: str = attr()


@payload(NS_INVITES, "accept")
class Accept:
    """I come, this way (XEP-0482 §2.3)."""

    id: str = attr()
    session: Session | None = child(default=None)
    external: External | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS_INVITES, "reject")
class InviteRejected:
    """I do not come (XEP-0482 §2.4)."""

    id: str = attr()


@payload(NS_INVITES, "left")
class Left:
    """I have left (XEP-0482 §2.5)."""

    id: str = attr()
