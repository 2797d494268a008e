"""Presence subscriptions as a state machine: nine states, two directions, four stanzas.

Everything is from the view of one user towards one contact. The server asks `move` what a
stanza does, and does no more than that::

    move(State.NONE, "out", "subscribe")
    # Move(state=State.NONE_PENDING_OUT, route=True, push=True, ...)
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

from . import Spec
from .roster import Subscription

SPEC = Spec("RFC 6121", "2011-03", "XMPP: Instant Messaging and Presence, §3 and appendix A")

Direction = Literal["out", "in"]  # from the user to the contact, or the other way
Kind = Literal["subscribe", "subscribed", "unsubscribe", "unsubscribed"]
KINDS: frozenset[str] = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed"})


class State(Enum):
    """The nine states (A.1): what the roster shows, and which requests wait for an answer."""

    NONE = ("none", False, False)
    NONE_PENDING_OUT = ("none", True, False)
    NONE_PENDING_IN = ("none", False, True)
    NONE_PENDING_OUT_IN = ("none", True, True)
    TO = ("to", False, False)
    TO_PENDING_IN = ("to", False, True)
    FROM = ("from", False, False)
    FROM_PENDING_OUT = ("from", True, False)
    BOTH = ("both", False, False)

    subscription: Subscription
    is_pending_out: bool
    is_pending_in: bool

    def __init__(self, subscription: Subscription, pending_out: bool, pending_in: bool) -> None:
        self.subscription = subscription
        self.is_pending_out = pending_out
        self.is_pending_in = pending_in

    @property
    def ask(self) -> str | None:
        """The roster's ``ask`` attribute."""
        return "subscribe" if self.is_pending_out else None

    @property
    def shares_presence(self) -> bool:
        """Whether the contact sees the user's presence."""
        return self.subscription in ("from", "both")

    @property
    def sees_presence(self) -> bool:
        """Whether the user sees the contact's presence."""
        return self.subscription in ("to", "both")


class Move(NamedTuple):
    """What a subscription stanza leads to."""

    state: State  # from now on
    route: bool = False  # an outbound stanza goes on to the contact
    deliver: bool = False  # an inbound stanza goes on to the user's available resources
    push: bool = False  # the roster item changed: tell interested resources
    reply: Kind | None = None  # the server answers the contact for the user, bare to bare
    approved: bool = False  # the roster's ``approved`` attribute from now on
    #: What each available resource tells the contact: its presence, or that it is gone.
    #: ``unavailable`` goes before the stanza (§3.2.2), ``available`` after it (§3.1.5).
    presence: Literal["available", "unavailable"] | None = None


_N, _NO, _NI, _NOI = (
    State.NONE, State.NONE_PENDING_OUT, State.NONE_PENDING_IN, State.NONE_PENDING_OUT_IN,
)  # fmt: skip
_T, _TI, _F, _FO, _B = (
    State.TO, State.TO_PENDING_IN, State.FROM, State.FROM_PENDING_OUT, State.BOTH,
)  # fmt: skip

#: State changes, by direction and kind; what is not listed changes nothing.
CHANGES: dict[tuple[Direction, Kind], dict[State, State]] = {
    ("out", "subscribe"): {_N: _NO, _NI: _NOI, _F: _FO},
    ("out", "unsubscribe"): {_NO: _N, _NOI: _NI, _T: _N, _TI: _NI, _FO: _F, _B: _F},
    ("out", "subscribed"): {_NI: _F, _NOI: _FO, _TI: _B},
    ("out", "unsubscribed"): {_NI: _N, _NOI: _NO, _TI: _T, _F: _N, _FO: _NO, _B: _T},
    ("in", "subscribe"): {_N: _NI, _NO: _NOI, _T: _TI},
    ("in", "unsubscribe"): {_NI: _N, _NOI: _NO, _TI: _T, _F: _N, _FO: _NO, _B: _T},
    ("in", "subscribed"): {_NO: _T, _NOI: _TI, _FO: _B},
    ("in", "unsubscribed"): {_NO: _N, _NOI: _NI, _T: _N, _TI: _NI, _FO: _F, _B: _F},
}

#: Outbound stanzas that go on although they change nothing (A.2.1, A.2.2): the two servers may
#: disagree about the state, and this is how they meet again.
ROUTED_ANYWAY: frozenset[str] = frozenset({"subscribe", "unsubscribe"})

#: An inbound request that was approved before it came (§3.4.2).
PRE_APPROVED: dict[State, State] = {_N: _F, _NO: _FO, _T: _B, _NI: _F, _NOI: _FO, _TI: _B}


def state_of(subscription: str, ask: str | None, pending_in: bool) -> State:
    """The state from what is stored; raises `ValueError` if there is no such state."""
    for state in State:
        if state.value == (subscription, ask == "subscribe", pending_in):
            return state
    raise ValueError(f"no subscription state: {subscription}, {ask}, {pending_in}")


def move(state: State, direction: Direction, kind: Kind, approved: bool = False) -> Move:
    """What `kind` does in `state`; `approved` is whether the user has approved in advance."""
    return MOVES[state, direction, kind, approved]


def _out(state: State, kind: Kind, approved: bool) -> Move:
    new = CHANGES["out", kind].get(state, state)
    still = approved
    if kind == "subscribed" and new is state and not state.shares_presence:
        still = True  # nothing to answer yet: an approval in advance
    elif kind == "unsubscribed":
        still = False
    return Move(
        new,
        route=new is not state or kind in ROUTED_ANYWAY,
        push=_shown(new, still) != _shown(state, approved),
        approved=still,
        presence=_presence(state, new),
    )


def _in(state: State, kind: Kind, approved: bool) -> Move:
    if kind == "subscribe" and state.shares_presence:
        return Move(state, reply="subscribed", approved=approved)
    if kind == "subscribe" and approved:
        new = PRE_APPROVED[state]
        return Move(new, push=True, reply="subscribed", approved=True, presence="available")
    new = CHANGES["in", kind].get(state, state)
    return Move(
        new,
        deliver=new is not state,
        push=_shown(new, approved) != _shown(state, approved),
        reply="unsubscribed" if kind == "unsubscribe" and new is not state else None,
        approved=approved,
        presence=_presence(state, new),
    )


def _shown(state: State, approved: bool) -> tuple[str, bool, bool]:
    return state.subscription, state.is_pending_out, approved


def _presence(old: State, new: State) -> Literal["available", "unavailable"] | None:
    if old.shares_presence == new.shares_presence:
        return None
    return "available" if new.shares_presence else "unavailable"


def _all() -> dict[tuple[State, Direction, Kind, bool], Move]:
    moves: dict[tuple[State, Direction, Kind, bool], Move] = {}
    for direction, kind in CHANGES:
        for state in State:
            for approved in (False, True):
                make = _out if direction == "out" else _in
                moves[state, direction, kind, approved] = make(state, kind, approved)
    return moves


#: ``(state, direction, kind, approved in advance)`` -> what happens. Complete.
MOVES = _all()


def removal(state: State) -> tuple[Kind, ...]:
    """What the server sends to the contact when the user deletes the roster item (§2.5.2)."""
    stanzas: list[Kind] = []
    if state.sees_presence or state.is_pending_out:
        stanzas.append("unsubscribe")
    if state.shares_presence or state.is_pending_in:
        stanzas.append("unsubscribed")
    return tuple(stanzas)
