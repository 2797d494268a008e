"""What a server does with a stanza for an account of its own: one table (RFC 6121 §8.5).

Where the table of the RFC leaves a choice, this one is such that the answer never tells
whether an account exists: what is kept for an absent user in silence is dropped in silence
for nobody, and what is refused for nobody is refused for an absent user too.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from ..core.stanza import Iq, Message, Presence, Stanza
from . import Spec
from .message import kind as message_kind
from .subscription import KINDS as SUBSCRIPTION_KINDS

SPEC = Spec("RFC 6121", "2011-03", "XMPP: Instant Messaging and Presence, §8.5 local delivery")

NS_ROOM_USER = "http://jabber.org/protocol/muc#user"


class Target(Enum):
    """What is there when a stanza comes for ``localpart@domain`` or one of its resources."""

    NO_ACCOUNT = "the account does not exist"
    ABSENT = "no resource is available"
    NEGATIVE = "only resources of negative priority are available"
    PRESENT = "at least one resource of non-negative priority is available"
    #: Only for a full address: exactly this resource is connected, whatever else is there.
    MATCH = "the resource is connected"


class Action(Enum):
    """What to do. No action changes the stanza's ``to`` (§8.5.2.1.1)."""

    IGNORE = "drop it in silence"
    REFUSE = "answer service-unavailable"
    STORE = "keep it for later, or answer service-unavailable if it cannot be kept"
    DELIVER = "to the resource in the address"
    DELIVER_WILLING = "to each available resource of non-negative priority"
    DELIVER_AVAILABLE = "to each available resource, of any priority"
    SERVER = "the server answers for the account"
    SUBSCRIPTION = "the subscription rules decide, for the bare address (appendix A)"
    PROBE = "answer with the account's presence, if it may be seen (§4.3.2)"
    UNSUBSCRIBED = "answer the probe with unsubscribed (§4.3.2)"


_A, _T = Action, Target
_COLUMNS = (_T.NO_ACCOUNT, _T.ABSENT, _T.NEGATIVE, _T.PRESENT)

#: For a bare address: kind of stanza -> action, in the order of `_COLUMNS`.
_BARE: dict[str, tuple[Action, Action, Action, Action]] = {
    "message/normal": (_A.IGNORE, _A.STORE, _A.STORE, _A.DELIVER_WILLING),
    "message/chat": (_A.IGNORE, _A.STORE, _A.STORE, _A.DELIVER_WILLING),
    "message/occupant": (_A.IGNORE, _A.STORE, _A.STORE, _A.DELIVER_WILLING),
    "message/headline": (_A.IGNORE, _A.IGNORE, _A.IGNORE, _A.DELIVER_WILLING),
    "message/groupchat": (_A.REFUSE, _A.REFUSE, _A.REFUSE, _A.REFUSE),
    "message/error": (_A.IGNORE, _A.IGNORE, _A.IGNORE, _A.IGNORE),
    "presence/available": (_A.IGNORE, _A.IGNORE, _A.DELIVER_AVAILABLE, _A.DELIVER_AVAILABLE),
    "presence/error": (_A.IGNORE, _A.IGNORE, _A.IGNORE, _A.IGNORE),
    "presence/subscribe": (_A.IGNORE, _A.SUBSCRIPTION, _A.SUBSCRIPTION, _A.SUBSCRIPTION),
    "presence/subscription": (_A.IGNORE, _A.SUBSCRIPTION, _A.SUBSCRIPTION, _A.SUBSCRIPTION),
    "presence/probe": (_A.UNSUBSCRIBED, _A.PROBE, _A.PROBE, _A.PROBE),
    "iq/request": (_A.REFUSE, _A.SERVER, _A.SERVER, _A.SERVER),
    "iq/answer": (_A.IGNORE, _A.SERVER, _A.SERVER, _A.SERVER),
}

#: For a full address that no connected resource has.
_FULL: dict[str, tuple[Action, Action, Action, Action]] = {
    **_BARE,
    "message/normal": (_A.REFUSE, _A.REFUSE, _A.REFUSE, _A.REFUSE),
    # A room's occupant who is gone must become an error, or a ghost stays in the room.
    "message/occupant": (_A.REFUSE, _A.REFUSE, _A.REFUSE, _A.REFUSE),
    "message/headline": (_A.IGNORE, _A.IGNORE, _A.IGNORE, _A.IGNORE),
    "presence/available": (_A.IGNORE, _A.IGNORE, _A.IGNORE, _A.IGNORE),
    "presence/subscription": (_A.IGNORE, _A.IGNORE, _A.IGNORE, _A.IGNORE),
    "iq/request": (_A.REFUSE, _A.REFUSE, _A.REFUSE, _A.REFUSE),
    "iq/answer": (_A.IGNORE, _A.IGNORE, _A.IGNORE, _A.IGNORE),
}

#: For a full address whose resource is connected: to it, but for what is not a resource's.
_MATCH: dict[str, Action] = {
    **dict.fromkeys(_BARE, _A.DELIVER),
    "presence/subscribe": _A.SUBSCRIPTION,
    "presence/subscription": _A.SUBSCRIPTION,
    "presence/probe": _A.PROBE,
}

#: ``(kind, is the address full, what is there) -> action``; complete.
TABLE: dict[tuple[str, bool, Target], Action] = {
    **{
        (kind, False, t): a
        for kind, row in _BARE.items()
        for t, a in zip(_COLUMNS, row, strict=True)
    },
    **{
        (kind, True, t): a
        for kind, row in _FULL.items()
        for t, a in zip(_COLUMNS, row, strict=True)
    },
    **{(kind, True, _T.MATCH): action for kind, action in _MATCH.items()},
}

KINDS = frozenset(_BARE)

_MESSAGES = {kind: f"message/{kind}" for kind in ("normal", "headline", "groupchat", "error")}
_PRESENCES: dict[str | None, str] = {
    None: "presence/available",
    "unavailable": "presence/available",
    "error": "presence/error",
    "probe": "presence/probe",
    **dict.fromkeys(SUBSCRIPTION_KINDS, "presence/subscription"),
    "subscribe": "presence/subscribe",
}


def kind_of(stanza: Stanza) -> str:
    """The row of the table that `stanza` belongs to; one of `KINDS`."""
    if isinstance(stanza, Message):
        kind = message_kind(stanza)
        if kind == "chat":
            is_occupant = stanza.child(NS_ROOM_USER, "x") is not None
            return "message/occupant" if is_occupant else "message/chat"
        return _MESSAGES[kind]
    if isinstance(stanza, Presence):
        return _PRESENCES.get(stanza.type, "presence/error")
    if isinstance(stanza, Iq):
        return "iq/request" if stanza.is_request else "iq/answer"
    raise TypeError(f"not a stanza: {type(stanza)}")


def target(priorities: Iterable[int]) -> Target:
    """What is there of an account that exists, by its available resources' priorities."""
    highest = max(priorities, default=None)
    if highest is None:
        return Target.ABSENT
    return Target.PRESENT if highest >= 0 else Target.NEGATIVE


def decide(stanza: Stanza, is_full: bool, there: Target) -> Action:
    """What to do with `stanza` for an account of this server.

    `there` is `Target.MATCH` only for a full address.
    """
    if there is Target.MATCH and isinstance(stanza, Message):
        return Action.DELIVER  # as the table says, for the most frequent case of all
    return TABLE[kind_of(stanza), is_full, there]
