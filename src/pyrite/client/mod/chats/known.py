"""Who wrote which message: what decides who may change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ....core.jid import JID
from ....kit.cache import Cache

MOST = 5000  # messages that are remembered, of each side


@dataclass(slots=True)
class Known:
    """A message that we have seen. `original` is the id of its first version."""

    author: JID
    original: str
    is_retracted: bool = False


class Memory:
    """Messages by conversation and id. What others say cannot push out what we have said."""

    def __init__(self) -> None:
        self._ours: Cache[tuple[JID, str], Known] = Cache(MOST)
        self._theirs: Cache[tuple[JID, str], Known] = Cache(MOST)
        self._reacted: Cache[tuple[JID, str, JID], datetime] = Cache(MOST)

    def put(self, peer: JID, id: str, author: JID, *, ours: bool, original: str = "") -> None:
        """Remember a message, unless there is one of that id: the first stays."""
        if self.get(peer, id) is None:
            cache = self._ours if ours else self._theirs
            cache.put((peer, id), Known(author, original or id))

    def get(self, peer: JID, id: str) -> Known | None:
        return self._ours.get((peer, id)) or self._theirs.get((peer, id))

    def original(self, peer: JID, id: str) -> str:
        """The id of the first version of a message (XEP-0308 §4)."""
        known = self.get(peer, id)
        return known.original if known is not None else id

    def is_ours(self, peer: JID, id: str) -> bool:
        return self._ours.get((peer, id)) is not None

    def is_newest(self, peer: JID, id: str, author: JID, when: datetime) -> bool:
        """Whether no younger reaction of `author` to it was seen (XEP-0444 §4.1); remembers it."""
        key = peer, id, author
        newest = self._reacted.get(key)
        if newest is not None and when < newest:
            return False
        self._reacted.put(key, when)
        return True
