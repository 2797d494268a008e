"""What an account's archive calls messages: for the modules that give them to clients.

An id is on the message itself where the account may see it (XEP-0313 §3.5). What one sends
carries none, for its receiver may not know it: here those find it who copy it to the sender's
own clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..core.stanza import Message
from .session import Key


class Named(NamedTuple):
    """A message that a session has sent, and its id in the sender's archive."""

    message: Message
    id: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a session has got from the archive before it became available, or knows to be there.

    That need not come from offline storage too (XEP-0313 §6.1.1, XEP-0386 §3.2).
    """

    ids: frozenset[str] = frozenset()
    told: int = 0  # the last message there was when it was told, in binding

    def __contains__(self, id: object) -> bool:
        if not isinstance(id, str):
            return False
        return id in self.ids or (self.told > 0 and id.isdecimal() and int(id) <= self.told)


#: What the session sent last, if other clients of the account may want a copy of it.
SENT: Key[Named | None] = Key("archive sent", default=None)
FETCHED: Key[Fetched] = Key("archive fetched", default=Fetched())
