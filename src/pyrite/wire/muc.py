"""Multi-User Chat: rooms, who is in them as what, and what a room says of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import anything, attr, child, child_text, children, payload
from ..core.stanza import Presence, Stanza
from ..core.values import NonNegative, UnsignedShort
from ..core.xml import Element
from . import Spec
from .dataforms import Form

SPEC = Spec("XEP-0045", "1.35.3", "Multi-User Chat")
SPEC_PING = Spec("XEP-0410", "1.1.0", "MUC Self-Ping (Schrödinger's Chat)")
NS = "http://jabber.org/protocol/muc"
NS_USER = f"{NS}#user"
NS_ADMIN = f"{NS}#admin"
NS_OWNER = f"{NS}#owner"
NS_REGISTER = f"{NS}#register"
NS_CONFIG = f"{NS}#roomconfig"
NS_SELF_PING = f"{NS}#self-ping-optimization"

Role = Literal["moderator", "participant", "visitor", "none"]
Affiliation = Literal["owner", "admin", "member", "none", "outcast"]

#: Status codes, those that are acted upon (§15.6).
REAL_JIDS = 100  # everybody here sees who everybody is
AFFILIATION_CHANGED = 101
OWN = 110  # this presence is the receiver's own
LOGGED = 170
NOT_LOGGED = 171
NOW_REAL_JIDS = 172
NOW_SEMI_ANONYMOUS = 173
CREATED = 201
RENAMED_BY_ROOM = 210
BANNED = 301
NICK_CHANGED = 303
KICKED = 307
NO_LONGER_MEMBER = 321
MEMBERS_ONLY = 322
SHUT_DOWN = 332
FAILED = 333
CONFIGURED = frozenset({102, 103, 104, 170, 171, 172, 173, 174})

#: All of them, in words for people.
STATUS: dict[int, str] = {
    REAL_JIDS: "everybody here sees everybody's address",
    AFFILIATION_CHANGED: "your affiliation was changed while you were away",
    102: "members who are not here are shown",
    103: "members who are not here are not shown any more",
    104: "the settings were changed",
    OWN: "this is about you",
    LOGGED: "what is said here is logged",
    NOT_LOGGED: "what is said here is not logged any more",
    NOW_REAL_JIDS: "everybody sees everybody's address now",
    NOW_SEMI_ANONYMOUS: "only moderators see addresses now",
    174: "nobody sees addresses now",  # until version 1.25
    CREATED: "the room was made",
    RENAMED_BY_ROOM: "the room has chosen your nick",
    BANNED: "banned",
    NICK_CHANGED: "has another nick now",
    KICKED: "kicked",
    NO_LONGER_MEMBER: "removed, for the affiliation was changed",
    MEMBERS_ONLY: "removed, for the room is for members only now",
    SHUT_DOWN: "removed, for the service stops",
    FAILED: "removed, for the connection is broken",
}


@payload(NS, "history")
class History:
    """How much of what was said before is wanted (§7.2.13)."""

    maxchars: NonNegative | None = attr(default=None)
    maxstanzas: NonNegative | None = attr(default=None)
    seconds: NonNegative | None = attr(default=None)
    since: datetime | None = attr(default=None)


@payload(NS, "x")
class Join:
    """On presence to a nick in a room: let me in (§7.2)."""

    password: str | None = child_text(default=None)
    history: History | None = child(default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS_USER, "actor")
class Actor:
    """Who did it: a moderator's nick, and perhaps address (§8.2)."""

    nick: str | None = attr(default=None)
    jid: JID | None = attr(default=None)


@payload(NS_USER, "item")
class Item:
    """What an occupant is here, or has become (§7.2.2)."""

    affiliation: Affiliation | None = attr(default=None)
    jid: JID | None = attr(default=None)
    nick: str | None = attr(default=None)
    role: Role | None = attr(default=None)
    actor: Actor | None = child(default=None)
    reason: str | None = child_text(default=None)


@payload(NS_USER, "status")
class Status:
    """Something to know, by its number."""

    code: UnsignedShort = attr()


@payload(NS_USER, "continue")
class Continue:
    """The room goes on with a conversation of two (§7.9)."""

    thread: str | None = attr(default=None)


@payload(NS_USER, "invite")
class Invite:
    """To the room: invite `to`; from it: `sender` invites the receiver (§7.8.2)."""

    sender: JID | None = attr("from", default=None)
    to: JID | None = attr(default=None)
    reason: str | None = child_text(default=None)
    goes_on: Continue | None = child(default=None)


@payload(NS_USER, "decline")
class Decline:
    """An invitation was not taken (§7.8.2)."""

    sender: JID | None = attr("from", default=None)
    to: JID | None = attr(default=None)
    reason: str | None = child_text(default=None)


@payload(NS_USER, "destroy")
class Gone:
    """The room is no more; perhaps there is another (§10.9)."""

    jid: JID | None = attr(default=None)
    reason: str | None = child_text(default=None)
    password: str | None = child_text(default=None)


@payload(NS_USER, "x")
class User:
    """What a room says of an occupant, of an invitation or of itself.

    Also on what one occupant says to another in private (§7.5), empty. More than one item says
    how somebody stands who is not there, as `roomactivity` asks for.
    """

    items: tuple[Item, ...] = children(default=())
    destroyed: Gone | None = child(default=None)
    invites: tuple[Invite, ...] = children(default=())
    decline: Decline | None = child(default=None)
    password: str | None = child_text(default=None)
    statuses: tuple[Status, ...] = children(default=())
    more: tuple[Element, ...] = anything(default=())

    @property
    def item(self) -> Item | None:
        """What the occupant is whose presence this is on."""
        return self.items[0] if self.items else None

    @property
    def codes(self) -> frozenset[int]:
        return frozenset(status.code for status in self.statuses)


@payload(NS_ADMIN, "actor")
class AdminActor:
    """Who put somebody on the list."""

    nick: str | None = attr(default=None)
    jid: JID | None = attr(default=None)


@payload(NS_ADMIN, "item")
class Entry:
    """Somebody on a list, or what somebody is to be (§9)."""

    affiliation: Affiliation | None = attr(default=None)
    jid: JID | None = attr(default=None)
    nick: str | None = attr(default=None)
    role: Role | None = attr(default=None)
    actor: AdminActor | None = child(default=None)
    reason: str | None = child_text(default=None)


@payload(NS_ADMIN, "query")
class Admin:
    """A list of those with a role or an affiliation, or changes to it (§8, §9)."""

    items: tuple[Entry, ...] = children(default=())


@payload(NS_OWNER, "destroy")
class Destroy:
    """End the room for good (§10.9)."""

    jid: JID | None = attr(default=None)
    reason: str | None = child_text(default=None)
    password: str | None = child_text(default=None)


@payload(NS_OWNER, "query")
class Owner:
    """The room's settings, or its end (§10)."""

    form: Form | None = child(default=None)
    destroy: Destroy | None = child(default=None)


def user(stanza: Stanza) -> User | None:
    """What the room says in `stanza`; ``None`` where it says nothing that can be understood."""
    try:
        return stanza.get(User)
    except StanzaError:
        return None


def is_in(answer: StanzaError) -> bool | None:
    """Whether who pinged itself and was refused so is in the room (XEP-0410 §3.2).

    ``None``: nobody can say now, so try again later.
    """
    match answer.condition:
        case "service-unavailable" | "feature-not-implemented" | "item-not-found":
            return True
        case "remote-server-not-found" | "remote-server-timeout":
            return None
    return False


def joining(room: JID, password: str | None = None, history: History | None = None) -> Presence:
    """The presence that asks for the nick which is the resource of `room`."""
    return Presence(to=room).add(Join(password, history))
