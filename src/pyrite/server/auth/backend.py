"""Where passwords are kept and checked: the seam between SASL and whatever knows accounts."""

from __future__ import annotations

from typing import Protocol

from ...core.jid import JID
from ...core.sasl import Keys
from ...kit.outage import Outage


class BackendDown(Outage):
    """Nobody can be checked now; the client may try again later."""

    passes = True


class Backend(Protocol):
    """A place that knows accounts. `account` is always bare, and may be nobody's.

    All raise `BackendDown` when they cannot tell. They take as long, and do the same work, for
    an account that exists as for one that does not.
    """

    mechanisms: frozenset[str]
    """What it can serve, without -PLUS. One that only checks passwords serves PLAIN alone."""

    async def keys(self, account: JID, mechanism: str) -> Keys:
        """The account's keys; keys that no password fits if it has none."""

    async def check(self, account: JID, password: str) -> bool:
        """Whether the account has this password."""

    async def admit(self, account: JID) -> None:
        """Called once the client has proven to be `account`.

        Raises `SaslError`: ``account-disabled``, ``credentials-expired``, or ``not-authorized``
        if there is no such account (any more).
        """
