"""An archive from elsewhere: its messages are older than what is there, and keep their order."""

from __future__ import annotations

import os
import sqlite3
from typing import Final

from .....store.texts import size, to_ms
from ...portable import Archived
from .index import IS_GROUPCHAT, IS_SENT
from .intake import New, add
from .reading import ID_BITS

CHUNK: Final = 500  # entries that are written together
MARGIN: Final = 1_000_000  # microseconds: what is given an id now stays behind all that came

TAKEN: Final = "SELECT 1 FROM archive_entries WHERE id = ?"
#: Below it nobody looks: all of that was removed once.
LOWER: Final = "UPDATE archive_state SET floor = min(floor, ?) WHERE one = 1"


class Bringing:
    """Adds the entries of one owner, in order. `now`: milliseconds since 1970."""

    def __init__(self, database: sqlite3.Connection, owner: str, now: int) -> None:
        self._database, self._owner = database, owner
        self._latest = now * 1000 - MARGIN
        self._last = 0  # id
        self._rows: list[New] = []

    def add(self, one: Archived) -> None:
        """Under its own id, if that can be and is free, else under one of its moment."""
        id, owner = self._id(one), self._owner
        flags = one.is_sent * IS_SENT + one.is_groupchat * IS_GROUPCHAT
        moment, peer, octets = to_ms(one.stamp), one.peer.text, size(one.stanza)
        self._rows.append((id, owner, moment, flags, peer, one.name, one.body, one.stanza, octets))
        self._last = id
        if len(self._rows) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what is there."""
        if self._rows:
            self._database.execute(LOWER, (self._rows[0][0] - 1,))
            add(self._database, self._rows)
        self._rows = []

    def _id(self, one: Archived) -> int:
        wanted = one.id or 0
        if not self._last < wanted <= self._latest << ID_BITS:
            moment = max(1, min(to_ms(one.stamp) * 1000, self._latest))
            noise = os.urandom(1)[0]
            wanted = max(moment << ID_BITS, self._last + 1) + noise
        while self._database.execute(TAKEN, (wanted,)).fetchone():
            wanted += 1
        return wanted
