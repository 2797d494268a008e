"""Sessions that outlive their connection, and go on with another one (XEP-0198 §5)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..core.errors import StreamError
from ..core.jid import JID
from ..kit.cache import Cache
from ..kit.clock import Timer
from ..kit.tasks import ScopeFullError
from .acks import SessionAcks, Terms
from .session import Session

if TYPE_CHECKING:
    from .app import Server

log = logging.getLogger(__name__)

REMEMBERED = 10_000  # sessions that have ended, of which is known how much they had handled


class UnknownSessionError(Exception):
    """There is no such session of the account; `h` is what it had handled, where that is known."""

    def __init__(self, h: int | None) -> None:
        super().__init__("there is no such session")
        self.h = h


@dataclass(frozen=True, slots=True)
class SessionDetached:
    """The connection of a session has broken; until its client comes back, what comes waits."""

    session: Session


class Resumption:
    """All sessions that may be resumed: those with a connection, and those that wait for one."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sessions: dict[str, Session] = {}  # by the id that only their clients know
        #: Those that wait for their clients, the longest first: since when, and until when.
        self._waiting: dict[Session, tuple[float, Timer]] = {}
        self._newest: dict[str, object] = {}  # id -> the last request to go on with it
        #: Those whose old connections still finish something: done when they have.
        self._handing: dict[Session, asyncio.Future[None]] = {}
        self._ended: Cache[str, tuple[JID, int]] = Cache(REMEMBERED)  # id -> account, handled

    def __len__(self) -> int:
        """How many sessions wait for their clients."""
        return len(self._waiting)

    def waits(self, session: Session) -> bool:
        return session in self._waiting

    def enable(self, session: Session, terms: Terms, *, is_queued: bool) -> SessionAcks:
        """Acknowledgements from now on, as `SessionAcks` says."""
        acks = session.acks = SessionAcks(session, self._server.ids(), terms, is_queued=is_queued)
        if terms.keep > 0:
            self._sessions[acks.id] = session
        return acks

    def keeps(self, session: Session) -> bool:
        """Whether it waits for its client when its connection breaks."""
        acks = session.acks
        return session.ended is None and acks is not None and acks.id in self._sessions

    def detach(self, session: Session) -> None:
        """Its connection is gone: keep it, as it is and available, for as long as it may wait."""
        if (acks := session.acks) is None:
            raise ValueError(f"{session.jid} cannot be resumed")
        acks.pause()
        session.detach(wake=acks.note, on_end=partial(self._end, session))
        clock = self._server.clock
        timer = clock.call_later(acks.terms.keep, partial(self._expire, session))
        self._waiting[session] = clock.monotonic(), timer
        log.info("session detached: %s", session.jid)
        with suppress(ScopeFullError):
            self._server.scope.start(session.host.events.tell(SessionDetached(session)))
        self._bound(session.jid.bare)

    def _bound(self, account: JID) -> None:
        """Give up who has waited longest, of an account and of all, where too many do."""
        limits = self._server.settings.limits
        own = self._waiting_of(account)
        for session in own[: max(0, len(own) - limits.detached_per_account)]:
            self._expire(session)
        if len(self._waiting) > limits.detached:
            self._expire(next(iter(self._waiting)))

    def oldest(self, account: JID) -> Session | None:
        """The session of `account` that has waited longest for its client, if one does."""
        return next(iter(self._waiting_of(account)), None)

    def _waiting_of(self, account: JID) -> list[Session]:
        sessions = self._server.sessions.of(account).values()
        waiting = [one for one in sessions if one in self._waiting]
        return sorted(waiting, key=lambda one: self._waiting[one][0])

    def _expire(self, session: Session) -> None:
        session.end(StreamError("connection-timeout", "its client did not come back"))

    def _end(self, session: Session) -> None:
        """It ends while it waits, for whatever reason."""
        self._cancel(session)
        self._server.leave(session)

    def _cancel(self, session: Session) -> bool:
        """It waits no more; whether it did."""
        _, timer = self._waiting.pop(session, (0.0, None))
        if timer is not None:
            timer.cancel()
        return timer is not None

    async def resume(self, id: str, h: int, account: JID) -> Session:
        """The session that goes on. Whoever calls this gives it a connection, without waiting.

        One that it has is ended. Who waits for that, and is not the last to ask, takes nothing: its
        client has given it up. Raises `UnknownSessionError`, and `StreamError` for an `h` that
        cannot be, or where another one asks.
        """
        request = object()
        session = self._known(id, account)
        self._newest[id] = request
        while self._newest.get(id) is request:
            if not self._is_there(session):
                await self._server.part(session)  # then it is forgotten, and its count remembered
            elif not await self._is_waited_for(session) and session.acks is not None:
                session.acks.rewind(h)
                return session
            session = self._known(id, account)
        raise StreamError("conflict", "the session is resumed by another connection")

    def _known(self, id: str, account: JID) -> Session:
        session = self._sessions.get(id)
        if session is None or session.acks is None or session.jid.bare != account:
            raise UnknownSessionError(self._had_handled(id, account))
        return session

    async def _is_waited_for(self, session: Session) -> bool:
        """Wait for what its client would say again otherwise; whether there was anything."""
        if (done := self._handing.get(session)) is not None:
            await asyncio.shield(done)
        elif session.hand_over is not None:
            await self._hand_over(session, session.hand_over)
        elif session.debts:
            await session.debts.paid()
        else:
            return False
        return True

    async def _hand_over(self, session: Session, finish: Callable[[], Awaitable[None]]) -> None:
        """Its connection finishes what it does; whoever else asks meanwhile waits for that too."""
        done = self._handing[session] = asyncio.get_running_loop().create_future()
        try:
            await finish()
        finally:
            del self._handing[session]
            done.set_result(None)

    def _is_there(self, session: Session) -> bool:
        return session.ended is None and self._server.sessions.find(session.jid) is session

    def attached(self, session: Session) -> None:
        """It has a connection."""
        if self._cancel(session) and session.acks is not None:
            session.acks.resume()
            log.info("session resumed: %s", session.jid)

    def forget(self, session: Session) -> None:
        """The session has ended; what it had handled is remembered for its client."""
        self._cancel(session)
        acks = session.acks
        if acks is not None and self._sessions.pop(acks.id, None) is not None:
            self._newest.pop(acks.id, None)
            self._ended.put(acks.id, (session.jid.bare, acks.handled))
        session.acks = None  # which knows the session: so it need not be collected
        session.detach()

    def _had_handled(self, id: str, account: JID) -> int | None:
        owner, h = self._ended.get(id) or (None, None)
        return h if owner == account else None
