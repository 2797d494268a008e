"""Puts a tombstone in the place of what its author takes back (XEP-0424 §4)."""

from __future__ import annotations

import asyncio
from datetime import datetime

from ....core.errors import StanzaError, StreamError
from ....core.jid import JID
from ....core.stanza import NS as NS_CLIENT
from ....core.stanza import Message, read
from ....core.xml import KEPT, parse
from ....kit.log import Bound
from ....kit.meter import Counter
from ....kit.tasks import Scope, ScopeFullError
from ....store.errors import StoreError
from ....wire import retraction
from ...store.archive import Archive


class Retractions:
    """Those that are under way; in one archive one at a time."""

    def __init__(self, store: Archive, scope: Scope, taken_back: Counter, log: Bound) -> None:
        self._store, self._scope, self._taken_back, self._log = store, scope, taken_back, log
        self._last: dict[JID, asyncio.Task[None]] = {}  # whose archive -> the last one there

    def start(
        self, owner: JID, message: Message, when: datetime, *, is_sent: bool
    ) -> asyncio.Task[None]:
        """Let `message`, which is being added to the archive of `owner`, take back what it says.

        `is_sent`: `owner` wrote it. Raises `StanzaError` if too many are under way.
        """
        task = self._run(owner, message, when, self._last.get(owner), is_sent=is_sent)
        try:
            started = self._last[owner] = self._scope.start(task)
        except ScopeFullError:
            raise StanzaError("resource-constraint", "too many retractions at once") from None
        started.add_done_callback(lambda done: self._ended(owner, done))
        return started

    def _ended(self, owner: JID, task: asyncio.Task[None]) -> None:
        if self._last.get(owner) is task:
            del self._last[owner]

    async def done(self, owner: JID) -> None:
        """Wait until those that have begun in the archive of `owner` have ended."""
        if (last := self._last.get(owner)) is not None:
            await asyncio.wait([last])

    async def _run(
        self,
        owner: JID,
        message: Message,
        when: datetime,
        before: asyncio.Task[None] | None,
        *,
        is_sent: bool,
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            if await retract(self._store, owner, message, when, is_sent=is_sent):
                self._taken_back.value += 1
        except StoreError as error:  # the retraction itself is kept, and clients heed it
            self._log.info("a tombstone was not set: %s: %s", owner, error)


async def retract(
    store: Archive, owner: JID, message: Message, when: datetime, *, is_sent: bool
) -> bool:
    """Whether `message` has taken back another one in the archive of `owner`.

    Raises `StoreError`.
    """
    name = retraction.target(message)
    peer = message.to or owner if is_sent else message.sender
    if name is None or peer is None:
        return False
    asked = peer if retraction.is_of_room(message) else peer.bare
    found = await store.find(owner, asked, name, is_sent=is_sent)
    original = _read(found.stanza) if found is not None else None
    if found is None or original is None or not retraction.may_retract(message, original):
        return False
    stone = retraction.tombstone(original, message, when)
    return await store.replace(owner, found.id, stone.write())


def _read(text: str) -> Message | None:
    try:
        stanza = read(parse(text, NS_CLIENT, limits=KEPT))
    except (StreamError, StanzaError):
        return None  # what cannot be read is not given out either
    return stanza if isinstance(stanza, Message) else None
