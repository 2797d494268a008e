"""The server's sockets: who may connect, which certificate they see, and how all of it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from ..core.errors import StreamError
from ..core.jid import JID
from ..kit.config import Address
from ..kit.rate import Limit
from ..net.certificates import Watch, ensure
from ..net.listener import Gate, Limits, listening
from ..net.tls import Identity, ServerTls, TlsContext, TlsError, server_context
from .c2s import ClientConnection

if TYPE_CHECKING:
    from .app import Server

log = logging.getLogger(__name__)

SWEEP = 5.0  # seconds between looks at silent clients and at the certificate
FAREWELL = 5.0  # seconds that clients have to hear of the end

SERVED = frozenset(("c2s", "c2s-tls"))  # keys of [listen]

ALPN = ("xmpp-client",)  # XEP-0368 §3


class Listeners:
    """All that is listened on, and the connections that came of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.connections: set[ClientConnection] = set()
        self.ports: dict[str, int] = {}  # listener's name -> the port of its first address
        self._starttls: TlsContext | None = None
        self._direct: TlsContext | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Accept connections while the block runs; then end every stream with a reason (§4.9.3.20).

        Raises `OSError` for an address that cannot be listened on, `TlsError` for a
        certificate that cannot be used.
        """
        settings = self._server.settings
        limits = settings.limits
        gate = Gate(
            Limits(
                total=limits.connections,
                per_address=limits.connections_per_address,
                rate=Limit(limits.connection_rate, limits.connection_burst),
            )
        )
        self._load_certificate()
        async with AsyncExitStack() as stack:
            for name, address in settings.listen.used():
                if name in SERVED:
                    await stack.enter_async_context(self._listening(name, address, gate))
                else:
                    log.warning("not listened on: this version serves no %s", name)
            sweeping = self._server.scope.start(self._sweep())
            try:
                yield
            finally:
                sweeping.cancel()
                await self._say_goodbye()

    @asynccontextmanager
    async def _listening(self, name: str, address: Address, gate: Gate) -> AsyncIterator[None]:
        accept = partial(self._accept, direct=name == "c2s-tls")
        async with listening(accept, address.host, address.port, gate=gate, stop=FAREWELL) as port:
            self.ports.setdefault(name, port)
            log.info("listening: %s on %s", name, address)
            yield

    def _accept(self, *, direct: bool) -> ClientConnection:
        context = self._direct if direct else self._starttls
        if context is None:
            raise RuntimeError("no certificate was loaded")
        return ClientConnection(self._server, context, direct=direct)

    # --- certificates ----------------------------------------------------------------

    def _load_certificate(self) -> None:
        settings = self._server.settings
        if settings.tls.certificate is not None and settings.tls.key is not None:
            identity = Identity(settings.tls.certificate, settings.tls.key)
        else:
            identity = Identity(settings.data / "cert.pem", settings.data / "key.pem")
            if ensure(identity, list(settings.host), self._server.clock.now()):
                log.info("self-signed certificate made: %s", identity.certificate)
        asks = "EXTERNAL" in settings.auth.mechanisms
        self._starttls = server_context(ServerTls(identity, asks_certificate=asks))
        self._direct = server_context(ServerTls(identity, alpn=ALPN, asks_certificate=asks))
        self._watch = Watch((identity.certificate, identity.key))

    def reload_certificate(self) -> None:
        """Show new connections what is in the files now, if it can be used."""
        for context in (self._starttls, self._direct):
            if context is not None:
                try:
                    context.reload()
                except TlsError as error:
                    log.error("certificate not reloaded: %s", error)
                    return
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
            if self._watch.changed():
                self.reload_certificate()

    def end_all_of(self, account: JID, error: StreamError) -> None:
        """End every stream of an account, bound or not yet."""
        for connection in tuple(self.connections):
            if connection.jid == account:
                connection.end(error)

    async def _say_goodbye(self) -> None:
        """Tell everybody why, then wait until they have read it, or had the time to."""
        for connection in tuple(self.connections):
            connection.end(StreamError("system-shutdown", "the server stops"))
