"""What becomes of stanzas whose client went before it had them (RFC 6121 §8.5, XEP-0198 §4)."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.stanza import Iq, Message, Presence, Stanza
from ..kit.outage import Outage
from ..kit.tasks import ScopeFullError
from ..wire import delay, stanzaid
from ..wire.delivery import Action, Target, decide
from ..wire.offline import Offline
from .copying import has_all, has_copy
from .router import AGAIN, refusal

if TYPE_CHECKING:
    from .app import Server
    from .session import Session

#: What happens now is part of the end of a session.
ENDING: ContextVar[bool] = ContextVar("ending", default=False)

log = logging.getLogger(__name__)


class Leavings:
    """Brings back to the router what a session has left: what its client did not acknowledge,
    or, where it acknowledges nothing, what was not written."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def hand_back(self, session: Session) -> None:
        """All that `session` has, in order; and what comes for it from now on, each by itself."""
        failures: list[Exception] = []
        while waiting := session.leavings():
            for stanza, came in waiting:
                try:
                    await self._hand_back(stanza, session, came)
                except Exception as error:
                    failures.append(error)
        session.gone = self._came_late
        if failures:
            number = len(failures)
            log.error("%d stanzas lost: %s", number, session.jid, exc_info=failures[0])

    def _came_late(self, session: Session, stanza: Stanza) -> None:
        """A stanza was under way to a session that is gone: as if it had waited there."""
        if isinstance(stanza, Presence) or stanza.type in ("error", "result"):
            return
        self.bring_back(session, stanza, self._server.clock.monotonic())

    def bring_back(self, session: Session, stanza: Stanza, came: float) -> None:
        """As if it had waited there since it `came`."""
        try:
            self._server.scope.start(self._hand_back(stanza, session, came))
        except ScopeFullError as error:
            log.error("1 stanzas lost: %s", session.jid, exc_info=error)

    async def too_late(self, message: Message, session: Session) -> None:
        """`message` was for `session` and perhaps others, and all of them went before they had it.

        Who waits for this says nothing newer before it is handed back.
        """
        came = self._server.clock.monotonic()
        try:
            task = self._server.scope.start(self._hand_back(message, session, came, is_late=True))
        except ScopeFullError as error:
            log.error("1 stanzas lost: %s", session.jid, exc_info=error)
        else:
            await asyncio.wait((task,))

    async def _hand_back(
        self, stanza: Stanza, session: Session, came: float, *, is_late: bool = False
    ) -> None:
        """Save a stanza that waited for its client since `came`, the clock's time.

        If it `is_late`, nobody was given it.
        """
        own, host, router = session.jid.bare, session.host.jid, self._server.router
        token = AGAIN.set(True)
        try:
            if isinstance(stanza, Iq) and stanza.is_request:
                if stanza.sender is not None:
                    await router.route(stanza.refuse(StanzaError("recipient-unavailable")))
            elif isinstance(stanza, Message):
                await self._message(stanza, own, host, came, is_late=is_late)
        except (StanzaError, Outage) as error:
            if stanza.sender is not None and stanza.type != "error":
                refused = refusal(error) if isinstance(error, Outage) else error
                await router.route(stanza.refuse(refused))
        finally:
            AGAIN.reset(token)

    async def _message(
        self, message: Message, own: JID, host: JID, came: float, *, is_late: bool
    ) -> None:
        """Deliver it anew, by its stamp known as one that was delivered before."""
        if _is_for_one(message) and decide(message, True, Target.ABSENT) is Action.IGNORE:
            return
        willing = [s for s in self._server.sessions.available(own) if s.priority >= 0]
        if not is_late and any(self._was_given(one, message, came) for one in willing):
            return
        copied = self._copied(message, willing, came)
        if copied and len(copied) == len(willing):
            if stanzaid.given_by(message, own) is not None or any(map(has_all, copied)):
                return
            copied = []  # and lost if they go: better twice than not at all
        if delay.stamp_by(message, host) is None:
            clock = self._server.clock
            when = clock.now() - timedelta(seconds=clock.monotonic() - came)
            message = delay.stamped(message, when, host)
        await self._server.router.message(message, own, besides=copied)

    def _was_given(self, session: Session, message: Message, came: float) -> bool:
        """Whether another one was given it too when it `came`: it brings it back if need be.

        One whose presence is newer may not have been there: better twice than not at all.
        """
        is_stamped = delay.stamp_by(message, session.host.jid) is not None
        if message.has(Offline) or (_is_for_one(message) and not is_stamped):
            return False
        return session.willing_since <= came

    def _copied(self, message: Message, willing: list[Session], came: float) -> list[Session]:
        """Those that got a copy when it `came`, which they do not bring back.

        None does of what comes a second time.
        """
        if not willing or delay.stamp_by(message, willing[0].host.jid) is not None:
            return []
        return [session for session in willing if has_copy(session, message, came)]


def _is_for_one(message: Message) -> bool:
    return message.to is not None and message.to.resource is not None
