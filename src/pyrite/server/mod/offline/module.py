"""The module: its doors, and what it does at them."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.payload import name_of
from ....core.stanza import Message
from ....kit.config import DAY, HOUR, Duration, Size, Table, Wrong
from ....kit.hooks import Stage
from ....store.errors import StoreError
from ....wire import delay, disco, offline, stanzaid
from ....wire.presence import priority
from ...module import At, Module, Request, delivering, node, on, request, undelivered
from ...presence import PresenceChanged, SessionAvailable, SessionUnavailable
from ...resumption import SessionDetached
from ...router import AGAIN
from ...session import Key, Session, SessionEnded
from ...store.offline import Waiting
from .giving import SERVED, Giving
from .holding import Holding, is_to_be_held

PURGE_EVERY = HOUR  # seconds between looks for messages that nobody came for
PURGE_PAGE = 1000  # messages that are deleted at a time

#: The session has asked for a list, so nothing is handed over unasked (XEP-0013 §2.2).
CHOOSES = Key("offline chooses", default=False)

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
        self._giving = Giving(self)
        self._holding = Holding(self, self._giving, self._limit_count, self._limit_bytes)
        self._giving.start()
        self.scope.start(self._purge())

    async def stop(self) -> None:
        await self._giving.stop()

    # --- in --------------------------------------------------------------------------

    @undelivered
    async def keep(self, message: Message, owner: JID) -> bool:
        """Keep what is worth it; the rest is dropped in silence (XEP-0160 §3)."""
        if not offline.is_worth_keeping(message):
            return True
        if not AGAIN.get():  # what older ones an ending session had is put back before it
            await self.host.server.left(owner)
            await self._giving.all_added(owner)
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
            await self._giving.serve_somebody(owner)  # who came while it was being kept
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
            await self._giving.serve(session)

    def _is_chosen_from(self, owner: JID) -> bool:
        """Whether a client of the account looks through its messages by itself (§2.2)."""
        return any(session[CHOOSES] for session in self.host.sessions.of(owner).values())

    @on(SessionEnded)
    async def ended(self, event: SessionEnded) -> None:
        await self._giving.ended(event.session)

    # --- beside a session that waits for its client ----------------------------------

    @delivering(Stage.RECORD, Message)
    def passing(
        self, message: Message, owner: JID, targets: Sequence[Session]
    ) -> Coroutine[Any, Any, None] | None:
        """Keep what only clients are given whose connection has broken."""
        for session in targets:
            acks = session.acks
            if acks is None or not acks.is_paused:
                return None  # almost always
        if not targets or not is_to_be_held(message, owner):
            return None
        return self._holding.hold_new(owner, targets, message)

    @on(SessionDetached)
    async def detached(self, event: SessionDetached) -> None:
        """Keep what was under way, and what the client may not have got."""
        session = event.session
        try:
            await self._holding.hold(session.jid.bare, (session,))
        except StoreError as error:
            self.log.info("not kept beside its session: %s: %s", session.jid, error)

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
        """Send the messages that are asked for, or all; they stay (§2.4, §2.6).

        Raises `StanzaError` where the client takes no more: then it has only some.
        """
        session = _owner_session(request)
        wish, nodes = offline.request_of(query, "get")
        session[CHOOSES] = True
        for each in await self._chosen(request.to, nodes if wish == "view" else None):
            if (message := self._giving.message(each)) is not None:
                if not await session.room():
                    raise StanzaError("resource-constraint", "what was sent before comes first")
                mark = offline.Offline((offline.Item(_node(each.id)),))
                session.send(message.add(mark))

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
