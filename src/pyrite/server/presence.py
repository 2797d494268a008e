"""Who is there, and who is told (RFC 6121 §4): broadcasts, probes and directed presence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.stanza import Presence
from ..kit.outage import Outage
from ..wire import delay
from ..wire import presence as wire
from .rosters import Roster
from .session import Key, Session
from .subscriptions import Subscriptions

if TYPE_CHECKING:
    from .app import Server

MAX_DIRECTED = 1000  # addresses that one session may keep informed beside its roster

#: Whom a session has told that it is there, beside its roster (§4.6).
DIRECTED: Key[frozenset[JID]] = Key("directed", default=frozenset())

SUBSCRIBING = frozenset(("subscribe", "subscribed", "unsubscribe", "unsubscribed"))


@dataclass(frozen=True, slots=True)
class SessionAvailable:
    """A session has sent its first presence, and the server has done what follows from it."""

    session: Session


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """An available session has told everybody something new."""

    session: Session
    presence: Presence


@dataclass(frozen=True, slots=True)
class SessionUnavailable:
    """A session is no longer available; `presence` is what was told."""

    session: Session
    presence: Presence


class Presences:
    """The presence of all local sessions."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sessions = server.sessions
        self._rosters = server.rosters
        self._told: dict[Session, asyncio.Future[None]] = {}  # who is just telling something
        self.subscriptions = Subscriptions(server, self)

    # --- from local sessions ---------------------------------------------------------

    async def sent(self, presence: Presence, session: Session) -> None:
        """Handle what a local session sends. Raises `StanzaError` to refuse it."""
        kind, to = presence.type, presence.to
        if kind in SUBSCRIBING:
            await self.subscriptions.sent(presence, session)
        elif kind not in (None, "unavailable", "probe", "error"):
            raise StanzaError("bad-request", "there is no such type of presence")
        elif to is None:
            if kind == "unavailable":
                await self.leave(session, presence)
            elif kind is None:
                await self._broadcast(presence, session)
        elif kind == "probe":
            sender = session.jid if to.resource else session.jid.bare  # §4.6.6, §4.3
            await self.arrived(presence.routed(sender=sender), to)
        else:
            await self._direct(presence, to, session)

    async def _broadcast(self, presence: Presence, session: Session) -> None:
        """Presence to everybody (§4.2.2, §4.4.2): the first brings what the client missed."""
        wire.check(presence)
        roster = await self._rosters.of(session.jid.bare)
        if self._sessions.find(session.jid) is not session:
            return  # it was ended meanwhile
        is_first = session.presence is None
        session.presence = presence
        session.presence_at = session.host.clock.now()
        priority = wire.priority(presence)
        session.priority = min(session.priority, priority)  # what waits comes before what is new
        try:
            with self._telling(session):
                await self._tell(presence, roster.watchers)
                await self._tell_own(presence, session)
            if session.presence is not presence:
                return  # it was ended meanwhile
            if is_first:
                await self._welcome(session, roster)
            else:
                await session.host.events.tell(PresenceChanged(session, presence))
        finally:
            if session.presence is presence:
                if session.priority < 0:
                    session.willing_since = session.host.clock.monotonic()
                session.priority = priority

    async def _welcome(self, session: Session, roster: Roster) -> None:
        """Tell a session that came what it missed.

        One whose connection breaks meanwhile gets it all the same, when it is resumed: it will
        not ask again. If that is more than may wait for it, it ends.
        """
        for other in self._sessions.available(session.jid.bare):
            if other is not session and other.presence is not None:
                session.send(_stamped(other).routed(to=session.jid))
        for source in roster.sources:
            if self._sessions.of(source):  # of one who is not there, silence says the same
                await self.reply(Presence("probe", source, session.jid))
                await session.room()
                if session.ended is not None:
                    return
        await self.subscriptions.deliver_pending(roster, session)
        await session.host.events.tell(SessionAvailable(session))

    async def leave(self, session: Session, presence: Presence | None = None) -> None:
        """Tell everybody who was told of `session` that it is gone (§4.5, §4.6.3).

        `presence` is what the client said; a connection that broke said nothing.
        """
        if (told := self._told.get(session)) is not None:
            await asyncio.shield(told)
        directed = session[DIRECTED]
        if session.presence is None and not directed:
            return
        gone = presence or Presence("unavailable", sender=session.jid)
        was_available = session.presence is not None
        session[DIRECTED] = frozenset()
        session.presence, session.priority = None, -1
        roster = await self._rosters.of(session.jid.bare)
        if not was_available:
            await self._tell(gone, directed)
            return
        await self._tell(gone, roster.watchers)
        await self._tell_own(gone, session)
        await self._tell(gone, (to for to in directed if not roster.is_watched_by(to.bare)))
        await session.host.events.tell(SessionUnavailable(session, gone))

    async def _direct(self, presence: Presence, to: JID, session: Session) -> None:
        """Presence to one address, remembered so that it hears of the end (§4.6)."""
        known = session[DIRECTED]
        if presence.type == "unavailable":
            session[DIRECTED] = known - {to}
        elif presence.type is None and to not in known:
            if len(known) >= MAX_DIRECTED:
                raise StanzaError("resource-constraint", "directed presence to too many")
            session[DIRECTED] = known | {to}
        with self._telling(session):
            await self.arrived(presence, to)

    @contextmanager
    def _telling(self, session: Session) -> Iterator[None]:
        """What is told meanwhile is told before the end of `session` is."""
        done = self._told[session] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._told[session]
            done.set_result(None)

    # --- to local accounts -----------------------------------------------------------

    async def arrived(self, presence: Presence, to: JID) -> None:
        """Handle presence for `to`, from whoever its `sender` is.

        Raises `StanzaError` ``remote-server-not-found`` for a domain that is not ours;
        whatever else cannot be delivered is ignored, as §8.5 wants.
        """
        self._server.router.host_of(to)
        if to.local is None:
            return
        if presence.type in SUBSCRIBING:
            await self.subscriptions.arrived(presence, to.bare)
        elif presence.type == "probe":
            await self._probed(presence, to)
        elif to.resource is not None:
            exact = self._sessions.find(to)
            if exact is not None:
                await self._hand_over(presence, to.bare, (exact,))
        elif presence.type != "error":
            targets = self._sessions.available(to)
            if targets:
                await self._hand_over(presence, to, targets)

    async def _hand_over(self, presence: Presence, owner: JID, targets: Sequence[Session]) -> None:
        host = targets[0].host
        try:
            presence = await host.delivering.run(presence, owner, targets)  # type: ignore[assignment]
        except (StanzaError, Outage):
            # dropped if a guard stops it, for an error would tell who blocks whom; and if none
            # can say, for that is nobody's fault who is told next
            return
        is_gone = presence.type == "unavailable"
        for target in targets:
            if is_gone and presence.sender in target[DIRECTED]:  # it need not be told (§4.6.1)
                target[DIRECTED] -= {presence.sender}
            target.send(presence)

    async def _probed(self, probe: Presence, to: JID) -> None:
        """Answer a probe for an account or a resource, if its sender may know (§4.3.2)."""
        asker, owner = probe.sender, to.bare
        if asker is None:
            return
        may_know = asker.bare == owner or await self._is_watched(owner, asker.bare)
        if to.resource is not None and (may_know or self._was_told(to, asker)):
            exact = self._sessions.find(to)
            is_there = exact is not None and exact.presence is not None
            kind = None if is_there or self._was_told(to, asker) else "unavailable"
            await self.reply(Presence(kind, asker, to, probe.id if kind else None))
        elif not may_know:
            await self.reply(Presence("unsubscribed", asker.bare, owner, probe.id))
        else:
            for session in self._sessions.available(owner):
                await self.reply(_stamped(session).routed(to=asker))

    async def _is_watched(self, owner: JID, contact: JID) -> bool:
        """Whether `contact` may see the presence of `owner`, if there is such an account."""
        if not self._sessions.of(owner) and not await self._server.accounts.exists(owner):
            return False  # and there is no roster to be kept in memory
        return (await self._rosters.of(owner)).is_watched_by(contact)

    def _was_told(self, resource: JID, asker: JID) -> bool:
        """Whether `resource` has sent presence to `asker` and not ended it (§4.6.6)."""
        session = self._sessions.find(resource)
        return session is not None and not session[DIRECTED].isdisjoint((asker, asker.bare))

    # --- telling ---------------------------------------------------------------------

    async def reply(self, presence: Presence) -> None:
        """Bring presence that the server sends for somebody to its `to`; drop what cannot be."""
        to = presence.to
        if to is None:
            return
        try:
            await self.arrived(presence, to)
        except StanzaError:
            return  # the domain is not served: nobody is there to be told

    async def _tell(self, presence: Presence, addresses: Iterable[JID]) -> None:
        """Send copies of `presence`, from its sender, to each of `addresses`."""
        sessions, hosts = self._sessions, self._server.hosts
        for address in addresses:
            if address.domain not in hosts:
                continue
            if address.resource is None and not sessions.of(address):
                continue
            await self.arrived(presence.routed(to=address), address)

    async def _tell_own(self, presence: Presence, session: Session) -> None:
        """To the account's available resources, the sender's own included (§4.2.2)."""
        own = session.jid.bare
        targets = self._sessions.available(own)
        if session not in targets and session.ended is None:
            targets.append(session)
        if targets:
            await self._hand_over(presence.routed(to=own), own, targets)

    async def show(self, roster: Roster, contact: JID) -> None:
        """Tell `contact` of every available resource of the roster's owner: it may know now."""
        for session in self._sessions.available(roster.owner):
            if session.presence is not None:
                await self.reply(session.presence.routed(to=contact))

    async def hide(self, owner: JID, contact: JID) -> None:
        """Tell `contact` that every resource of `owner` is gone: it may not know any more."""
        for session in self._sessions.available(owner):
            await self.reply(Presence("unavailable", contact, session.jid))


def _stamped(session: Session) -> Presence:
    """The session's presence with the time at which it was sent (§4.3.2, XEP-0203)."""
    presence = session.presence
    if presence is None or session.presence_at is None:
        raise ValueError(f"{session.jid} is not available")
    return delay.stamped(presence, session.presence_at, session.jid.bare)
