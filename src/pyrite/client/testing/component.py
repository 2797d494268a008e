"""The server's side of a component's stream, in memory (XEP-0114)."""

from __future__ import annotations

from collections.abc import Callable

from ...core.errors import StanzaError, StreamError
from ...core.payload import encode
from ...core.stanza import Iq, Stanza, read
from ...core.stream import Event, Stream
from ...core.xml import Closed, Element, Opened
from ...net.connection import Connection
from ...server.app import Server
from ...server.router import Router
from ...server.session import Session
from ...wire import component

Take = Callable[[Stanza], None]


class Routes(Router):
    """The ways of a server that has components: domain -> who takes what is for it.

    Stanzas, also presence for somebody at such a domain, go there; who has sent presence so is
    not remembered, and its end not told.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.domains: dict[str, Take] = {}

    async def _send(self, stanza: Stanza, session: Session) -> None:
        if not self._give(stanza):
            await super()._send(stanza, session)

    async def bring(self, stanza: Stanza) -> None:
        if not self._give(stanza):
            await super().bring(stanza)

    def _give(self, stanza: Stanza) -> bool:
        take = self.domains.get(stanza.to.domain) if stanza.to is not None else None
        if take is None:
            return False
        take(stanza)
        return True


class ComponentConnection:
    """One component's stream: the handshake, then stanzas from its domain and to it."""

    def __init__(self, routes: Routes, domain: str, secret: str, id: str) -> None:
        self._routes, self._domain, self._secret, self._id = routes, domain, secret, id
        self.stream = Stream(component.NS)
        self.connection: Connection[Event] = Connection(
            self.stream.feed, self._handle, self.stream.take
        )

    async def run(self) -> None:
        """Serve it until its connection is over."""
        try:
            await self.connection.run()
        finally:
            if self._routes.domains.get(self._domain) == self._take:
                del self._routes.domains[self._domain]

    def _take(self, stanza: Stanza) -> None:
        if not self.stream.is_closed:
            self.stream.send_stanza(stanza)
            self.connection.wake()

    async def _handle(self, event: Event) -> None:
        try:
            match event:
                case Opened():
                    self.stream.open(sender=self._domain, id=self._id)
                case Element() if event.name.tag == "handshake":
                    self._prove(component.Handshake(event.text.strip()))
                case Element():
                    await self._receive(event)
                case Closed():
                    self._close()
                case StreamError():
                    raise event
        except StreamError as error:
            self._close(error)
        self.connection.wake()

    def _close(self, error: StreamError | None = None) -> None:
        self.stream.close(error)
        self.connection.close()

    def _prove(self, proof: component.Handshake) -> None:
        if proof != component.handshake(self._id, self._secret):
            raise StreamError("not-authorized", "that is not the secret")
        if self._domain in self._routes.domains:
            raise StreamError("conflict", "that component is connected already")
        self._routes.domains[self._domain] = self._take
        self.stream.send(encode(component.Handshake()))

    async def _receive(self, element: Element) -> None:
        if self._routes.domains.get(self._domain) != self._take:
            raise StreamError("not-authorized", "the handshake comes first")
        stanza = read(element)
        if stanza.sender is None or stanza.sender.domain != self._domain or stanza.to is None:
            raise StreamError("invalid-from", "a component names itself, and to whom it speaks")
        try:
            await self._routes.bring(stanza)
        except StanzaError as error:
            if stanza.type != "error" and not (isinstance(stanza, Iq) and not stanza.is_request):
                self._take(stanza.refuse(error))
