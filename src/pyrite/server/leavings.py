"""What becomes of stanzas whose client went before it had them (RFC 6121 §8.5, XEP-0198 §4)."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.stanza import Iq, Message, Presence, Stanza
from ..kit.outage import Outage
from ..kit.tasks import ScopeFullError
from ..wire import delay
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
        came = self._server.clock.monotonic()
        try:
            self._server.scope.start(self._hand_back(stanza, session, came))
        except ScopeFullError as error:
            log.error("1 stanzas lost: %s", session.jid, exc_info=error)

    async def _hand_back(self, stanza: Stanza, session: Session, came: float) -> None:
        """Save a stanza that waited for its client since `came`, the clock's time."""
        own, host, router = session.jid.bare, session.host.jid, self._server.router
        token = AGAIN.set(True)
        try:
            if isinstance(stanza, Iq) and stanza.is_request:
                if stanza.sender is not None:
                    await router.route(stanza.refuse(StanzaError("recipient-unavailable")))
            elif isinstance(stanza, Message):
                await self._message(stanza, own, host, came)
        except (StanzaError, Outage) as error:
            if stanza.sender is not None and stanza.type != "error":
                refused = refusal(error) if isinstance(error, Outage) else error
                await router.route(stanza.refuse(refused))
        finally:
            AGAIN.reset(token)

    async def _message(self, message: Message, own: JID, host: JID, came: float) -> None:
        """Deliver it anew, by its stamp known as one that was delivered before."""
        if self._has_another(message, own, came):
            return
        if delay.stamp_by(message, host) is None:
            clock = self._server.clock
            when = clock.now() - timedelta(seconds=clock.monotonic() - came)
            message = delay.stamped(message, when, host)
        await self._server.router.message(message, own)

    def _has_another(self, message: Message, own: JID, came: float) -> bool:
        """Whether another resource was given it too when it `came`: not if it waited for this one.

        One whose presence is newer may not have been there: better twice than not at all.
        """
        is_full = message.to is not None and message.to.resource is not None
        if is_full or delay.stamp_by(message, JID(None, own.domain)) is not None:
            return False
        available = self._server.sessions.available(own)
        return any(s.priority >= 0 and s.presence_came <= came for s in available)
