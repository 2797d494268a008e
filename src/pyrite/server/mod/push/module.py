"""Who wants to be woken, for what, and what a push service is told of it (XEP-0357).

A service is asked in the background: nobody who sends a message waits for it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from typing import Annotated, Any

from msgspec import Meta

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Message
from ....kit.config import Duration, Table, Wrong
from ....kit.hooks import Stage
from ....kit.rate import Limit
from ....kit.tasks import ScopeFullError
from ....store.errors import StoreError
from ....wire import push, stanzaid
from ....wire.dataforms import Form
from ...accounts import AccountCreated, AccountDeleted
from ...module import At, Module, Request, delivering, on, request
from ...resumption import SessionDetached
from ...router import MessageWaits
from ...session import Key, Session
from .devices import Device, Devices, News
from .registrations import Registration, Registrations, name_of

BODY = 1024  # characters of a message's words that a service is told at most

#: The names of the registrations that the session's client has asked for.
ENABLED: Key[frozenset[str]] = Key("push", default=frozenset())

#: The last message that came for the session while its connection was broken.
TOLD: Key[Message | None] = Key("push told", default=None)


class PushSettings(Table):
    """What push services are told, and how often."""

    devices: Annotated[int, Meta(ge=1, le=100)] = 10
    """Registrations of one account; one more takes the place of the longest unused."""
    sender: bool = False
    """Tell push services who has sent the last message."""
    body: bool = False
    """Tell push services what the last message says, where that is not encrypted."""
    placeholder: str = "New Message!"
    """What stands for the words, so that a push service knows that a person wants to hear of it;
    empty for nothing."""
    burst: Annotated[int, Meta(ge=1)] = 5
    """Publications to one device without a pause."""
    interval: Duration = Duration(10)
    """After these, one publication in this time tells of all that has come."""
    errors: Annotated[int, Meta(ge=1)] = 16
    """Failures in a row that a registration survives if a push service cannot be reached. With
    longer and longer pauses between them, the default takes some hours."""

    def __post_init__(self) -> None:
        if self.interval <= 0:
            raise Wrong("expected more than 0s", "interval")


class Push(Module):
    """Push notifications for the devices of an account that are not connected."""

    spec = push.SPEC
    account_features = (push.NS,)
    Settings = PushSettings

    async def start(self) -> None:
        settings = self.settings
        self._registrations = Registrations(self.values, settings.devices)
        limit = Limit(1 / settings.interval, settings.burst)
        self._devices = Devices(
            self, limit, settings.errors, self._summary, self._is_connected, self._over
        )
        self._ended = self.meter.counter("ended", "Registrations that a push service ended.")
        self._resumption = self.host.server.resumption
        #: Account -> what its devices are about to be told, and which; ``None`` for all.
        self._waiting: dict[JID, tuple[News, frozenset[str] | None]] = {}

    async def stop(self) -> None:
        self._devices.drop_all()

    # --- registrations ---------------------------------------------------------------

    @request("set", push.Enable, at=At.OWN)
    async def enable(self, enable: push.Enable, request: Request) -> None:
        """From now on; what comes again is renewed, with the options that came last (§5)."""
        push.check(enable, request.to)
        for name in await self._registrations.add(request.to, enable, self.clock.now()):
            self._devices.drop(request.to, name)
        if request.session is not None:
            name = name_of(enable.jid, enable.node)
            request.session[ENABLED] = request.session[ENABLED] | {name}

    @request("set", push.Disable, at=At.OWN)
    async def disable(self, disable: push.Disable, request: Request) -> None:
        """No more; that there was nothing is no mistake (§6)."""

        def is_meant(registration: Registration) -> bool:
            enable = registration.enable
            return enable.jid == disable.jid and disable.node in (None, enable.node)

        for name in await self._registrations.remove(request.to, is_meant):
            self._forget(request.to, name)

    def _forget(self, owner: JID, name: str) -> None:
        self._devices.drop(owner, name)
        for session in self.host.sessions.of(owner).values():
            session[ENABLED] = session[ENABLED] - {name}

    def _over(self, device: Device, enable: push.Enable, error: StanzaError) -> None:
        """A service has said its last word about a registration (§7.1)."""
        self._ended.value += 1
        self.log.info(
            "push registration ended: %s",
            error.condition,
            extra={"account": device.owner, "service": enable.jid},
        )
        try:
            self.scope.start(self._end(device, enable))
        except ScopeFullError:
            return  # its next error will end it

    async def _end(self, device: Device, enable: push.Enable) -> None:
        """Remove the registration, unless a client has made a new one of it meanwhile."""
        try:
            names = await self._registrations.remove(
                device.owner, lambda each: each.name == device.name and each.enable == enable
            )
        except StoreError as error:
            self.log.info("a push registration was not removed: %s", error)
            return
        for name in names:
            self._forget(device.owner, name)

    @delivering(Stage.COPY, Message)
    def passing(
        self, message: Message, owner: JID, targets: Sequence[Session]
    ) -> Coroutine[Any, Any, None] | None:
        """To some client, and maybe not to all; or a service takes a node away (§8).

        What is in the archive is for those as well that have no session, or one whose connection
        has broken; what is not, for the latter alone.
        """
        may_be = self._registrations.may_be(owner)
        if not may_be and not len(self._resumption):
            return None  # as for most messages
        is_kept = may_be and self._is_kept(message, owner, targets)
        if len(self._resumption):
            for session in targets:
                if self._resumption.waits(session):
                    session[TOLD] = message
                    if not is_kept:
                        self._tell_of(message, owner, session)
        if is_kept:
            self._tell_of(message, owner, None)
        node = push.withdrawn(message, owner)
        return self._withdraw(owner, message.sender, node) if node is not None else None

    @staticmethod
    def _is_kept(message: Message, owner: JID, targets: Sequence[Session]) -> bool:
        """Whether who does not get it now finds it in the archive. Without targets, it waits."""
        return bool(targets) and stanzaid.given_by(message, owner) is not None

    async def _withdraw(self, owner: JID, service: JID | None, node: str) -> None:
        """End a registration; its own service alone can do that."""
        for name in await self._registrations.remove(
            owner, lambda each: (each.enable.jid, each.enable.node) == (service, node)
        ):
            self._ended.value += 1
            self._forget(owner, name)

    @on(AccountCreated)
    @on(AccountDeleted)
    def is_another(self, event: AccountCreated | AccountDeleted) -> None:
        self._registrations.forget(event.jid)
        self._devices.drop_all(event.jid)

    # --- what there is to tell -------------------------------------------------------

    @on(MessageWaits)
    def waits(self, event: MessageWaits) -> None:
        self._tell_of(event.message, event.owner, None)

    @on(SessionDetached)
    def detached(self, event: SessionDetached) -> None:
        """What was on its way when the connection broke may not have arrived."""
        session, waiting = event.session, list(_under_way(event.session))
        if waiting and waiting[-1] is session[TOLD]:
            return  # it came before this was heard of
        for message in waiting:
            self._tell_of(message, session.jid.bare, session)

    def _tell_of(self, message: Message, owner: JID, session: Session | None) -> None:
        """Tell the device of `session` soon, or all, once for all that comes until then.

        What is kept when such a session ends is told again: nobody has come for it so far.
        """
        if not push.is_worth_waking(message, owner):
            return
        names = (session[ENABLED] or None) if session is not None else None
        news, is_first = News(1, message.sender, message.body), owner not in self._waiting
        if not is_first:
            older, others = self._waiting[owner]
            news = news.after(older)
            names = None if names is None or others is None else names | others
        self._waiting[owner] = news, names
        if is_first:
            try:
                self.scope.start(self._spread(owner))
            except ScopeFullError:
                del self._waiting[owner]
                self._devices.dropped.value += 1

    async def _spread(self, owner: JID) -> None:
        """To each device that is meant and not connected."""
        try:
            registrations = await self._registrations.of(owner)
        except StoreError as error:
            self.log.info("nobody was woken: %s: %s", owner, error)
            return
        finally:
            news, names = self._waiting.pop(owner)
        for name, _, enable in registrations:
            if (names is None or name in names) and not self._is_connected(owner, name):
                self._devices.wake(owner, name, enable, news)

    def _is_connected(self, owner: JID, name: str) -> bool:
        sessions = self.host.sessions.of(owner).values()
        return any(name in one[ENABLED] and not self._resumption.waits(one) for one in sessions)

    def _number_under_way(self, owner: JID) -> int:
        """How many messages wait in sessions whose connection has broken, and there alone."""
        sessions = self.host.sessions.of(owner).values()
        detached = (session for session in sessions if self._resumption.waits(session))
        return sum(
            push.is_worth_waking(message, owner)
            for session in detached
            for message in _under_way(session)
            if not session.keeps(message)
        )

    async def _summary(self, owner: JID, news: News) -> Form:
        """What a service is told, which is little: it is others' (§9)."""
        try:
            count = await self.host.stores.offline.count(owner)
            roster = await self.host.rosters.of(owner)
            requests = sum(item.pending_in for item in roster.items.values())
        except StoreError:  # to be woken matters more than to know for how much
            count, requests = 0, 0
        settings = self.settings
        body = news.body if settings.body else None
        return push.summary(
            (count + self._number_under_way(owner)) or news.number,
            requests=requests,
            sender=news.sender if settings.sender else None,
            body=(body or settings.placeholder or "")[:BODY] or None,
        )


def _under_way(session: Session) -> Iterator[Message]:
    """The messages that the client of `session` has not acknowledged, oldest first."""
    sent = session.acks.unacknowledged if session.acks is not None else ()
    for stanza in (*(stanza for stanza, _ in sent), *session.queue):
        if isinstance(stanza, Message):
            yield stanza
