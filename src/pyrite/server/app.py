"""The server: what is shared by all hosts, and its life from start to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

from ..core import international as international  # loaded now: no stanza waits for its tables
from ..core.errors import StanzaError, StreamError
from ..core.jid import JID, JIDError
from ..core.stanza import Iq
from ..kit import log as kit_log
from ..kit.clock import Clock, SystemClock
from ..kit.ids import Ids
from ..kit.meter import Meter
from ..kit.outage import Outage
from ..kit.tasks import Scope, ScopeFullError
from ..wire import bind as wire_bind
from ..wire import ping
from . import metrics
from .accounts import (
    AccountCreated,
    AccountDeleted,
    AccountDisabled,
    AccountEnabled,
    Accounts,
    PasswordChanged,
)
from .admin import Admin
from .auth import Clients, secret_in
from .auth.limits import Limits as AuthLimits
from .closing import end_soon, shut_out
from .commands import Commands
from .hosts import Host, modules_of
from .leavings import ENDING, Leavings
from .listeners import Listeners
from .live import in_force, restored
from .module import ModuleError
from .presence import Presences
from .privacy import Privacy
from .resumption import Resumption
from .rosters import Rosters
from .router import Router
from .session import Session, SessionBound, SessionEnded
from .sessions import Sessions
from .settings import HostSettings, Settings
from .store import Batching, Stores, open_stores

log = logging.getLogger(__name__)

HAPPENED = {  # to an account, as the log says it
    AccountCreated: "account created",
    AccountDeleted: "account deleted",
    AccountDisabled: "account disabled",
    AccountEnabled: "account enabled",
    PasswordChanged: "password changed",
}
CLOSED = StreamError("not-authorized", "the account is closed")
SETTLING = 5.0  # seconds that what a session has left behind may take to be kept at its end
MAX_BACKGROUND = 10_000  # tasks that modules may have under way together


class Server:
    """One process, any number of hosts. Everything in it runs on one event loop."""

    stores: Stores
    accounts: Accounts
    clients: Clients
    auth_limits: AuthLimits
    rosters: Rosters
    presences: Presences
    privacy: Privacy
    scope: Scope

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.ids = Ids()
        self.meter = Meter("pyrite_")
        self.commands = Commands()
        self.sessions = Sessions()
        self.hosts: dict[str, Host] = {}
        self.changing = asyncio.Lock()  # held by who loads or unloads modules or hosts
        self._unbinding: dict[JID, tuple[Session, asyncio.Future[None]]] = {}  # on their way out
        self.resumption = Resumption(self)
        self.leavings = Leavings(self)
        self.router = Router(self)
        self.listeners = Listeners(self)
        self.commands.add_all(Admin(self))

    @property
    def default_domain(self) -> str:
        """The host in whose name a peer is answered that asks for one we do not serve."""
        return next(iter(self.settings.host))

    # --- life ------------------------------------------------------------------------

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Stores and modules, but no sockets: all that a command needs. Raises `ModuleError`."""
        settings = self.settings
        async with AsyncExitStack() as stack:
            settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            batching = Batching(window=settings.store.window * 1000)
            self.stores = await open_stores(
                settings.store.url, settings.data, self.clock, batching=batching
            )
            stack.push_async_callback(self.stores.close)
            self.settings = settings = await restored(settings, self.stores.settings)
            most = MAX_BACKGROUND + settings.limits.connections  # and each may be leaving
            self.scope = await stack.enter_async_context(Scope("server", most))
            self.accounts = Accounts(
                self.stores.accounts,
                settings.auth,
                self.clock,
                self._tell,
                secret=secret_in(settings.data),
                hosts=self.hosts,
            )
            self.clients = Clients(
                self.stores.clients,
                self.accounts.changes,
                settings.auth,
                self.clock,
                secret=secret_in(settings.data),
            )
            self.auth_limits = AuthLimits(settings.auth, self.clock)
            self.rosters = Rosters(self)
            self.presences = Presences(self)
            self.privacy = Privacy(self)
            metrics.declare(self)
            stack.push_async_callback(self._remove_hosts)
            for domain, host in settings.host.items():
                await self._add_host(domain, host)
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything, listeners included. In the end every client is told goodbye."""
        async with self.opened(), self.listeners.open():
            yield

    async def _add_host(self, domain: str, settings: HostSettings) -> None:
        host = self.hosts[domain] = Host(self, domain, settings)
        for name in modules_of(settings):
            await host.load(name)

    async def _remove_host(self, domain: str) -> None:
        """End what goes on at a host, keep what its clients have yet to be sent, and let it go."""
        host = self.hosts[domain]
        host.is_leaving = True
        gone = StreamError("host-gone", "the domain is no longer served here")
        self.listeners.end_all_at(host, gone)
        for session in tuple(self.sessions.at(domain)):
            session.end(gone)
            await self.unbind(session)
        while leaving := [one for one, _ in self._unbinding.values() if one.host is host]:
            await self.unbind(leaving[0])
        for name in reversed(tuple(host.modules)):
            await host.unload(name)
        del self.hosts[domain]

    async def _remove_hosts(self) -> None:
        for domain in tuple(self.hosts):
            await self._remove_host(domain)

    async def reload(self, settings: Settings) -> list[str]:
        """Go on with `settings`, but for what waits for the next start (`live.AT_START`).

        Hosts come and go, modules whose settings differ begin anew, certificates are read
        again for new connections. What modules refuse is returned in words. Raises `TlsError`,
        and then nothing has changed.
        """
        async with self.changing:
            settings, old = in_force(settings, self.settings), self.settings
            self.listeners.reload(settings)
            self.settings = settings
            self.accounts.settings = self.clients.settings = settings.auth
            self.auth_limits.configure(settings.auth)
            for session in self.sessions:
                session.limits = settings.limits
            return await self._reload_hosts(old)

    async def _reload_hosts(self, old: Settings) -> list[str]:
        failed: list[str] = []
        for domain in self.hosts.keys() - self.settings.host.keys():
            await self._remove_host(domain)
        for domain, wanted in self.settings.host.items():
            host = self.hosts.get(domain) or Host(self, domain, wanted)
            self.hosts[domain] = host
            host.settings = wanted
            host.authenticator.settings = self.settings.auth
            failed += await self._reload_modules(host, old)
        return failed

    async def _reload_modules(self, host: Host, old: Settings) -> list[str]:
        """Unload what is not wanted, load what is; who fails with new settings keeps the old."""
        names = modules_of(host.settings)
        before: dict[str, Any] = {}
        failed: list[str] = []
        for name in tuple(host.modules):
            was, now = old.of_module(name, host.domain), self.settings.of_module(name, host.domain)
            if name not in names or was != now:
                before[name] = host.modules[name].settings
                await host.unload(name)
        for name in names:
            if name not in host.modules:
                failed += await self._load_or_keep(host, name, before.get(name))
        return failed

    async def _load_or_keep(self, host: Host, name: str, before: Any) -> list[str]:
        failed: list[str] = []
        for settings in (None, before):
            try:
                await host.load(name, settings)
            except ModuleError as error:
                failed.append(str(error))
            else:
                return [*failed, f"{name} goes on as it was"] if failed else []
            if before is None:
                break
        return failed

    # --- hosts and sessions ----------------------------------------------------------

    def host_for(self, address: str | None) -> Host:
        """The host that a stream is opened to. Raises `StreamError` ``host-unknown``."""
        try:
            jid = JID.parse(address or "")
        except JIDError:
            raise StreamError("host-unknown", "a stream is to a domain") from None
        host = self.hosts.get(jid.domain)
        if host is None or jid.local is not None or jid.resource is not None:
            raise StreamError("host-unknown", "that domain is not served here")
        if host.is_leaving:
            raise StreamError("host-gone", "the domain is no longer served here")
        return host

    async def bind(self, account: JID, resource: str | None, *, lang: str | None = None) -> Session:
        """A session of `account`; without a `resource`, one that nobody can guess (§7.6).

        The newest client wins: who had the resource before is ended with ``conflict``
        (§7.7.2.2). Raises `StanzaError`: ``bad-request`` for what is no resource,
        ``resource-constraint`` when the account has too many. Raises `StreamError` where the
        host is gone meanwhile.
        """
        wanted = wire_bind.wanted(wire_bind.Bind(resource=resource))
        full = account.at(wanted or self.ids())
        while (old := self.sessions.find(full) or self._leaving(full)) is not None:
            if self.sessions.find(full) is old:
                old.end(StreamError("conflict", "the resource was bound by another client"))
            await self.part(old)  # its end is told before the new one's beginning
        while len(self.sessions.of(account)) >= self.settings.limits.sessions_per_account:
            if (gone := self.resumption.oldest(account)) is None:
                raise StanzaError("resource-constraint", "too many clients of one account")
            gone.end(StreamError("resource-constraint", "another client needs its place"))
            await self.part(gone)
        session = Session(full, self.host_for(account.domain), lang=lang)
        self.sessions.add(session)
        await session.host.events.tell(SessionBound(session))
        return session

    def _leaving(self, full: JID) -> Session | None:
        """The session that had this address and is not gone for everybody yet."""
        found = self._unbinding.get(full)
        return found[0] if found else None

    async def part(self, session: Session) -> None:
        """As `unbind`, and to its end although whoever waits for it is cancelled."""
        try:
            leaving = self.scope.start(self.unbind(session))
        except ScopeFullError:
            await self.unbind(session)
        else:
            await asyncio.shield(leaving)

    def leave(self, session: Session) -> None:
        """As `unbind`, and nobody waits for it."""
        try:
            self.scope.start(self.unbind(session))
        except ScopeFullError:  # what fills it ends
            self.clock.call_later(1.0, partial(self.leave, session))

    async def left(self, account: JID) -> None:
        """Wait until no session of `account` is ending: what it had is handed back by then.

        Who is part of an end does not wait: it might be for itself.
        """
        while not ENDING.get():
            under_way = [done for jid, (_, done) in self._unbinding.items() if jid.bare == account]
            if not under_way:
                return
            await asyncio.shield(under_way[0])

    async def unbind(self, session: Session) -> None:
        """The session is over: tell who knew of it, and hand back what it was not given.

        Who calls it once more waits until that is done.
        """
        if not self.sessions.remove(session):
            leaving, under_way = self._unbinding.get(session.jid, (None, None))
            if leaving is session and under_way is not None:
                await asyncio.shield(under_way)
            return
        done = asyncio.get_running_loop().create_future()
        self._unbinding[session.jid] = session, done
        ending = ENDING.set(True)
        token = kit_log.bind(host=session.host.domain, session=session.jid)
        try:
            await self._take_leave(session)
            await session.host.events.tell(SessionEnded(session))
            await self._forget_guest(session.jid.bare)
            if session.debts:
                with suppress(TimeoutError):
                    await asyncio.wait_for(session.debts.paid(), SETTLING)
        except Outage as error:
            log.info("left behind by %s: %s", session.jid, error)
        finally:
            self.resumption.forget(session)
            self.privacy.ended(session)
            token.var.reset(token)
            ENDING.reset(ending)
            del self._unbinding[session.jid]
            done.set_result(None)

    async def _forget_guest(self, account: JID) -> None:
        """What a guest (RFC 4505) leaves goes with it: nobody comes again under that name."""
        has_guests = "ANONYMOUS" in self.settings.auth.mechanisms
        if not has_guests or self.sessions.of(account) or await self.accounts.exists(account):
            return
        await self.presences.subscriptions.end(account)
        await self.stores.archive.clear(account)  # what is still on its way there, too
        await self.stores.accounts.clear(account)
        self.rosters.forget(account)
        self.privacy.forget(account)

    async def _take_leave(self, session: Session) -> None:
        """What fails here must not cost the messages that come after it."""
        try:
            await self.presences.leave(session)
        except Outage as error:
            log.info("presence not ended: %s: %s", session.jid, error)
        except Exception:
            log.exception("presence not ended: %s", session.jid)
        await self.leavings.hand_back(session)

    async def delete_account(self, jid: JID) -> None:
        """End what the account stands for with others, then the account with all that it has.

        Raises `AccountError` and `StoreError`.
        """
        await self.accounts.show(jid)  # raises for what is none
        await self.presences.subscriptions.end(jid)
        await self.accounts.delete(jid)

    def ping(self, session: Session) -> None:
        """Ask a client whether it is there; the answer counts by being read (XEP-0199 §4.1)."""
        if session.acks is not None:
            return session.acks.ask()
        iq = Iq("get", session.jid, session.host.jid, self.ids()).add(ping.Ping())
        return session.send(iq)  # its answer says nothing

    async def _tell(self, event: object) -> None:
        """Pass on what happened to an account, to its host's modules and to its clients."""
        jid: JID | None = getattr(event, "jid", None)
        if jid is None:
            return
        log.info(HAPPENED.get(type(event), "account changed"), extra={"account": jid})
        if isinstance(event, AccountDeleted):
            await self._buried(jid)
        if isinstance(event, AccountCreated | AccountDeleted):
            self.rosters.forget(jid)
            self.privacy.forget(jid)
        if isinstance(event, AccountDisabled):
            end_soon(self, jid, CLOSED)
        host = self.hosts.get(jid.domain)
        if host is not None:
            await host.events.tell(event)
        if isinstance(event, AccountDeleted):  # who has asked for it hears that it is done
            end_soon(self, jid, CLOSED)

    async def _buried(self, account: JID) -> None:
        """Wait for what goes on in its name: who gets the name next has nothing of it."""
        await shut_out(self, account, CLOSED)
        try:
            await self.stores.archive.settled(account)
        except Outage as error:
            log.info("still on its way to no archive: %s: %s", account, error)
