"""Stream management: stanzas are acknowledged, broken streams resumed (XEP-0198).

What a client reads in our acknowledgement is what it need never send again: it is handled, and
whatever it leaves behind is on the disk.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID
from ...core.negotiate import Phase
from ...core.payload import encode
from ...core.xml import Element
from ...kit.config import DAY, MINUTE, Duration, Table, Wrong
from ...wire import acks
from ..acks import Terms
from ..module import Module, binding, early, nonza, offering
from ..resumption import UnknownSessionError
from ..session import Session


class AcksSettings(Table):
    """How long a session outlives its connection, and how often its client is asked."""

    keep: Duration = Duration(10 * MINUTE)
    """A client whose connection broke may come back for so long, at most a day. Until then it is
    available, and what comes for it waits. 0: streams are not resumed."""
    ask_every: Annotated[int, Meta(ge=1, le=1000)] = 50
    """Stanzas after which a client is asked what it has got."""
    ask_after: Duration = Duration(2)
    """Or so long after it was asked before, if there is anything to ask for."""

    def __post_init__(self) -> None:
        if not 0 <= self.keep <= DAY:
            raise Wrong("expected 0s to 1d", "keep")
        if self.ask_after < 0:
            raise Wrong("expected 0s or more", "ask-after")


class Acks(Module):
    """Acknowledgements, for each session whose client enables them."""

    spec = acks.SPEC
    Settings = AcksSettings

    async def start(self) -> None:
        self._resumption = self.host.server.resumption
        self._resumed = self.meter.counter("resumed", "Sessions that went on after a break.")
        self._unknown = self.meter.counter("unknown", "Sessions that were to go on and are none.")

    @offering(Phase.AUTHENTICATED)
    def offer(self, _secure: bool) -> Element:
        return encode(acks.Sm())

    # --- enabling (§3) ---------------------------------------------------------------

    @nonza(acks.Enable)
    def enable(self, wanted: acks.Enable, session: Session) -> None:
        """From the answer on; only once, so that counts stay what they are."""
        if session.acks is not None:
            session.say(_failure("unexpected-request"))
        else:
            session.say(self._enable(wanted, session, is_queued=True))

    @binding(acks.Enable)
    def enable_inline(self, wanted: acks.Enable, session: Session) -> Element:
        """Along with the resource (§9.1): what is queued comes after the answer."""
        if session.acks is not None:
            return _failure("unexpected-request")
        return self._enable(wanted, session, is_queued=False)

    def _enable(self, wanted: acks.Enable, session: Session, *, is_queued: bool) -> Element:
        keep = int(min(self.settings.keep, wanted.max or DAY)) if wanted.resume else 0
        terms = Terms(keep, self.settings.ask_every, self.settings.ask_after)
        made = self._resumption.enable(session, terms, is_queued=is_queued)
        if not keep:
            return encode(acks.Enabled())
        return encode(acks.Enabled(id=made.id, resume=True, max=keep))

    @early(acks.Enable)
    def enable_early(self, _: acks.Enable, __: JID | None) -> tuple[Element, None]:
        """There is no session yet whose stanzas could be counted (§3)."""
        return _failure("unexpected-request"), None

    # --- acknowledging (§4) ----------------------------------------------------------

    @nonza(acks.Ask)
    def asked(self, _: acks.Ask, session: Session) -> None:
        if session.acks is None:
            raise StreamError("unsupported-stanza-type", "acknowledgements are not enabled")
        session.acks.tell()

    @nonza(acks.Ack)
    def told(self, ack: acks.Ack, session: Session) -> None:
        if session.acks is None:
            raise StreamError("unsupported-stanza-type", "acknowledgements are not enabled")
        session.acks.acknowledge(ack.h)

    # --- resuming (§5) ---------------------------------------------------------------

    @early(acks.Resume)
    async def resume(
        self, asked: acks.Resume, account: JID | None
    ) -> tuple[Element, Session | None]:
        """Go on with a session of the same account; who cannot may still bind a resource."""
        if account is None:
            return _failure("unexpected-request"), None
        if asked.h is None:
            return _failure("bad-request"), None
        try:
            session = await self._resumption.resume(asked.previd, asked.h, account)
        except UnknownSessionError as error:
            self._unknown.value += 1
            return _failure("item-not-found", error.h), None
        self._resumed.value += 1
        h = session.acks.handled if session.acks else 0
        return encode(acks.Resumed(asked.previd, h)), session

    @nonza(acks.Resume)
    def resume_late(self, _: acks.Resume, session: Session) -> None:
        """A client that has a session cannot have another one on this stream."""
        session.say(_failure("unexpected-request"))


def _failure(condition: str, h: int | None = None) -> Element:
    return encode(acks.failed(StanzaError(condition), h))
