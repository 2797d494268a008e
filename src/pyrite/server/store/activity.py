"""When people were last here (XEP-0012 §4)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from ...core.jid import JID


class LastActivity(NamedTuple):
    """When the last session ended, and the status that it ended with."""

    stamp: datetime
    status: str | None


class Activity(Protocol):
    """The last activity of each owner. All raise `StoreError`."""

    async def find(self, owner: JID) -> LastActivity | None:
        """The last activity, if there ever was one."""

    async def put(self, owner: JID, last: LastActivity) -> None:
        """Let this be the last of `owner`, if that is an account."""
