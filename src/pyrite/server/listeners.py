"""The server's sockets: who may connect, which certificate they see, and how all of it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..core.errors import StreamError
from ..core.jid import JID
from ..kit.config import Address
from ..kit.memory import give_back
from ..kit.meter import Counter, Family, Meter
from ..kit.rate import Limit
from ..net.certificates import CertificateError, Watch, doubts, ensure
from ..net.listener import Gate, Limits, listening
from ..net.tls import Identity, ServerTls, TlsContext, TlsError, server_context
from .c2s import ClientConnection

if TYPE_CHECKING:
    from .app import Server
    from .hosts import Host
    from .session import Session
    from .settings import Settings

log = logging.getLogger(__name__)

RELAX = 1.0  # seconds between looks at what can be let go of
SWEEP = 5.0  # seconds between looks at silent clients and at the certificate
MANY = 200  # streams whose parsers were let go: enough memory to give back
FAREWELL = 5.0  # seconds that clients have to hear of the end

SERVED = frozenset(("c2s", "c2s-tls"))  # keys of [listen]

BLAMED = frozenset(  # conditions of a stream error that the peer has caused, not we
    "bad-format bad-namespace-prefix connection-timeout host-unknown improper-addressing"
    " invalid-from invalid-namespace invalid-xml not-authorized not-well-formed policy-violation"
    " resource-constraint restricted-xml undefined-condition unsupported-encoding"
    " unsupported-stanza-type unsupported-version".split()
)

ALPN = ("xmpp-client",)  # XEP-0368 §3


@dataclass(frozen=True, slots=True)
class Certificates:
    """What connections are shown, and the files that it came from."""

    starttls: TlsContext
    direct: TlsContext
    watch: Watch


class Listeners:
    """All that is listened on, and the connections that came of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.connections: set[ClientConnection] = set()
        self.ports: dict[str, int] = {}  # listener's name -> the port of its first address
        self._certificates: Certificates | None = None
        self._gate = Gate()
        self._accepted = 0
        self._errors = self._count(server.meter)

    def _count(self, meter: Meter) -> Family[Counter]:
        meter.gauge("connections", "Connections that are open.", lambda: len(self.connections))
        meter.counter(
            "connections_accepted", "Connections that were let in.", lambda: self._accepted
        )
        meter.counter(
            "connections_refused",
            "Connections that were closed at once: too many, or too fast.",
            lambda: self._gate.refused,
        )
        return meter.counters("stream_errors", "Streams that we ended with an error.", "condition")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Accept connections while the block runs; then end every stream with a reason (§4.9.3.20).

        Raises `OSError` for an address that cannot be listened on, `TlsError` for a
        certificate that cannot be used.
        """
        settings = self._server.settings
        limits = settings.limits
        gate = self._gate = Gate(
            Limits(
                total=limits.connections,
                per_address=limits.connections_per_address,
                rate=Limit(limits.connection_rate, limits.connection_burst),
            )
        )
        self._certificates = self._prepared(settings)
        async with AsyncExitStack() as stack:
            for name, address in settings.listen.used():
                if name in SERVED:
                    await stack.enter_async_context(self._listening(name, address, gate))
                else:
                    log.warning("not listened on: this version serves no %s", name)
            rounds = [self._server.scope.start(each) for each in (self._sweep(), self._relax())]
            try:
                yield
            finally:
                for each in rounds:
                    each.cancel()
                await self._say_goodbye()

    @asynccontextmanager
    async def _listening(self, name: str, address: Address, gate: Gate) -> AsyncIterator[None]:
        accept = partial(self.accept, direct=name == "c2s-tls")
        async with AsyncExitStack() as stack:
            listener = listening(accept, address.host, address.port, gate=gate, stop=FAREWELL)
            try:
                port = await stack.enter_async_context(listener)
            except OSError as error:
                what = f"listen.{name}: cannot listen on {address}: {error.strerror}"
                raise OSError(error.errno, what) from None
            self.ports.setdefault(name, port)
            log.info("listening: %s on %s", name, Address(address.host, port))
            yield

    def accept(self, *, direct: bool) -> ClientConnection:
        """Who owns a connection that somebody has made."""
        if self._certificates is None:
            raise RuntimeError("no certificate was loaded")
        self._accepted += 1
        context = self._certificates.direct if direct else self._certificates.starttls
        return ClientConnection(self._server, context, direct=direct)

    # --- certificates ----------------------------------------------------------------

    def _prepared(self, settings: Settings) -> Certificates:
        """What new connections are to be shown by these settings. Raises `TlsError`."""
        data, tls, asks = settings.data, settings.tls, "EXTERNAL" in settings.auth.mechanisms
        if tls.certificate is not None and tls.key is not None:
            identity = Identity(tls.certificate, tls.key)
        else:
            identity = Identity(data / "cert.pem", data / "key.pem")
            self._make_certificate(identity, settings)
        shown = partial(
            ServerTls,
            identity,
            asks_certificate=asks,
            authorities=tls.authorities if asks else None,
        )
        files = (identity.certificate, identity.key, tls.authorities)
        made = Certificates(
            server_context(shown()),
            server_context(shown(alpn=ALPN)),
            Watch(file for file in files if file is not None),
        )
        for doubt in doubts(identity, list(settings.host), self._server.clock.now()):
            log.warning("clients may refuse the certificate: %s", doubt)
        return made

    def _make_certificate(self, identity: Identity, settings: Settings) -> None:
        try:
            if ensure(identity, list(settings.host), self._server.clock.now()):
                log.info("self-signed certificate made: %s", identity.certificate)
        except CertificateError as error:
            raise TlsError(str(error)) from None

    def reload(self, settings: Settings) -> None:
        """Show new connections what these settings say. Raises `TlsError`, and changes nothing."""
        if self._certificates is not None:
            self._certificates = self._prepared(settings)

    def _look_at_certificates(self) -> None:
        """Take what was put in the place of our files, if it can be used."""
        if self._certificates is None or not self._certificates.watch.changed():
            return
        try:
            self.reload(self._server.settings)
        except TlsError as error:
            log.error("certificate not reloaded: %s", error)
        else:
            log.info("certificate reloaded")

    # --- time and the end ------------------------------------------------------------

    async def _sweep(self) -> None:
        """Look for silent clients and changed certificates until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._server.clock.sleep(SWEEP)
            now = loop.time()
            for connection in tuple(self.connections):
                connection.sweep(now)
            self._look_at_certificates()

    async def _relax(self) -> None:
        """Let go of what silent clients do not need, until cancelled.

        Soon: among many who log in at once, the next ones use that memory again. Later it
        would be holes between sessions, too small for the system to get back.
        """
        loop = asyncio.get_running_loop()
        relaxed = 0  # connections, since memory was given back
        while True:
            await self._server.clock.sleep(RELAX)
            before, now = relaxed, loop.time()
            for connection in tuple(self.connections):
                relaxed += connection.relax(now)
            if relaxed >= MANY or (relaxed and relaxed == before):  # many, or the last for now
                relaxed = 0
                give_back()

    def tell(self, error: StreamError, connection: ClientConnection) -> None:
        """Count a stream that we end with `error`, and log one for which the peer is to blame."""
        self._errors[error.condition].value += 1
        if error.condition in BLAMED:
            # who is named here is the one: this may run on behalf of another connection
            fields = {
                "address": connection.connection.peer_address,
                "host": connection.host.domain if connection.host else "-",
                "session": connection.session.jid if connection.session else "-",
                "condition": error.condition,
            }
            log.info("stream ended", extra={**fields, "reason": error.text or "-"})

    def end_all_of(
        self, account: JID, error: StreamError, but: Session | None = None
    ) -> list[ClientConnection]:
        """End every stream of an account, bound or not yet, but for one; those that it were."""
        ended = [each for each in self.connections if each.jid == account]
        if but is not None:
            ended = [each for each in ended if each.session is not but]
        for connection in ended:
            connection.end(error)
        return ended

    def end_all_at(self, host: Host, error: StreamError) -> None:
        """End every stream to a host that has no session yet."""
        for connection in tuple(self.connections):
            if connection.host is host and connection.session is None:
                connection.end(error)

    async def _say_goodbye(self) -> None:
        """Tell everybody why, then wait until they have read it, or had the time to."""
        for connection in tuple(self.connections):
            connection.end(StreamError("system-shutdown", "the server stops"))
