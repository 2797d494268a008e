"""No gap and nothing twice in what a program is told, whatever became of the session."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ....core.errors import StanzaError
from ....core.frozen import frozen
from ....core.jid import JID
from ....core.stanza import Message
from ....kit.cache import Cache
from ....wire import stanzaid
from ....wire.delay import Delay
from ...errors import SessionClosed, SessionReset
from ...feature import MessageReceived
from ...handling import Handling
from .reading import Archived, Reader, Wanted

if TYPE_CHECKING:
    from ...entity import Entity

log = logging.getLogger(__name__)

PAGE = 100  # messages that are fetched at once
HELD = 1000  # messages that wait until the older ones are here; more are fetched again
MARGIN = timedelta(minutes=5)  # that our clock and the archive's may be apart
KNOWN = 10_000  # ids of what was told, and of what we said


@frozen
class Position:
    """How far somebody has read in an archive: the id of a message, and when it came there.

    Without an id: from the beginning.
    """

    id: str | None
    stamp: datetime


class PositionStore(Protocol):
    """Where it is kept how far an account was read, from one run to the next."""

    async def load(self, account: JID) -> Position | None:
        """What is kept of `account` (bare)."""

    async def save(self, account: JID, position: Position) -> None:
        """Replace it."""


class VolatilePositions:
    """Keeps it as long as the program runs."""

    def __init__(self) -> None:
        self._kept: dict[JID, Position] = {}

    def __contains__(self, account: JID) -> bool:
        return account in self._kept

    async def load(self, account: JID) -> Position | None:
        return self._kept.get(account)

    async def save(self, account: JID, position: Position) -> None:
        self._kept[account] = position


Ask = Callable[[Wanted, JID | None, int], Reader]


class Missed:
    """Fetches what came while there was no session, and meanwhile holds back what comes."""

    def __init__(self, client: Entity, ask: Ask) -> None:
        self.store: PositionStore = VolatilePositions()
        self._client, self._ask = client, ask
        self._position: Position | None = None  # how far we were told
        self._trail: deque[Position] = deque()  # from what is handled on
        self._open: dict[str, Handling] = {}  # ids in the archive: is being handled
        self._handled: Position | None = None
        self._told: Cache[str, None] = Cache(KNOWN)  # ids in the archive
        self._said: Cache[str, None] = Cache(KNOWN)  # ids of our own messages
        self._held: deque[MessageReceived] = deque()
        self._has_dropped = False  # some that were to be held: the archive has them
        self._is_behind = False  # what comes is not all that comes before it
        self._passing: Message | None = None  # is being told, and not to be held
        self._work: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None

    # --- the session -----------------------------------------------------------------

    async def position(self) -> Position | None:
        """From where on something may be missing, if that is known."""
        if self._position is None:
            self._position = await self.store.load(self._client.jid.bare)
        return self._position

    async def begin(self) -> None:
        """A new session: hold what comes, and fetch what did not."""
        self.stop()
        if self._client.jid.local is None:  # a service: it has no archive of its own
            return
        self._is_behind = True
        self._held = deque(event for event in self._held if self._id_of(event.message) is None)
        self._work = self._client.start(self._catch_up())

    def stop(self) -> None:
        """Fetch no more."""
        if self._work is not None:
            self._work.cancel()

    async def _catch_up(self) -> None:
        try:
            position = await self.position()
            if position is None:
                self._position = await self._end()
                self._note(self._position)
            else:
                await self._fetch(position)
            self._is_behind = False
        except (SessionReset, SessionClosed):  # another session will see to it, or none
            return
        except (StanzaError, TimeoutError) as error:
            log.info("what was missed is not known: %s: %s", self._client.jid.bare, error)
        while self._held:
            event = self._held.popleft()
            if not self._is_known(event.message):
                await self._tell(event)
        self._work = None

    async def _end(self) -> Position:
        """Where the archive ends: what comes from now on is all that a program wants to know."""
        last = await self._ask(Wanted(), None, 1).next(newest=True)
        if not last:
            return Position(None, self._client.clock.now())
        return Position(last[0].id, last[0].stamp)

    # --- fetching --------------------------------------------------------------------

    async def _fetch(self, since: Position) -> None:
        try:
            await self._follow(self._ask(Wanted(), None, PAGE), since.id)
        except StanzaError as error:
            if error.condition != "item-not-found":
                raise
            # what was the last is not kept any more: what came after it is found by its time
            await self._follow(self._ask(Wanted(since=since.stamp - MARGIN), None, PAGE), None)

    async def _follow(self, reader: Reader, after: str | None) -> None:
        is_over = False
        while not is_over:
            self._has_dropped = False
            found = await reader.next(after=after)
            for one in found:
                await self._tell_archived(one)
                after = one.id
            is_over = (reader.is_complete or not found) and not self._has_dropped

    async def _tell_archived(self, one: Archived) -> None:
        """As if it came now, but for its time."""
        own, position = self._client.jid.bare, Position(one.id, one.stamp)
        sender = one.message.sender
        is_outgoing = sender is not None and sender.bare == own
        is_ours = is_outgoing and self._said.get(one.message.id or "", _UNKNOWN) is None
        if self._told.get(one.id, _UNKNOWN) is None or is_ours:
            self._told.put(one.id, None)
            self._note(position)
            return
        self._told.put(one.id, None)
        handling = self._begin(one.id)
        self._note(position)
        message = stanzaid.stamped(one.message, one.id, own)
        if not message.has(Delay):
            message = message.add(Delay(one.stamp, own))
        if is_outgoing and message.to is not None and message.to.bare != own:
            await self._tell(MessageReceived(message, outgoing=True))
        else:
            self._passing = message
            await self._client.receive(message)  # receipts and the like are for their features
        handling.settle()  # where nobody was told at all

    async def _tell(self, event: MessageReceived) -> None:
        self._remember(event.message)
        self._passing = event.message
        await self._client.tell(event, event.peer)

    # --- what comes ------------------------------------------------------------------

    def hold(self, event: MessageReceived) -> bool:
        """Whether nobody is to be told: now, or ever."""
        message = event.message
        if message is self._passing or message.type == "groupchat":
            return False
        if self._work is None:
            if self._is_known(message):
                return True
            self._remember(message)
            return False
        if len(self._held) < HELD:
            self._held.append(event)
            return True
        self._has_dropped = self._has_dropped or self._id_of(message) is not None
        return self._id_of(message) is not None

    def sent(self, message: Message) -> None:
        """We have said it."""
        if message.id is not None:
            self._said.put(message.id, None)

    def _id_of(self, message: Message) -> str | None:
        return stanzaid.id_by(message, self._client.jid.bare)

    def _is_known(self, message: Message) -> bool:
        id = self._id_of(message)
        return id is not None and self._told.get(id, _UNKNOWN) is None

    def _remember(self, message: Message) -> None:
        id = self._id_of(message)
        if id is not None:
            self._told.put(id, None)
            if self._client.following is not None and id not in self._open:
                self._begin(id)
            if not self._is_behind and self._is_available:
                self._note(Position(id, self._client.clock.now()))

    @property
    def _is_available(self) -> bool:
        """Whether all that is for the account comes here (RFC 6121 §8.5.2)."""
        presence = self._client.presence
        return presence is not None and presence.type is None

    # --- how far ---------------------------------------------------------------------

    def _note(self, position: Position) -> None:
        """So far we were told; what is kept is how far all of it is handled."""
        self._position = position
        self._trail.append(position)
        if len(self._trail) > 2 * KNOWN:  # something takes long: what stands before it counts
            pairs = zip(self._trail, [*self._trail][1:], strict=False)
            kept = [one for one, after in pairs if after.id in self._open or one.id in self._open]
            self._trail = deque([*kept, position])
        self._advance()

    def _advance(self) -> None:
        before = self._handled
        while self._trail and self._trail[0].id not in self._open:
            self._handled = self._trail.popleft()
        if self._handled is not before and self._saving is None:
            saving = self._save()
            try:
                self._saving = self._client.start(saving)
            except RuntimeError:  # the client's block has ended: it is too late
                saving.close()

    async def _save(self) -> None:
        """Keep the newest position; one that comes meanwhile is kept next."""
        saved: Position | None = None
        try:
            while (position := self._handled) is not None and position is not saved:
                await self.store.save(self._client.jid.bare, position)
                saved = position
        finally:
            self._saving = None

    # --- what is handled -------------------------------------------------------------

    def follow(self, message: Message) -> Handling | None:
        """What `message` is handled by, if it is to be known when that is done."""
        return self._open.get(self._id_of(message) or "") if self._open else None

    def settle(self) -> None:
        """The program ends, and nobody has crashed: who has left a loop has done with it."""
        for handling in tuple(self._open.values()):
            handling.settle_left()

    def _begin(self, id: str) -> Handling:
        """It is being told: how far it is handled goes not beyond it before that is done."""

        def done() -> None:
            self._open.pop(id, None)
            self._advance()

        if len(self._open) >= KNOWN:
            del self._open[next(iter(self._open))]
        handling = self._open[id] = Handling(done)
        return handling


_UNKNOWN = object()
