"""What waits in a session whose connection has broken is kept as well (XEP-0198 §5).

The session is in memory alone, and its client may take minutes to come back. So what no archive
has is in the store, too, before it counts as handled: a server that is killed meanwhile hands it
over to whoever comes next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Message
from ....kit.tasks import ScopeFullError
from ....store.errors import StoreBusy, StoreError
from ....wire import archive, delay, offline, stanzaid
from ....wire.delivery import Action, Target, decide
from ...copying import has_copy
from ...module import Module
from ...session import Session
from ...store.offline import New
from .giving import Giving, Held


class _Batch:
    """Goes to the store together, oldest first."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self.rows: list[New] = []
        self.error: StoreError | None = None
        self.passing_on: asyncio.Task[None] | None = None  # what nobody is there for any more

    def add(self, held: Held, row: New) -> None:
        self.held.append(held)
        self.rows.append(row)


class Holding:
    """Keeps what was given to sessions that wait for their clients."""

    def __init__(self, module: Module, giving: Giving, count: int, size: int) -> None:
        self._host, self._scope, self._clock = module.host, module.scope, module.clock
        self._store = module.host.stores.offline
        self._giving, self._count, self._size = giving, count, size
        self._held = module.meter.counter("held", "Messages kept for clients that broke off.")

    async def hold(self, owner: JID, sessions: Sequence[Session]) -> None:
        """Keep what is under way to those of `sessions` that wait. Raises `StoreError`."""
        if await self._host.accounts.exists(owner):
            await self._commit(owner, self._under_way(owner, sessions))

    async def hold_new(self, owner: JID, sessions: Sequence[Session], message: Message) -> None:
        """Keep `message` for `sessions`, which are about to be given it, behind what they have.

        Not if one of them has come back, or another one gets a copy: then somebody is there to
        take it. Raises `StanzaError` if too much is kept already, and `StoreError`; then nobody
        is given it.
        """
        if not await self._host.accounts.exists(owner) or not all(map(self._waits, sessions)):
            return
        moment, stamp = self._clock.monotonic(), delay.stamp_by(message, self._host.jid)
        if stamp is None and self._is_copied(message, sessions, moment):
            return
        batch = self._under_way(owner, sessions)
        stamp = stamp or self._clock.now()
        held = self._take_in(batch, Held(owner, sessions, message, moment), stamp)
        held.is_given = False
        await self._commit(owner, batch)
        if not held.id:
            raise StanzaError("service-unavailable")

    def _waits(self, session: Session) -> bool:
        return self._host.server.resumption.waits(session)

    # --- what is to be kept ----------------------------------------------------------

    def _under_way(self, owner: JID, sessions: Sequence[Session]) -> _Batch:
        """What is under way to `sessions`, oldest first, and not kept yet."""
        batch, now, moment = _Batch(), self._clock.now(), self._clock.monotonic()
        has: dict[Session, set[int]] = {}  # the identities of what is under way to each
        for session in filter(self._waits, sessions):
            for stanza, came in session.under_way():
                if not isinstance(stanza, Message) or session.keeps(stanza):
                    continue
                if is_to_be_held(stanza, owner):
                    holders = self._holders(stanza, session, came, has)
                    when = delay.stamp_by(stanza, self._host.jid)
                    when = when or now - timedelta(seconds=moment - came)
                    if holders:
                        self._take_in(batch, Held(owner, holders, stanza, came), when)
        return batch

    def _holders(
        self, message: Message, session: Session, came: float, has: dict[Session, set[int]]
    ) -> list[Session]:
        """The sessions that wait with `message`, `session` among them; none if a client has it.

        What came for the account, all have got that were available then.
        """
        is_for_all = _is_for_all(message, self._host.jid)
        if not is_for_all and self._is_copied(message, (session,), came):
            return []
        holders = [session]
        for other in self._others(session.jid.bare, (session,)) if is_for_all else ():
            if other.willing_since > came:
                continue
            if other not in has:
                has[other] = {id(stanza) for stanza, _ in other.under_way()}
            if not self._waits(other) or id(message) not in has[other]:
                return []
            holders.append(other)
        return holders

    def _is_copied(self, message: Message, sessions: Sequence[Session], came: float) -> bool:
        """Whether a client that is there got a copy when it `came`."""
        others = self._others(sessions[0].jid.bare, sessions)
        return any(has_copy(one, message, came) and not self._waits(one) for one in others)

    def _others(self, owner: JID, besides: Sequence[Session]) -> list[Session]:
        """Those that get what is for the account."""
        available = self._host.sessions.available(owner)
        return [one for one in available if one.priority >= 0 and one not in besides]

    def _take_in(self, batch: _Batch, held: Held, stamp: datetime) -> Held:
        message = held.message or Message()
        for session in held.sessions:
            session.keep(message, held.taken)
        bare = delay.without_forged(message, (self._host.jid,))  # stamped when it is given out
        text = bare.routed(to=message.to or held.owner).write()
        batch.add(held, New(message.sender or self._host.jid, text, stamp))
        return held

    # --- keeping it ------------------------------------------------------------------

    async def _commit(self, owner: JID, batch: _Batch) -> None:
        """Have it on the disk, although whoever waits for that is cancelled."""
        if not batch.rows:
            return
        try:
            adding = self._scope.start(self._add(owner, batch))
        except ScopeFullError:
            _give_up(batch.held)
            raise StoreBusy("too much is being kept") from None
        self._giving.adding(owner, adding)
        await asyncio.wait((adding,))
        if adding.cancelled():
            _give_up(batch.held)
            raise StoreBusy("the module is unloaded")
        if batch.error is not None:
            raise batch.error
        if batch.passing_on is not None:  # before anything newer
            await asyncio.wait((batch.passing_on,))

    async def _add(self, owner: JID, batch: _Batch) -> None:
        try:
            ids = await self._store.add_all(
                owner, batch.rows, limit_count=self._count, limit_bytes=self._size
            )
        except StoreError as error:
            batch.error = error
            return _give_up(batch.held)
        left = []
        for held, id in zip(batch.held, ids, strict=True):
            if id is None:
                _give_up([held])
            else:
                self._held.value += 1
                if not self._giving.stored(held, id):
                    left.append(held)
        if left:
            with suppress(ScopeFullError):  # then who comes next has it
                batch.passing_on = self._scope.start(self._giving.pass_on(owner, left))
        return None


def is_to_be_held(message: Message, owner: JID) -> bool:
    """Whether it would be kept if nobody were there, and is in no archive."""
    return (
        decide(message, False, Target.ABSENT) is Action.STORE
        and stanzaid.given_by(message, owner) is None
        and offline.is_worth_keeping(message)
        and not message.has(offline.Offline)  # it is kept already, and was asked for
        and not (message.sender == owner and message.has(archive.Result))
    )


def _is_for_all(message: Message, host: JID) -> bool:
    """Whether it was given to all: also when it came to one that went without having it."""
    is_full = message.to is not None and message.to.resource is not None
    return not is_full or delay.stamp_by(message, host) is not None


def _give_up(held: Sequence[Held]) -> None:
    """It is not kept: it is in the sessions alone, or goes the way of what they left."""
    for each in held:
        if each.message is None or each.is_taken:
            continue
        for session in each.sessions:
            session.unkeep(each.message)
        over = [session for session in each.sessions if session.gone is not None]
        if each.is_given and len(over) == len(each.sessions):
            over[0].host.server.leavings.bring_back(over[0], each.message, each.came)
