"""What makes a proof void: another password, or an account that is shut.

A log-in takes time, and whoever knows the old password could hold one open until the new one is
set, and go on with it. What a log-in has proven is asked again here when something comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...core.jid import JID

REMEMBERED = 10_000  # accounts whose last change is known; earlier ones count for all


class Changes:
    """The changes of all accounts, numbered."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._number = 0
        self._last: dict[JID, int] = {}  # account -> the number of its last change
        self._forgotten = 0  # the highest number that is not there any more
        self._under_way: dict[JID, int] = {}

    def mark(self) -> int:
        """Now, for `is_void` to compare with."""
        return self._number

    def is_void(self, account: JID, mark: int) -> bool:
        """Whether what was proven since `mark` may be by something that counts no more."""
        last = self._last.get(account, self._forgotten)
        return account in self._under_way or last > mark

    @contextmanager
    def changing(self, account: JID) -> Iterator[None]:
        """While the change is written: what is proven before its end may be by the old."""
        self._under_way[account] = self._under_way.get(account, 0) + 1
        try:
            yield
        finally:
            self._under_way[account] -= 1
            if not self._under_way[account]:
                del self._under_way[account]
            self._count(account)

    def _count(self, account: JID) -> None:
        self._number += 1
        self._last.pop(account, None)
        if len(self._last) >= self._size:
            self._forgotten = self._last.pop(next(iter(self._last)))
        self._last[account] = self._number
