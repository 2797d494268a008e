"""What may become of a session, as `Client.lifecycle` tells it."""

from __future__ import annotations

from ..core.frozen import frozen
from ..core.jid import JID
from ..core.stanza import Message


@frozen
class Online:
    """Stanzas flow. `is_resumed`: it is the session that it was, and nothing is lost."""

    jid: JID
    is_resumed: bool = False


@frozen
class Suspended:
    """The connection broke. Calls wait; another one is being made."""

    cause: Exception


@frozen
class Reset:
    """A new session is in place of the old one; `Online` has been told again.

    `lost` are messages of which it is not known that they arrived, in their order. Requests
    that were not answered have raised `SessionReset`.
    """

    lost: tuple[Message, ...]


@frozen
class Closed:
    """It is over: by us (no cause), or because going on is of no use.

    Where nobody listens for this, the client's block raises the cause at its end.

    `lost` are messages of which it is not known that they arrived, in their order.
    """

    cause: Exception | None = None
    lost: tuple[Message, ...] = ()


State = Online | Suspended | Reset | Closed
