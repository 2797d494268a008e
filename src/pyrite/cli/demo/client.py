"""A small client: it logs in, sends stanzas, and notes what comes. For demonstrations only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

from ...core.errors import StreamError
from ...core.jid import JID
from ...core.negotiate import FEATURES, Authenticate, Bind, Phase, StartTls, choose
from ...core.payload import decode, encode
from ...core.sasl import Advertised, ClientMechanism, Credentials
from ...core.sasl import choose as choose_mechanism
from ...core.stanza import Iq, Message, Stanza, read
from ...core.stream import ERROR, Event, Stream, read_error
from ...core.xml import Closed, Element, Limits, Opened
from ...kit.ids import Ids
from ...net.connection import Connection, connect
from ...net.tls import ClientTls, TlsContext, client_context
from ...wire import bind, sasl, tls
from ...wire.message import Body

S = TypeVar("S", bound=Stanza)

PATIENCE = 20.0  # seconds that the server may take for anything
INBOX = 1000  # stanzas that may wait to be looked at; then the client hangs up


@asynccontextmanager
async def logged_in(
    jid: JID, password: str, *, port: int, pin: str, direct: bool = False
) -> AsyncIterator[Client]:
    """A client with a bound session, by STARTTLS or by direct TLS, until the block ends.

    `pin` is the SHA-256 of the certificate that the server has to show. Raises `OSError` or
    `TlsError` when there is no connection; what goes wrong later comes in an exception group.
    """
    client = Client(jid, password, pin=pin, direct=direct)
    await connect(client.connection, "127.0.0.1", port, within=PATIENCE)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(client.connection.run())
        try:
            client.open()
            async with asyncio.timeout(PATIENCE):
                await client.bound.wait()
            yield client
        finally:
            client.close()
            await asyncio.wait({running}, timeout=PATIENCE)
            running.cancel()


class Client:
    """One connection and what it is about."""

    def __init__(self, jid: JID, password: str, *, pin: str, direct: bool) -> None:
        alpn = ("xmpp-client",) if direct else ()
        self.jid = jid
        self.mechanism = ""
        self.inbox: asyncio.Queue[Stanza] = asyncio.Queue(INBOX)
        self.bound = asyncio.Event()
        self._credentials = Credentials(jid.local or "", password)
        self._tls: TlsContext = client_context(ClientTls(jid.domain, alpn=alpn, pin=pin))
        self._stream = Stream()
        self.connection: Connection[Event] = Connection(
            self._stream.feed, self._handle, self._stream.take, tls=self._tls if direct else None
        )
        self._phase = Phase.SECURE if direct else Phase.PLAIN
        self._sasl: ClientMechanism | None = None
        self._ids = Ids()

    def open(self) -> None:
        """Begin a stream."""
        self._stream.open(to=self.jid.domain)
        self.connection.wake()

    def close(self) -> None:
        """End the stream and then the connection."""
        self._stream.close()
        self.connection.close()

    @property
    def channel(self) -> str:
        """The TLS version of the connection."""
        return self.connection.tls.version if self.connection.tls else "no TLS"

    # What a user of it does

    def send(self, stanza: Stanza) -> None:
        self._stream.send_stanza(stanza)
        self.connection.wake()

    def say(self, to: JID, text: str) -> None:
        self.send(Message("chat", to, id=self._ids(), payloads=[encode(Body(text))]))

    async def ask(self, type: Literal["get", "set"], payload: Any) -> Iq:
        """The answer of the server; what comes before it is dropped."""
        request = Iq(type, id=self._ids()).add(payload)
        self.send(request)
        return await self.hear(Iq, lambda iq: iq.id == request.id)

    async def hear(self, kind: type[S], wanted: Callable[[S], bool] = lambda _: True) -> S:
        """The next stanza of that kind that is wanted; others are dropped."""
        async with asyncio.timeout(PATIENCE):
            while True:
                stanza = await self.inbox.get()
                if isinstance(stanza, kind) and wanted(stanza):
                    return stanza

    # What the server says

    def _send(self, payload: Any) -> None:
        self._stream.send(encode(payload))
        self.connection.wake()

    async def _handle(self, event: Event) -> None:
        match event:
            case Element(name=name) if name == ERROR:
                raise read_error(event)
            case Element():
                self._receive(event)
            case StreamError():
                raise event
            case Closed():
                self.close()
            case Opened():
                pass

    def _receive(self, element: Element) -> None:
        if element.name == FEATURES:
            self._go_on(element)
        elif element.name.ns == tls.NS:
            decode(tls.Proceed, element)
            self.connection.start_tls(self._tls)
            self._restart(Phase.SECURE)
        elif element.name.ns == sasl.NS:
            self._authenticate(element)
        elif self._phase is Phase.BOUND:
            self.inbox.put_nowait(read(element))
        else:
            self._note_address(read(element))

    def _restart(self, phase: Phase) -> None:
        self._phase = phase
        self._stream.restart(Limits())
        self.open()

    def _go_on(self, features: Element) -> None:
        match choose(self._phase, features):
            case StartTls():
                self._send(tls.StartTls())
            case Authenticate(mechanisms, types):
                self._begin(mechanisms, types)
            case Bind():
                wanted = bind.Bind(resource=self.jid.resource)
                self._stream.send_stanza(Iq("set", id=self._ids()).add(wanted))
                self.connection.wake()

    def _begin(self, mechanisms: tuple[str, ...], types: tuple[str, ...]) -> None:
        channel = self.connection.tls
        bindings = channel.channel_bindings() if channel else {}
        offer = Advertised(self.jid.domain, mechanisms, types, bindings)
        self._sasl = choose_mechanism(offer, self._credentials, self._ids())
        self.mechanism = self._sasl.name
        self._send(sasl.Auth(self.mechanism, sasl.pack(self._sasl.start())))

    def _authenticate(self, element: Element) -> None:
        if self._sasl is None:
            raise StreamError("bad-format", "an answer to nothing")
        match element.name.tag:
            case "challenge":
                challenge = sasl.unpack(decode(sasl.Challenge, element).encoded) or b""
                self._send(sasl.Response(sasl.pack(self._sasl.step(challenge))))
            case "success":
                self._sasl.finish(sasl.unpack(decode(sasl.Success, element).encoded))
                self._restart(Phase.AUTHENTICATED)
            case _:
                raise decode(sasl.Failure, element).error

    def _note_address(self, answer: Stanza) -> None:
        bound = answer.get(bind.Bind)
        if answer.error is not None or bound is None or bound.jid is None:
            raise answer.error or StreamError("bad-format", "no address was given")
        self.jid = bound.jid
        self._phase = Phase.BOUND
        self.bound.set()
