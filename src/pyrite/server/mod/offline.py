"""Keeps messages for users who are away, and hands them over (RFC 6121 §8.5, XEP-0160, XEP-0013).

Whoever comes with a priority of 0 or more gets all that waits. A client that asks for a list of
it first gets only what it asks for, and has to say what can go.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Annotated

from msgspec import Meta

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID
from ...core.payload import name_of
from ...core.stanza import NS as NS_CLIENT
from ...core.stanza import Message, read
from ...core.xml import KEPT, parse
from ...kit.config import DAY, HOUR, Duration, Size, Table, Wrong
from ...kit.tasks import ScopeFullError
from ...store.errors import StoreError
from ...wire import delay, disco, offline, stanzaid
from ...wire.presence import priority
from ..module import At, Module, Request, node, on, request, undelivered
from ..naming import FETCHED
from ..presence import PresenceChanged, SessionAvailable, SessionUnavailable
from ..router import AGAIN
from ..session import Key, Session, SessionEnded
from ..store.offline import Waiting

PAGE = 100  # messages that are read at a time
PURGE_EVERY = HOUR  # seconds between looks for messages that nobody came for
PURGE_PAGE = 1000  # messages that are deleted at a time

#: The session has asked for a list, so nothing is handed over unasked (XEP-0013 §2.2).
CHOOSES = Key("offline chooses", default=False)
#: The session has got what waited, and new messages reach it without waiting.
SERVED = Key("offline served", default=False)

ANYBODY = At.OWN | At.OTHERS


class OfflineSettings(Table):
    """How much waits for one account, and how long."""

    count: Annotated[int, Meta(ge=1)] = 500
    """Messages that wait for one account."""
    size: Size = Size(1 << 20)
    """Octets of all of them together."""
    keep: Duration = Duration(90 * DAY)
    """How long a message waits at least before it is deleted."""

    def __post_init__(self) -> None:
        if self.keep <= 0:
            raise Wrong("expected more than 0s", "keep")


class Given:
    """What an account's clients were handed over, and is kept until they have it."""

    def __init__(self) -> None:
        self.last = 0  # all up to this id is in `to`, or gone
        self.to: dict[int, Session | None] = {}  # id -> who was given it; None: it has it
        self.taken: list[int] = []  # what is to be deleted
        self.is_deleting = False


class Offline(Module):
    """Offline messages, in the order in which they came, stamped with when that was."""

    spec = offline.SPEC
    features = (offline.NS, "msgoffline")
    Settings = OfflineSettings

    async def start(self) -> None:
        limits = self.host.server.settings.limits
        # more than a client's queue has room for could never be handed over
        self._limit_count = min(self.settings.count, limits.send_queue // 2)
        self._limit_bytes = min(int(self.settings.size), int(limits.send_queue_size) // 2)
        self._stored = self.meter.counter("stored", "Messages kept until somebody comes.")
        self._full = self.meter.counter("refused", "Messages refused: the account has too many.")
        self._handed = self.meter.counter("handed_over", "Kept messages given to a client.")
        self._serving: dict[JID, asyncio.Future[None]] = {}  # account being served -> its end
        self._given: dict[JID, Given] = {}
        self.scope.start(self._purge())

    async def stop(self) -> None:
        """Delete what clients have, or they would get it once more."""
        for owner, given in tuple(self._given.items()):
            await self._delete(owner, given)

    # --- in --------------------------------------------------------------------------

    @undelivered
    async def keep(self, message: Message, owner: JID) -> bool:
        """Keep what is worth it; the rest is dropped in silence (XEP-0160 §3)."""
        if not offline.is_worth_keeping(message):
            return True
        if not AGAIN.get():  # what older ones an ending session had is put back before it
            await self.host.server.left(owner)
        # it is older if it was handed over before to a client that did not take it
        stamp = delay.stamp_by(message, self.host.jid) or self.clock.now()
        message = delay.without_forged(message, (self.host.jid,))  # stamped when it is given out
        is_kept = await self.host.stores.offline.add(
            owner,
            message.sender or self.host.jid,
            message.routed(to=message.to or owner).write(),
            stamp,
            limit_count=self._limit_count,
            limit_bytes=self._limit_bytes,
        )
        (self._stored if is_kept else self._full).value += 1
        if is_kept:
            for session in self.host.sessions.available(owner):
                if session[SERVED]:  # it came while the message was being kept
                    await self._serve(session)
                    break
        # what stands in the archive is not lost, however full it is here
        return is_kept or stanzaid.given_by(message, owner) is not None

    # --- out, unasked ----------------------------------------------------------------

    @on(SessionAvailable)
    async def appeared(self, event: SessionAvailable) -> None:
        await self._welcome(event.session)

    @on(PresenceChanged)
    async def changed(self, event: PresenceChanged) -> None:
        await self._welcome(event.session)

    @on(SessionUnavailable)
    def left(self, event: SessionUnavailable) -> None:
        event.session[SERVED] = False

    async def _welcome(self, session: Session) -> None:
        """Hand over what waits, once for each time that the session gets willing (§3)."""
        if session.presence is None or priority(session.presence) < 0:
            session[SERVED] = False
        elif not session[SERVED] and not self._is_chosen_from(session.jid.bare):
            session[SERVED] = True
            await self._serve(session)

    def _is_chosen_from(self, owner: JID) -> bool:
        """Whether a client of the account looks through its messages by itself (§2.2)."""
        return any(session[CHOOSES] for session in self.host.sessions.of(owner).values())

    async def _serve(self, session: Session) -> None:
        """Hand over all that waits, oldest first. It is deleted when the client has it.

        Of an account one at a time. Whoever comes meanwhile waits, so that what its senders send
        next stays behind what they sent before.
        """
        owner = session.jid.bare
        while (under_way := self._serving.get(owner)) is not None:
            await asyncio.shield(under_way)
        done = self._serving[owner] = asyncio.get_running_loop().create_future()
        try:
            while await self._serve_some(session, owner):
                continue
            if session.acks is not None and self._given.get(owner):
                session.acks.ask()  # soon: what a kill takes before that, it would get again
        except StoreError as error:
            session[SERVED] = False  # its next presence tries again
            self.log.info("offline messages were not handed over: %s: %s", owner, error)
        finally:
            del self._serving[owner]
            done.set_result(None)

    async def _serve_some(self, session: Session, owner: JID) -> bool:
        """Hand over a page of what waits; whether there may be more."""
        given = self._given.setdefault(owner, Given())
        waiting = await self.host.stores.offline.load(owner, after=given.last, limit=PAGE)
        if not waiting or not self._is_there(session):
            return False
        given.last = waiting[-1].id
        for each in waiting:
            if each.id not in given.to:
                self._give(each, session, given)
        return len(waiting) == PAGE

    def _give(self, waiting: Waiting, session: Session, given: Given) -> None:
        owner, message = session.jid.bare, self._message(waiting)
        given.to[waiting.id] = session
        if message is None or stanzaid.given_by(message, owner) in session[FETCHED]:
            self._taken(owner, waiting.id)
        else:
            self._handed.value += 1
            session.send_kept(message, partial(self._taken, owner, waiting.id))

    def _taken(self, owner: JID, id: int) -> None:
        """A client has it: it need not be kept any longer."""
        given = self._given.setdefault(owner, Given())
        given.to[id] = None
        given.taken.append(id)
        if not given.is_deleting:
            given.is_deleting = True
            try:
                self.scope.start(self._delete(owner, given))
            except ScopeFullError:
                given.is_deleting = False  # it goes with the next

    async def _delete(self, owner: JID, given: Given) -> None:
        """Delete what clients have; what comes meanwhile goes together."""
        try:
            while given.taken:
                ids, given.taken = given.taken, []
                try:
                    await self.host.stores.offline.remove(owner, ids)
                except StoreError as error:
                    given.taken += ids  # they go with the next
                    self.log.info("offline messages were not deleted: %s: %s", owner, error)
                    return
                for id in ids:
                    del given.to[id]
        finally:
            given.is_deleting = False
            if not given.to and owner not in self._serving:
                self._given.pop(owner, None)

    @on(SessionEnded)
    async def ended(self, event: SessionEnded) -> None:
        """What it was given and did not take is for the next one."""
        owner = event.session.jid.bare
        given = self._given.get(owner)
        if given is None:
            return
        for id in [id for id, session in given.to.items() if session is event.session]:
            del given.to[id]
            given.last = 0
        for session in self.host.sessions.available(owner):
            if session[SERVED]:
                await self._serve(session)
                break

    def _is_there(self, session: Session) -> bool:
        is_bound = session.ended is None and self.host.sessions.find(session.jid) is session
        return is_bound and session[SERVED]

    def _message(self, waiting: Waiting) -> Message | None:
        """The message with the time at which it came (XEP-0203)."""
        try:
            stanza = read(parse(waiting.stanza, NS_CLIENT, limits=KEPT))
        except (StreamError, StanzaError) as error:
            self.log.warning("an offline message cannot be read: %s: %s", waiting.id, error)
            return None
        if not isinstance(stanza, Message):
            return None
        return delay.stamped(stanza, waiting.stamp, self.host.jid, "Offline storage")

    # --- out, by choice (XEP-0013) ---------------------------------------------------

    @node(offline.NS, at=ANYBODY)
    async def look(self, request: Request) -> tuple[disco.Info, disco.Items]:
        """How many messages wait, or which (§2.2, §2.3). From now on the client chooses."""
        session = _owner_session(request)
        session[CHOOSES] = True
        store = self.host.stores.offline
        if request.iq.payloads[0].name == name_of(disco.Info):
            return offline.count_info(await store.count(request.to)), disco.Items()
        headers = await store.headers(request.to)
        items = (disco.Item(request.to, _node(each.id), str(each.sender)) for each in headers)
        return disco.Info(), disco.Items(items=tuple(items))

    @request("get", offline.Offline, at=ANYBODY)
    async def fetch(self, query: offline.Offline, request: Request) -> None:
        """Send the messages that are asked for, or all; they stay (§2.4, §2.6)."""
        session = _owner_session(request)
        wish, nodes = offline.request_of(query, "get")
        session[CHOOSES] = True
        for each in await self._chosen(request.to, nodes if wish == "view" else None):
            if (message := self._message(each)) is not None:
                mark = offline.Offline((offline.Item(_node(each.id)),))
                session.send(message.add(mark))
                await session.room()

    @request("set", offline.Offline, at=ANYBODY)
    async def remove(self, query: offline.Offline, request: Request) -> None:
        """Delete the messages that are named, or all (§2.5, §2.7)."""
        _owner_session(request)
        wish, nodes = offline.request_of(query, "set")
        if wish == "purge":
            await self.host.stores.offline.remove(request.to)
            return
        chosen = await self._chosen(request.to, nodes)
        await self.host.stores.offline.remove(request.to, [each.id for each in chosen])

    async def _chosen(self, owner: JID, nodes: tuple[str, ...] | None) -> list[Waiting]:
        """The messages at `nodes`, or all. Raises `StanzaError` if one is not there (§2.4)."""
        ids = None if nodes is None else [_id(each) for each in nodes]
        found = await self.host.stores.offline.load(owner, ids)
        if ids is not None and len(found) != len(ids):
            raise StanzaError("item-not-found", "no such message")
        return found

    # --- what nobody came for --------------------------------------------------------

    async def _purge(self) -> None:
        """Delete what has waited too long, by the most patient of the hosts: the store is one."""
        while True:
            await self.clock.sleep(PURGE_EVERY)
            modules = [host.modules.get("offline") for host in self.host.server.hosts.values()]
            keep = max(m.settings.keep for m in (self, *modules) if isinstance(m, Offline))
            before = self.clock.now() - timedelta(seconds=keep)
            try:
                while await self.host.stores.offline.purge(before, PURGE_PAGE) == PURGE_PAGE:
                    continue
            except StoreError as error:
                self.log.warning("old offline messages were not deleted: %s", error)


def _owner_session(request: Request) -> Session:
    """The session of who asks. Raises `StanzaError` ``forbidden`` for others' messages (§2.3)."""
    if request.session is None or request.to != request.sender.bare:
        raise StanzaError("forbidden", "offline messages are their receiver's")
    return request.session


def _node(id: int) -> str:
    """Sorts as the messages came (§2.3)."""
    return f"{id:019}"


def _id(node: str) -> int:
    """Raises `StanzaError` ``item-not-found`` for what never was a node of ours."""
    if len(node) != 19 or not (node.isascii() and node.isdecimal()):
        raise StanzaError("item-not-found", "no such message")
    return min(int(node), 2**63 - 1)
