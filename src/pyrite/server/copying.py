"""Who of an account gets a copy of what another of its clients is given (XEP-0280 §7)."""

from __future__ import annotations

from math import inf

from ..core.stanza import Message
from ..wire import carbons
from .privacy import ACTIVE
from .session import Key, Session

#: Since when the session has got copies, as the clock counts.
SINCE = Key("carbons since", default=inf)


def has_copy(session: Session, message: Message, came: float) -> bool:
    """Whether `session` was given a copy of `message`, which came then for another one."""
    if session[SINCE] > came or message.sender == session.jid:
        return False
    return carbons.is_eligible(message, is_received=True) and lets_in(session, message)


def has_all(session: Session) -> bool:
    """Whether its client has all messages that it was ever given, as far as anybody can know."""
    return not any(isinstance(stanza, Message) for stanza, _ in session.under_way())


def lets_in(session: Session, message: Message) -> bool:
    """Whether the privacy list that the session has chosen, if any, would let `message` in.

    Where the list asks for the roster, this says no: better a copy too few.
    """
    rules = session[ACTIVE]
    sender = message.sender
    if rules is None or sender is None or sender.bare == session.jid.bare:
        return True
    return not rules.needs_roster and rules.allow("message", sender, session.jid.bare)
