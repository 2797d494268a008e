"""Lets a client that nobody looks at sleep: what can wait is written with what cannot (XEP-0352).

Nothing leaves the session's queue for it, so nothing is lost or comes out of order, and a queue
that is full is written. While the client is inactive, its connection is just not woken for every
stanza. Whatever the client itself says wakes it too: then its radio is on anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Annotated

from msgspec import Meta

from ...core.negotiate import Phase
from ...core.payload import constant
from ...core.stanza import Stanza
from ...core.xml import Element
from ...kit.config import Table
from ...kit.meter import Counter
from ...wire import csi
from ..module import Module, binding, nonza, offering
from ..session import Key, Nonza, Session


class CsiSettings(Table):
    """How much waits for a client that nobody looks at."""

    count: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Stanzas that wait for one client; then all of them are written."""


class Doze:
    """Stands in for a session's `wake` while its client is inactive."""

    __slots__ = ("count", "held", "queue", "session", "superseded", "wake")

    def __init__(self, session: Session, count: int, superseded: Counter) -> None:
        self.session, self.count, self.superseded = session, count, superseded
        self.wake: Callable[[], None] = session.wake
        self.queue: list[Stanza | Nonza] = session.queue
        self.held: dict[Hashable, Stanza] = {}  # by what they are about

    def __call__(self) -> None:
        """Something was queued, or the session has ended."""
        queue = self.session.queue
        if queue is not self.queue:  # all that was held has been written
            self.queue, self.held = queue, {}
        newest = queue[-1] if queue and self.session.ended is None else None
        if not isinstance(newest, Stanza) or (topic := csi.topic(newest)) is None:
            return self._flush()
        old = self.held.pop(topic, None)
        if old is not None and old is not newest:
            self.session.unsend(old)
            self.superseded.value += 1
        self.held[topic] = newest
        return self._flush() if len(self.held) >= self.count else None

    def _flush(self) -> None:
        self.held = {}
        self.wake()


DOZE: Key[Doze | None] = Key("csi", default=None)


class Csi(Module):
    """Client state indication. Others are never told of it (§6)."""

    spec = csi.SPEC
    Settings = CsiSettings

    async def start(self) -> None:
        self._superseded = self.meter.counter(
            "superseded", "Stanzas that inactive clients were spared, since newer ones came."
        )

    async def stop(self) -> None:
        for session in self.host.sessions.at(self.host.domain):
            self._rouse(session)

    @offering(Phase.AUTHENTICATED)
    def offer(self, _secure: bool) -> Element:
        return constant(csi.Csi())

    @nonza(csi.Inactive)
    @binding(csi.Inactive)
    def sleep(self, _: csi.Inactive, session: Session) -> None:
        """From now on, what can wait does; to say so twice is no mistake (§4.2)."""
        doze = session[DOZE]
        if doze is None or session.wake is not doze:
            doze = session[DOZE] = Doze(session, self.settings.count, self._superseded)
            session.wake = doze

    @nonza(csi.Active)
    @binding(csi.Active)
    def rouse(self, _: csi.Active, session: Session) -> None:
        """What waits is written before anything that the client says next is done (§5.1)."""
        self._rouse(session)

    def _rouse(self, session: Session) -> None:
        doze = session[DOZE]
        session[DOZE] = None
        if doze is not None and session.wake is doze:  # else a new stream has begun active (§5.2)
            session.wake = doze.wake
            session.wake()
