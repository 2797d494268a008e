"""The server's own commands: accounts, hosts, sessions, modules, settings, numbers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from .. import __version__
from ..core.errors import StreamError
from ..core.jid import JID
from ..kit import log as kit_log
from ..kit.config import ConfigError, KeyPath, Secret, dotted
from ..kit.outage import Outage
from ..net.tls import TlsError
from ..store.errors import StoreError
from .accounts import AccountDetails, AccountError
from .catalogue import Installed
from .commands import CommandError, Stream, command, encode
from .hosts import Host
from .live import Live, change, listed, parse, restored, waits_for_start, written
from .module import ModuleError
from .portable import Exported, Importer, Total, export
from .session import Session
from .settings import Settings, changed, load, set_up_log
from .shown import (
    ChangeShown,
    Compacted,
    Deleted,
    HostShown,
    ModuleShown,
    Number,
    SessionShown,
    Status,
)
from .store.accounts import Account
from .store.archive import Keep

if TYPE_CHECKING:
    from .app import Server

log = logging.getLogger(__name__)

OVERWRITING = 60.0  # seconds that a deletion waits for what it leaves in the store's files

Limit = Annotated[int, Meta(ge=1, le=1000, description="the most that are listed")]


class Admin:
    """Commands of one server. Every method but the last is a command, and says what it does."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._since = server.clock.now()

    # --- accounts ------------------------------------------------------------------------

    @command(role="host-admin")
    async def account_add(self, jid: JID, password: Secret) -> None:
        """Make an account."""
        with _refusals():
            await self.server.accounts.create(jid, password.reveal())

    @command(role="host-admin")
    async def account_list(
        self, host: str | None = None, after: JID | None = None, limit: Limit = 1000
    ) -> list[JID]:
        """List accounts, of one host or of all, in order, from the first behind `after`."""
        listed: list[JID] = []
        for domain in sorted(one.domain for one in self._hosts(host)):
            behind = after if after and after.domain == domain else None
            if after and domain < after.domain:
                continue
            with _refusals():
                left = limit - len(listed)
                listed += await self.server.accounts.list(domain, after=behind, limit=left)
        return listed

    @command(role="host-admin")
    async def account_show(self, jid: JID) -> AccountDetails:
        """Show what is known of an account."""
        with _refusals():
            return await self.server.accounts.show(jid)

    @command(role="host-admin")
    async def account_password(self, jid: JID, password: Secret) -> None:
        """Set the password of an account."""
        with _refusals():
            await self.server.accounts.set_password(jid, password.reveal())

    @command(role="host-admin")
    async def account_disable(self, jid: JID) -> None:
        """Let nobody log in to an account, and end its sessions; nothing of it is lost."""
        with _refusals():
            await self.server.accounts.disable(jid)

    @command(role="host-admin")
    async def account_enable(self, jid: JID) -> None:
        """Let the owner of a disabled account log in again."""
        with _refusals():
            await self.server.accounts.enable(jid)

    @command(role="host-admin")
    async def account_delete(self, jid: JID) -> Deleted:
        """Delete an account and all that is kept for it, and end its sessions; says what it was.

        What it was is overwritten. `store-compact` removes what the database has copied about.
        """
        stores = self.server.stores
        with _refusals():
            removed = await stores.portable.held(jid)
            if archived := await stores.archive.count(jid):
                removed["archived messages"] = archived
            await self.server.delete_account(jid)
        try:
            async with asyncio.timeout(OVERWRITING):
                await stores.archive.purge(Keep())
                await stores.engine.settle()
        except (StoreError, TimeoutError) as error:  # it is deleted all the same
            log.warning("what was deleted is not overwritten yet: %s", error)
            return Deleted(jid, removed, overwritten=False)
        return Deleted(jid, removed, overwritten=True)

    @command(role="host-admin")
    async def account_export(self, jid: JID, stream: Stream) -> Exported:
        """Write all that is kept for an account, in the format of XEP-0227."""
        with _refusals():
            await self.server.accounts.show(jid)  # raises for what is none
            return await export(self.server, jid.domain, self._accounts([jid]), stream)

    @command(role="host-admin")
    async def account_import(
        self,
        stream: Stream,
        host: str | None = None,
        replace: Annotated[bool, Meta(description="put them in the place of those there")] = False,
    ) -> Total:
        """Make accounts of a file in the format of XEP-0227, of one host or of all in it.

        Each comes with all that it has, or not at all; what became of it is written in a line.
        """
        with _refusals():
            only = None if host is None else self._host(host).domain
            return await Importer(self.server, stream, host=only, replace=replace).run()

    # --- the store -----------------------------------------------------------------------

    @command()
    async def store_compact(self) -> Compacted:
        """Write the store anew: what was deleted leaves no trace in its file, which gets smaller.

        Nothing is written meanwhile, and as much room is needed on the disk once more.
        """
        with _refusals():
            await self.server.stores.archive.purge(Keep())
            return Compacted(*await self.server.stores.engine.compact())

    # --- hosts and sessions --------------------------------------------------------------

    @command()
    async def host_list(self) -> list[HostShown]:
        """List the served domains."""
        return [
            HostShown(
                host.domain,
                host.settings.registration,
                tuple(host.modules),
                await self.server.accounts.count(host.domain),
                sum(1 for _ in self.server.sessions.at(host.domain)),
            )
            for host in self._hosts(None)
        ]

    @command(role="host-admin")
    async def host_export(self, host: str, stream: Stream) -> Exported:
        """Write all accounts of a host with all that they have, in the format of XEP-0227."""
        with _refusals():
            domain = self._host(host).domain
            return await export(self.server, domain, self._accounts_of(domain), stream)

    @command(role="host-admin")
    async def sessions_list(
        self, host: str | None = None, limit: Limit = 1000
    ) -> list[SessionShown]:
        """List the clients that are connected, on one host or on all."""
        domains = {one.domain for one in self._hosts(host)}
        found = (session for session in self.server.sessions if session.jid.domain in domains)
        return [_shown(session) for session, _ in zip(found, range(limit), strict=False)]

    @command(role="host-admin")
    async def sessions_end(self, jid: JID) -> int:
        """End a session, or all of an account if no resource is given; how many those were."""
        of_account = self.server.sessions.of(jid.bare).values()
        ending = [one for one in of_account if jid.resource is None or one.jid == jid]
        for session in ending:
            session.end(StreamError("policy-violation", "ended by an administrator"))
        if not ending:
            raise CommandError(f"{jid} has no session")
        return len(ending)

    # --- modules and settings ------------------------------------------------------------

    @command(role="host-admin")
    async def module_list(self, host: str | None = None) -> list[ModuleShown]:
        """List the modules that there are, and the hosts that each is loaded on."""
        hosts = list(self._hosts(host))
        return [
            ModuleShown(name, tuple(one.domain for one in hosts if name in one.modules))
            for name in Installed()
        ]

    @command(role="host-admin")
    async def module_load(self, name: str, host: str) -> None:
        """Load a module on a host, until the server stops or it is unloaded."""
        with _refusals():
            async with self.server.changing:
                await self._host(host).load(name)

    @command(role="host-admin")
    async def module_unload(self, name: str, host: str) -> None:
        """Unload a module from a host, until the server starts again."""
        async with self.server.changing:
            found = self._host(host)
            if name not in found.modules:
                raise CommandError(f"{name} is not loaded on {host}")
            await found.unload(name)

    @command()
    async def reload(self) -> list[ChangeShown]:
        """Read the settings and certificates again; the settings that have changed."""
        try:
            new = load(self.server.settings.file, Installed())
        except ConfigError as error:
            raise CommandError(f"nothing was changed:\n{error}") from None
        return await self._apply(await restored(new, self.server.stores.settings))

    @command()
    async def settings_live(self) -> list[Live]:
        """List the settings that may be changed while the server runs, with their values."""
        return sorted(listed(self.server.settings, Installed()), key=lambda live: live.key)

    @command()
    async def settings_set(self, key: str, value: Any) -> list[ChangeShown]:
        """Change a setting, from now on and over what the file says; the key is as in the file."""
        with _refusals():
            new = change(self.server.settings, key, value, Installed())
            await self.server.stores.settings.put(dotted(parse(key)), written(value))
        return await self._apply(new)

    @command()
    async def settings_unset(self, key: str) -> list[ChangeShown]:
        """Let the file decide again about a setting that was changed."""
        with _refusals():
            if not await self.server.stores.settings.remove(dotted(parse(key))):
                raise CommandError(f"{key} was not changed")
        return await self.reload()

    @command()
    async def settings_show(self) -> Any:
        """Show the settings that are in force; secrets are hidden."""
        return encode(self.server.settings)

    @command()
    async def log_level(self, level: kit_log.Level, logger: str = "pyrite") -> None:
        """Log more or less, for one logger and what is below it, until the next reload."""
        kit_log.set_level(logger, level)

    # --- how it does ---------------------------------------------------------------------

    @command()
    async def metrics(self) -> list[Number]:
        """Show what is counted and timed."""
        return [Number(*sample) for sample in self.server.meter.samples()]

    @command()
    async def status(self) -> Status:
        """Show since when the server runs, and how many are connected."""
        server = self.server
        return Status(__version__, self._since, len(server.hosts), len(server.sessions))

    async def _apply(self, new: Settings) -> list[ChangeShown]:
        differing = sorted(changed(self.server.settings, new), key=dotted)
        try:
            failed = await self.server.reload(new)
        except TlsError as error:
            raise CommandError(f"nothing was changed:\n{error}") from None
        if kit_log.is_set_up():
            set_up_log(new)
        if failed:
            raise CommandError("\n".join(("all but this was done:", *failed)))
        return [ChangeShown(dotted(path), _applies(path)) for path in differing]

    async def _accounts_of(self, domain: str) -> AsyncIterator[Account]:
        after = None
        while page := await self.server.accounts.list(domain, after=after):
            async for account in self._accounts(page):
                yield account
            after = page[-1]

    async def _accounts(self, jids: list[JID]) -> AsyncIterator[Account]:
        """Those that are still there when it is their turn."""
        for jid in jids:
            if (found := await self.server.stores.accounts.find(jid)) is not None:
                yield found

    def _host(self, name: str) -> Host:
        found = self.server.hosts.get(name.casefold())
        if found is None:
            raise CommandError(f"{name} is not served here")
        return found

    def _hosts(self, name: str | None) -> Iterator[Host]:
        yield from self.server.hosts.values() if name is None else [self._host(name)]


def _applies(path: KeyPath) -> str:
    return "at the next start" if waits_for_start(path) else "now"


@contextmanager
def _refusals() -> Iterator[None]:
    """What accounts and modules refuse, a command refuses in the same words."""
    try:
        yield
    except (AccountError, ModuleError, Outage, LookupError, ValueError) as error:
        raise CommandError(str(error)) from None


def _shown(session: Session) -> SessionShown:
    acks = session.acks
    return SessionShown(
        session.jid,
        session.address,
        session.secure,
        session.began,
        session.is_available,
        session.priority,
        len(session.queue) + (0 if acks is None else len(acks.unacknowledged)),
        acks is not None and acks.is_paused,
    )
