"""The real server without sockets, and with a clock that stands still until it is moved."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import logging
import shutil
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Protocol, Self

from ...core.jid import JID
from ...core.stream import Event
from ...kit.clock import ManualClock
from ...kit.tasks import Scope
from ...net.connection import Connection
from ...net.tls import TlsContext
from ...server.app import Server
from ...server.catalogue import Installed
from ...server.settings import load
from ...server.store.roster import Item
from ..account import Account, Trust
from ..app import Client
from ..component import Component
from ..feature import Feature
from ..keeper import Backoff
from ..link import Link, TcpLink, tls_context
from .component import ComponentConnection, Routes
from .story import Actor, Scene, Script, play
from .transport import MemoryTransport, Wire, connect

log = logging.getLogger(__name__)

DOMAIN = "example.org"
PASSWORD = "open sesame"  # noqa: S105 - of every account
SECRET = "open the gates"  # noqa: S105 - of every component made here
TURNS = 20  # of the loop, at most, that anything goes on for before it waits for something
END = 5.0  # seconds that connections have to end when the server does
MOST = 1000  # connections

SETTINGS = """\
data = "{folder}/data"
[auth]
iterations = 4096
[limits]
connection-burst = 10000
[host."{domain}"]
{host}
{more}
"""


class MemoryServer:
    """A Pyrite server in this process, that only clients made by it can reach.

        async with MemoryServer(users=["a", "b"]) as srv, srv.client("a") as a:
            await a.send(srv.jid("b"), "hi")

    Nothing in it waits for the machine's time: `advance` moves its clock, which its clients
    share. What it keeps is in a temporary folder, and gone afterwards.
    """

    server: Server

    def __init__(
        self,
        users: Sequence[str] = (),
        *,
        friends: Sequence[tuple[str, str]] = (),
        domain: str = DOMAIN,
        components: Sequence[Component] = (),
        host: str = "",
        settings: str = "",
    ) -> None:
        """`friends` see each other's presence. `components` come to this server, and are entered
        and left with it. `host` are settings of the domain, and `settings` whole tables, as in the
        server's file."""
        self.domain, self.clock = domain, ManualClock()
        self._users, self._friends = tuple(users), tuple(friends)
        self._components = tuple(components)
        self._host, self._more = host, settings
        self._wires: dict[str, tuple[Wire, Wire]] = {}  # user, or component -> there and back
        self._open: dict[MemoryTransport, str] = {}  # the client's side -> user, or component
        self._links: dict[str, TlsContext] = {}
        self._actors: list[Actor] = []
        self._alone = asyncio.Event()  # nobody is connected

    # --- life ------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            await asyncio.to_thread(_prepare, folder, self.domain, self.clock)
            self.server = Server(self._settings(folder), clock=self.clock)
            self.server.router = self._routes = Routes(self.server)
            self._tasks = await stack.enter_async_context(Scope("connections in memory", MOST))
            stack.push_async_callback(self._until_closed)
            await stack.enter_async_context(self.server.running())
            stack.push_async_callback(self._part)
            pem = (folder / "data" / "cert.pem").read_text()
            self._pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
            for user in self._users:
                await self.add(user)
            for one, other in self._friends:
                await self.befriend(one, other)
            for component in self._components:
                await stack.enter_async_context(self._attach(component, component._secret))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def _settings(self, folder: Path) -> Any:
        file = folder / "pyrite.toml"
        text = SETTINGS.format(folder=folder, domain=self.domain, host=self._host, more=self._more)
        file.write_text(text)
        return load(file, Installed())

    async def _part(self) -> None:
        for actor in tuple(self._actors):
            await actor.leave()

    async def _until_closed(self) -> None:
        """Everybody has been told goodbye, and has a moment to hear of it."""
        if self._open:
            self._alone.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._alone.wait(), END)
        for transport in tuple(self._open):
            transport.cut()

    # --- people ----------------------------------------------------------------------

    def jid(self, user: str) -> JID:
        """The address of a user: ``a``, or with a resource ``a/phone``."""
        local, _, resource = user.partition("/")
        return JID.parse(f"{local}@{self.domain}" + (f"/{resource}" if resource else ""))

    async def add(self, user: str, password: str = PASSWORD) -> JID:
        """Make an account while the server runs; its address."""
        jid = self.jid(user).bare
        await self.server.accounts.create(jid, password)
        return jid

    def account(self, user: str, password: str = PASSWORD) -> Account:
        """The account of a user, with the trust that this server's certificate needs."""
        return Account(self.jid(user), password, trust=Trust(pin=self._pin))

    def client(
        self,
        user: str,
        *,
        features: Sequence[type[Feature]] = (),
        password: str = PASSWORD,
        **options: Any,
    ) -> Client:
        """A client of `user`, to be entered; the options are those of `Client`.

        It logs in as it would by TCP, and has the server's clock.
        """
        options.setdefault("clock", self.clock)
        options.setdefault("backoff", Backoff())
        account = self.account(user, password)
        return Client(
            account.jid,
            account=account,
            features=features,
            connector=MemoryConnector(self, user.partition("/")[0]),
            **options,
        )

    def component(self, domain: str, secret: str = SECRET, **options: Any) -> Component:
        """A component of this server, to be entered; the options are those of `Component`."""
        options.setdefault("clock", self.clock)
        return self._attach(Component(domain, secret, **options), secret)

    def _attach(self, component: Component, secret: str) -> Component:
        """Let a component reach this server, which knows it by `secret`."""
        domain = component.jid.domain

        async def reach(link: TcpLink) -> None:
            served = ComponentConnection(self._routes, domain, secret, self.server.ids())
            self._join(link.connection, served, domain)

        component._reach = reach
        return component

    async def befriend(self, one: str, other: str) -> None:
        """Let both see each other's presence."""
        for owner, contact in ((one, other), (other, one)):
            item = Item(self.jid(contact).bare, subscription="both")
            await self.server.stores.roster.put(self.jid(owner).bare, item)

    async def actor(self, user: str) -> Actor:
        """Somebody who says and expects stanzas as they are written, without a client."""
        session = await self.server.bind(self.jid(user).bare, self.jid(user).resource)
        actor = Actor(self.server, session, self.quiet)
        self._actors.append(actor)
        return actor

    async def play(self, text: str) -> None:
        """Play a story whose actors are users of this server. Raises `AssertionError`."""
        await play(Script.read(text.splitlines()), _Stage(self))

    # --- time and faults -------------------------------------------------------------

    async def quiet(self) -> None:
        """Let everything go on until it has ended, or waits for time or for a client."""
        turns = 0
        while turns < TURNS:
            await asyncio.sleep(0)
            is_busy = self.server.stores.engine.waiting
            turns = 0 if is_busy else turns + 1

    async def advance(self, seconds: float) -> None:
        """Move the clock, and let what is due be done."""
        await self.quiet()
        self.clock.advance(seconds)
        await self.quiet()

    def cut(self, user: str) -> int:
        """The net is gone for all clients of `user` just now; for how many."""
        found = [transport for transport, who in self._open.items() if who == user]
        for transport in found:
            transport.cut()
        return len(found)

    def cut_after(self, user: str, octets: int, *, coming: bool = False) -> None:
        """Cut once so many more octets have come from `user`, or to them if `coming`."""
        there, back = self._wire(user)
        (back if coming else there).left = octets

    def delay(self, user: str, seconds: float) -> None:
        """All that goes to and comes from `user` takes so long, by this server's clock."""
        for wire in self._wire(user):
            wire.delay = seconds

    def heal(self, user: str) -> None:
        """The net is good again."""
        for wire in self._wire(user):
            wire.delay, wire.left = 0.0, None

    def _wire(self, user: str) -> tuple[Wire, Wire]:
        return self._wires.setdefault(user, (Wire(self.clock), Wire(self.clock)))

    # --- connections -----------------------------------------------------------------

    async def connect(self, account: Account, user: str) -> Link:
        """A connection to the server, with TLS from its beginning."""
        context = self._links.get(self.domain)
        if context is None:
            settings = account.trust.settings(self.domain, direct=True)
            context = self._links[self.domain] = await tls_context(settings)
        link = TcpLink(context, direct=True)
        self._join(link.connection, self.server.listeners.accept(direct=True), user)
        link.start()
        return link

    def _join(self, connection: Connection[Event], served: _Served, who: str) -> None:
        """Connect `connection` with its other end at the server."""
        there, back = self._wire(who)
        transport = connect(
            connection, served.connection, there, back, lambda: self._closed(transport)
        )
        self._open[transport] = who
        self._tasks.start(_serve(served))

    def _closed(self, transport: MemoryTransport) -> None:
        self._open.pop(transport, None)
        if not self._open:
            self._alone.set()


class MemoryConnector:
    """The way of one user to a server in memory."""

    def __init__(self, server: MemoryServer, user: str) -> None:
        self._server, self._user = server, user

    async def connect(self, account: Account) -> Link:
        return await self._server.connect(account, self._user)


class _Served(Protocol):
    """Who has the server's end of a connection."""

    @property
    def connection(self) -> Connection[Event]: ...

    async def run(self) -> None: ...


async def _serve(served: _Served) -> None:
    try:
        await served.run()
    except Exception:
        log.exception("connection failed")


class _Stage(Scene):
    """Users of a server, as a story sees them."""

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self._actors: dict[JID, Actor] = {}

    async def join(self, actor: JID, lang: str = "") -> None:
        self._actors[actor] = await self._server.actor(f"{actor.local}/{actor.resource}")

    async def leave(self, actor: JID, *, cleanly: bool) -> None:
        await self._actors[actor].leave()

    async def send(self, actor: JID, xml: str) -> None:
        await self._actors[actor].send(xml)

    async def receive(self, actor: JID) -> Any:
        return await self._actors[actor].next()

    async def wait(self, seconds: float) -> None:
        await self._server.advance(seconds)


_TEMPLATES: dict[str, Path] = {}


def _prepare(folder: Path, domain: str, clock: ManualClock) -> None:
    """A folder with an empty store and a certificate: making them takes a while, once."""
    if domain not in _TEMPLATES:
        kept = TemporaryDirectory()
        atexit.register(kept.cleanup)
        asyncio.run(_make(Path(kept.name), domain))
        _TEMPLATES[domain] = Path(kept.name)
    shutil.copytree(_TEMPLATES[domain] / "data", folder / "data")


async def _make(folder: Path, domain: str) -> None:
    file = folder / "pyrite.toml"
    file.write_text(SETTINGS.format(folder=folder, domain=domain, host="", more=""))
    async with Server(load(file, Installed()), clock=ManualClock()).running():
        pass
