"""What an account's archive calls messages: for the modules that give them to clients.

An id is on the message itself where the account may see it (XEP-0313 §3.5). What one sends
carries none, for its receiver may not know it: here those find it who copy it to the sender's
own clients.
"""

from __future__ import annotations

from typing import NamedTuple

from ..core.stanza import Message
from .session import Key


class Named(NamedTuple):
    """A message that a session has sent, and its id in the sender's archive."""

    message: Message
    id: str


#: What the session sent last, if other clients of the account may want a copy of it.
SENT: Key[Named | None] = Key("archive sent", default=None)
#: Ids of messages that the archive gave to the session before it became available.
FETCHED: Key[frozenset[str]] = Key("archive fetched", default=frozenset())
