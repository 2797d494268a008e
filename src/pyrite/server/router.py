"""The way of a stanza from whoever sends it to whoever it is for (RFC 6120 §10, RFC 6121 §8).

Nothing here waits for a receiver. `receive` returns when the stanza has been handled, so a
connection that awaits it reads no faster than the server works, and its stanzas stay in
order (RFC 6120 §10.1).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import StanzaError, StreamError
from ..core.jid import JID
from ..core.stanza import Iq, Message, Presence, Stanza, check_iq, read_unaddressed
from ..core.xml import Element
from ..kit.meter import Counter, Family
from ..kit.outage import Outage
from ..store.errors import QuotaExceeded
from ..wire.delivery import Action, decide, target
from .debts import HANDLING
from .module import Request
from .session import Session

if TYPE_CHECKING:
    from .app import Server
    from .hosts import Host

log = logging.getLogger(__name__)

#: What is routed now was routed before, to a session that went before taking it: it has its ids,
#: stands in the archives, and was copied to whoever wanted copies.
AGAIN: ContextVar[bool] = ContextVar("again", default=False)

SAMPLE = 64  # one of so many stanzas is timed
CLASSES = (0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)


class Router:
    """Where every stanza passes, once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sessions = server.sessions
        self.hosts = server.hosts
        meter = server.meter
        self._monotonic = server.clock.monotonic
        self._received = by_kind(
            meter.counters("stanzas_received", "Stanzas that clients here have sent.", "kind")
        )
        self.refused = meter.counters(
            "stanzas_refused", "Stanzas that were answered with an error.", "kind", "condition"
        )
        self._seconds = meter.timer(
            "stanza_seconds",
            f"Time from a stanza read to all done; one of {SAMPLE} is timed.",
            CLASSES,
        )
        self.delivered = by_kind(
            meter.counters("stanzas_delivered", "Stanzas queued for clients here.", "kind")
        )
        self._until_timed = 1

    # --- from local sessions ---------------------------------------------------------

    async def receive(self, stanza: Stanza, session: Session) -> None:
        """Take a stanza from a local session, already stamped with its address.

        Refusals go back to the session. Raises nothing but cancellation and `StreamError`.
        """
        self._received[stanza.__class__].value += 1
        HANDLING.set(session)
        session.handling = stanza
        self._until_timed -= 1
        began = None if self._until_timed else self._monotonic()
        try:
            if stanza.__class__ is Iq:
                check_iq(stanza)
            stanza = await session.host.sending.run(stanza, session)
            await self._send(stanza, session)
        except StanzaError as error:
            self._failed(stanza, error, session)
        except StreamError:
            raise
        except (Outage, QuotaExceeded) as error:
            self._failed(stanza, refusal(error), session)
        except Exception:
            log.exception("stanza failed: %s from %s", stanza.tag, session.jid)
            self._failed(stanza, StanzaError("internal-server-error"), session)
        finally:
            session.handled += 1
            if began is not None:
                self._timed(began)

    def _timed(self, began: float) -> None:
        self._seconds.observe(self._monotonic() - began)
        self._until_timed = SAMPLE

    def _failed(self, stanza: Stanza, error: StanzaError, session: Session) -> None:
        """Refuse what is handled now, unless a part of it could not be kept, and that was told."""
        if session.debts is None or not session.debts.told():
            self.refuse(stanza, error, session)

    def refuse(self, stanza: Stanza, error: StanzaError, session: Session) -> None:
        """Tell the sender, unless the stanza is an answer itself or presence that says no more."""
        if stanza.type == "error" or (stanza.__class__ is Iq and stanza.type == "result"):
            return
        if stanza.__class__ is Presence and stanza.type == "unavailable":
            return
        self.refused[stanza.tag, error.condition].value += 1
        own = session.jid.bare if stanza.to is None else None  # what it was meant for, unsaid
        session.send(stanza.refuse(error).routed(sender=own, to=session.jid))

    def refuse_unread(self, element: Element, error: StanzaError, session: Session) -> None:
        """Tell a local session that the addresses of a stanza of its are none."""
        stanza = read_unaddressed(element)
        session.handled += 1
        if stanza.type not in ("error", "result"):
            self.refused[stanza.tag, error.condition].value += 1
            session.send(stanza.refuse(error).routed(to=session.jid))

    async def _send(self, stanza: Stanza, session: Session) -> None:
        match stanza:
            case Message():
                await self.message(stanza, stanza.to or session.jid.bare)
            case Presence():
                await self.server.presences.sent(stanza, session)
            case Iq():
                await self._iq(stanza, stanza.to or session.jid.bare, session)

    # --- to whoever a stanza is for --------------------------------------------------

    async def route(self, stanza: Stanza) -> None:
        """Bring a stanza that the server or a service made to its `to`; drop what is refused."""
        try:
            await self.bring(stanza)
        except StanzaError as error:
            log.debug("dropped: %s to %s: %s", stanza.tag, stanza.to, error)

    async def bring(self, stanza: Stanza) -> None:
        """As `route`, but raises `StanzaError` where the stanza is refused."""
        to = stanza.to
        if to is None:
            raise ValueError("nobody to route to")
        match stanza:
            case Message():
                await self.message(stanza, to)
            case Presence():
                await self.server.presences.arrived(stanza, to)
            case Iq():
                await self._iq(stanza, to, None)

    def host_of(self, to: JID) -> Host:
        """The host that serves `to`. Raises `StanzaError` for a domain that is not ours."""
        host = self.hosts.get(to.domain)
        if host is None:
            raise StanzaError("remote-server-not-found", "that domain is not served here")
        return host

    async def message(
        self, message: Message, to: JID, *, besides: Collection[Session] = ()
    ) -> None:
        """Deliver by the table of RFC 6121 §8.5, but to those `besides` who have it.

        Raises `StanzaError` to refuse.
        """
        host = self.host_of(to)
        if to.local is None:
            return await self._to_host(message)
        account = self.sessions.of(to.bare)
        exact = account.get(to.resource) if to.resource is not None else None
        if exact is not None:
            return await self._deliver(message, to.bare, (exact,), host)
        available = [s for s in account.values() if s.presence is not None]
        there = target(session.priority for session in available)
        match decide(message, to.resource is not None, there):
            case Action.DELIVER_WILLING:
                willing = [s for s in available if s.priority >= 0 and s not in besides]
                await self._deliver(message, to.bare, willing, host)
            case Action.STORE:
                await self._store(message, to.bare, host)
            case Action.REFUSE:
                raise StanzaError("service-unavailable")
        return None

    async def _deliver(
        self, message: Message, owner: JID, targets: Sequence[Session], host: Host
    ) -> None:
        """To all of them that are still there; if none is, it goes the way of what they left."""
        message = await host.delivering.run(message, owner, targets)  # type: ignore[assignment]
        late = None
        for session in targets:
            if session.gone is None:
                session.send(message)
            else:
                late = session
        if late is not None and all(s.gone and not s.keeps(message) for s in targets):
            await self.server.leavings.too_late(message, late)

    async def _store(self, message: Message, owner: JID, host: Host) -> None:
        """Nobody is there to take `message`: keep it, or refuse it if nobody keeps it."""
        if not await self.server.accounts.exists(owner):
            return  # as silent as an account that keeps it (§8.5.1)
        message = await host.delivering.run(message, owner, ())  # type: ignore[assignment]
        if not await host.undelivered.run(message, owner):
            raise StanzaError("service-unavailable")
        await host.events.tell(MessageWaits(message, owner))

    async def _to_host(self, message: Message) -> None:
        if message.type != "error":
            raise StanzaError("service-unavailable", "nobody reads messages to the server")

    async def _iq(self, iq: Iq, to: JID, sender: Session | None) -> None:
        """Answer an IQ, or hand it to the resource it is for."""
        host = self.host_of(to)
        if not iq.is_request:
            await self._answered(iq, to, host, sender)
        elif to.resource is None:
            await self._ask(iq, to, host, sender)
        else:
            target = self.sessions.find(to)
            if target is None:
                raise StanzaError("service-unavailable")
            iq = await host.delivering.run(iq, to.bare, (target,))  # type: ignore[assignment]
            target.send(iq)

    async def _ask(self, iq: Iq, to: JID, host: Host, sender: Session | None) -> None:
        origin = iq.sender
        if origin is None:
            raise StanzaError("bad-request", "a request from nobody")
        await host.delivering.run(iq, to, ())
        answer = await host.answer(Request(iq, origin, to, sender))
        if sender is not None:
            if iq.to is None:
                answer.sender = to  # fresh: nobody has seen it yet
            sender.send(answer)
        else:
            await self.route(answer)

    async def _answered(self, iq: Iq, to: JID, host: Host, sender: Session | None) -> None:
        """A result or error: to the resource that asked, or to ourselves."""
        if to.resource is None:
            if to == host.jid and host.asking.settle(iq):
                return
            if sender is not None and to in (host.jid, sender.jid.bare):
                sender.settle(iq)
            return
        target = self.sessions.find(to)
        if target is not None:
            iq = await host.delivering.run(iq, to.bare, (target,))  # type: ignore[assignment]
            target.send(iq)


@dataclass(frozen=True, slots=True)
class MessageWaits:
    """Nobody was there to take a message; it is kept, if it is worth that."""

    message: Message
    owner: JID  # bare


def refusal(error: Outage | QuotaExceeded) -> StanzaError:
    """What a peer is told of it: whether it is worth another try, and no more (RFC 6120 §8.3.3)."""
    if isinstance(error, QuotaExceeded):
        return StanzaError("resource-constraint", str(error))
    return StanzaError("resource-constraint" if error.passes else "internal-server-error")


def by_kind(family: Family[Counter]) -> dict[type[Stanza], Counter]:
    """The counters for messages, presence and IQs, by the class of the stanza."""
    return {kind: family[kind.tag] for kind in (Message, Presence, Iq)}
