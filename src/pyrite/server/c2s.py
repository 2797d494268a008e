"""Clients' connections: from a socket to a bound session, and back (RFC 6120)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from ..core.errors import SaslError, StanzaError, StreamError
from ..core.jid import JID
from ..core.negotiate import Act, Phase, admit, features
from ..core.payload import decode, encode
from ..core.stanza import Iq, read, read_unaddressed
from ..core.stream import ERROR, Event, Stream
from ..core.xml import Closed, Element, Opened
from ..core.xml import Limits as ElementLimits
from ..kit import log as kit_log
from ..kit.outage import Outage
from ..kit.tasks import ScopeFullError
from ..net.connection import Connection
from ..net.tls import TlsContext
from ..wire import bind, sasl, tls
from .auth import Challenge, Channel, Exchange, Success, identities_in
from .header import language_of, sender_of, speaks_with_us
from .module import Request
from .router import refusal
from .session import Session

if TYPE_CHECKING:
    from .app import Server
    from .hosts import Host

P = TypeVar("P")
log = logging.getLogger(__name__)

RELAX = 15.0  # seconds of silence after which a stream's parser is let go


class ClientConnection:
    """One client's stream, and its session once there is one."""

    __slots__ = (
        *("connection", "context", "exchange", "failures", "host", "jid", "lang", "leaving"),
        *("phase", "pinged", "server", "session", "stream"),
    )

    def __init__(self, server: Server, context: TlsContext, *, direct: bool) -> None:
        self.server = server
        self.context = context
        self.phase = Phase.SECURE if direct else Phase.PLAIN
        self.stream = Stream(limits=server.settings.limits.before_authentication())
        self.stream.sender, self.stream.id = server.default_domain, server.ids()
        self.connection: Connection[Event] = Connection(
            feed=self.stream.feed,
            handle=self._handle,
            fill=self._fill,
            tls=context if direct else None,
            rate=server.settings.limits.reading(),
        )
        self.host: Host | None = None
        self.jid: JID | None = None  # the account, once authenticated
        self.session: Session | None = None
        self.leaving: asyncio.Task[None] | None = None  # tells others that the session is gone
        self.lang: str | None = None
        self.exchange: Exchange | None = None
        self.failures = 0
        self.pinged = False

    async def run(self) -> None:
        """Serve the client until its connection is over."""
        limits = self.server.settings.limits
        self.connection.set_deadline(limits.negotiation, self._too_slow)
        self.server.listeners.connections.add(self)
        kit_log.bind(address=self.connection.peer_address)
        try:
            await self.connection.run()
        finally:
            self.server.listeners.connections.discard(self)
            if self.exchange:
                self.exchange.abort()
            if self.session:
                await self.server.part(self.session)
            if self.leaving:
                await asyncio.wait([self.leaving])

    # --- events ----------------------------------------------------------------------

    async def _handle(self, event: Event) -> None:
        try:
            if self.session is not None and event.__class__ is Element:
                return await self._stanza(event, self.session)
            await self._converse(event)
        except StreamError as error:
            if isinstance(event, Element) and event.name == ERROR:
                self._closed()  # the client's last word; an error is not answered with one
            else:
                self.end(error)
        except Exception:
            log.exception("client connection failed: %s", self.jid or self.connection.peer_address)
            self.end(StreamError("internal-server-error"))
        return self.connection.wake()

    async def _converse(self, event: Event) -> None:
        """Take what is no stanza of a session."""
        match event:
            case Opened(header):
                self._opened(header)
            case Element():
                await self._negotiate(event)
            case Closed():
                self._closed()
            case StreamError():
                raise event

    async def _stanza(self, element: Element, session: Session) -> None:
        """Take a stanza of a bound session (§8.1.2.1: its sender is who it says it is)."""
        if session.ended is not None:
            return
        try:
            stanza = read(element)
        except StanzaError as error:
            self.server.router.refuse_unread(element, error, session)
            return
        except StreamError:
            await session.host.take_nonza(element, session)
            return
        claimed = stanza.sender
        if claimed is not None and claimed != session.jid and claimed != session.jid.bare:
            raise StreamError("invalid-from", "a stanza in somebody else's name")
        stanza.sender = session.jid  # fresh: nobody else has seen it yet
        if stanza.lang is None:
            stanza.lang = session.lang
        await self.server.router.receive(stanza, session)

    def _closed(self) -> None:
        """The client said goodbye: so do we, once what it is still to hear is written (§4.4)."""
        self._flush_last()
        self.stream.close()
        self.connection.close()
        self._leave()

    def end(self, error: StreamError) -> None:
        """Say why, and hang up. What is queued is written first, if the client reads."""
        if not self.stream.is_closed:
            self.server.listeners.tell(error, self)
        self._flush_last()
        self.stream.close(error)
        self.connection.close()
        self._leave()

    def _leave(self) -> None:
        """From now on the session is nobody's to send to, whenever the peer lets go of the socket.

        Else what comes for it would pile up until then.
        """
        if self.session is not None and self.leaving is None:
            with suppress(ScopeFullError):  # then `run` does it, a little later
                self.leaving = self.server.scope.start(self.server.unbind(self.session))

    # --- the way to a session --------------------------------------------------------

    def _opened(self, header: Element) -> None:
        """Answer the client's header with ours, and with what it may do next (§4.7, §4.3.2)."""
        self.stream.id = self.server.ids()
        self.lang = language_of(header) or self.lang
        try:
            host = self.server.host_for(header.attrs.get("to"))
        except StreamError:
            self.stream.open(sender=self.stream.sender, id=self.stream.id, lang="en")
            raise
        self.stream.sender = host.domain
        self.stream.open(
            sender=host.domain, id=self.stream.id, to=sender_of(header), lang=self.lang or "en"
        )
        if not speaks_with_us(header):
            raise StreamError("unsupported-version", "this server speaks XMPP 1.0")
        if self.host is not None and self.host is not host:
            raise StreamError("not-authorized", "a connection stays with one host")
        self.host = host
        kit_log.bind(host=host.domain)
        self.stream.send(features(self._offers(host)))

    def _offers(self, host: Host) -> list[Element]:
        secure = self.connection.tls is not None
        offers: list[Element] = []
        if self.phase is Phase.AUTHENTICATED:
            offers.append(encode(bind.Bind()))
        if self.phase is Phase.PLAIN:
            offers.append(encode(tls.StartTls(required=self._must_encrypt)))
        if self.phase is Phase.SECURE or (self.phase is Phase.PLAIN and not self._must_encrypt):
            channel = self._channel()
            mechanisms = host.authenticator.mechanisms(channel)
            offers.append(encode(sasl.Mechanisms(mechanisms)))
            if bindings := host.authenticator.binding_types(channel):
                offers.append(encode(sasl.bindings(*bindings)))
        offers += host.offered(self.phase, secure=secure)
        return offers

    @property
    def _must_encrypt(self) -> bool:
        return self.server.settings.tls.required

    def _channel(self) -> Channel:
        """What the connection itself proves (RFC 5056)."""
        secured = self.connection.tls
        # XEP-0178: a certificate names accounts if we trust who says so
        proof = secured.peer_certificate if secured and secured.peer_is_trusted else None
        return Channel(
            secure=secured is not None,
            bindings=secured.channel_bindings() if secured else {},
            address=self.connection.peer_address,
            certificate_identities=identities_in(proof),
        )

    async def _negotiate(self, element: Element) -> None:
        host = self.host
        if host is None:
            raise StreamError("not-authorized")
        match admit(self.phase, element):
            case Act.STARTTLS:
                self._start_tls()
            case Act.REFUSE_TLS:
                self.stream.send(encode(tls.Failure()))
                self._closed()
            case Act.AUTH:
                await self._authenticate(_decode(sasl.Auth, element), host)
            case Act.RESPONSE:
                await self._respond(_decode(sasl.Response, element))
            case Act.ABORT:
                self._failed(SaslError("aborted"))
            case Act.REGISTER:
                await self._register(element, host)
            case Act.BIND:
                await self._bind(element, host)
            case Act.STANZA:
                raise StreamError("not-authorized")

    def _start_tls(self) -> None:
        """Go on encrypted. Whatever came after the request in the clear is dropped (§5.3.1)."""
        self.stream.send(encode(tls.Proceed()))
        self.connection.start_tls(self.context)
        self.phase = Phase.SECURE
        self._restart()

    def _restart(self, limits: ElementLimits | None = None) -> None:
        """A new stream on the same connection, with an id of its own (§4.3.3)."""
        self.stream.restart(limits)
        self.stream.id = self.server.ids()

    # --- authentication --------------------------------------------------------------

    async def _authenticate(self, auth: sasl.Auth, host: Host) -> None:
        try:
            if self.phase is Phase.PLAIN and self._must_encrypt:
                raise SaslError("encryption-required", "start TLS first")
            initial = sasl.unpack(auth.encoded)
            self.exchange = host.authenticator.exchange(self._channel())
            self.phase = Phase.ASKED
            self._advance(await self.exchange.start(auth.mechanism, initial))
        except SaslError as error:
            self._failed(error)

    async def _respond(self, response: sasl.Response) -> None:
        if self.exchange is None:
            raise StreamError("not-authorized")
        try:
            self._advance(await self.exchange.respond(sasl.unpack(response.encoded) or b""))
        except SaslError as error:
            self._failed(error)

    def _advance(self, step: Challenge | Success) -> None:
        if self.stream.is_closed:
            return  # it took too long
        if isinstance(step, Challenge):
            self.stream.send(encode(sasl.Challenge(sasl.pack(step.data))))
            return
        self.exchange = None
        self.jid = step.jid
        self.phase = Phase.AUTHENTICATED
        self.stream.send(encode(sasl.Success(sasl.pack(step.data))))
        self._restart(self.server.settings.limits.after_authentication())
        self.connection.skip_rest()

    def _failed(self, error: SaslError) -> None:
        """Say so; after too many attempts that was the last (RFC 6120 §6.4.5)."""
        if self.exchange:
            self.exchange.abort()
        self.exchange = None
        if self.stream.is_closed:
            return  # it took too long
        self.phase = Phase.SECURE if self.connection.tls else Phase.PLAIN
        self.failures += 1
        self.stream.send(encode(sasl.failure(error)))
        if self.failures >= self.server.settings.limits.attempts:
            raise StreamError("policy-violation", "too many attempts to authenticate")

    # --- registration and binding ----------------------------------------------------

    async def _register(self, element: Element, host: Host) -> None:
        """An IQ of in-band registration, which comes before any account (XEP-0077 §3.1)."""
        if self.phase is Phase.PLAIN and self._must_encrypt:
            raise StreamError("not-authorized", "start TLS first")
        try:
            iq = read(element)
            if not isinstance(iq, Iq) or not iq.is_request or iq.id is None:
                raise StreamError("not-authorized")
            address = self.connection.peer_address
            answer = await host.answer(Request(iq, host.jid, host.jid, None, address))
        except (StanzaError, Outage) as error:
            refused = refusal(error) if isinstance(error, Outage) else error
            answer = read_unaddressed(element).refuse(refused)  # type: ignore[assignment]
        if not self.stream.is_closed:
            self.stream.send_stanza(answer.routed(sender=host.jid))

    async def _bind(self, element: Element, host: Host) -> None:
        """Give the client its full address (§7)."""
        iq = read_unaddressed(element)
        if self.jid is None or iq.type in ("result", "error"):
            raise StreamError("not-authorized")
        try:
            if iq.type != "set" or iq.id is None or len(iq.payloads) != 1:
                raise StanzaError("bad-request", "binding is an iq of type set with an id")
            wanted = decode(bind.Bind, iq.payloads[0]).resource
            session = await self.server.bind(self.jid, wanted, lang=self.lang)
        except StanzaError as error:
            if not self.stream.is_closed:
                self.stream.send_stanza(iq.refuse(error))
            return
        session.address = self.connection.peer_address
        session.secure = self.connection.tls is not None
        session.wake, session.drain = self.connection.wake, self.connection.flush
        session.writable = self.connection.writable
        session.on_end = self._session_ended
        self.session, self.phase = session, Phase.BOUND
        kit_log.bind(session=session.jid)
        if session.ended is not None:  # somebody else took the resource meanwhile
            self._session_ended()
        if self.stream.is_closed:  # it took too long
            self._leave()
            return
        self.connection.clear_deadline()
        answer = Iq("result", id=iq.id, payloads=(encode(bind.Bind(jid=session.jid)),))
        self.stream.send_stanza(answer)

    def _session_ended(self) -> None:
        ended = self.session.ended if self.session else None
        self.end(ended or StreamError("reset"))

    # --- time ------------------------------------------------------------------------

    def _too_slow(self) -> None:
        self.end(StreamError("connection-timeout", "negotiation took too long"))

    def relax(self, now: float) -> bool:
        """Let go of what a silent client does not need; whether there was any such thing."""
        return now - self.connection.last_read >= RELAX and self.stream.relax()

    def sweep(self, now: float) -> None:
        """Ask a silent client whether it is there, and give up on one that stays silent.

        `now` is the loop's time, in seconds. Called every few seconds.
        """
        session = self.session
        if session is None or self.connection.is_closing:
            return
        limits = self.server.settings.limits
        silent = now - self.connection.last_read
        if silent < limits.ping_after:
            self.pinged = False
        elif not self.pinged:
            self.pinged = True
            self.server.ping(session)
        elif silent >= limits.ping_after + limits.ping_timeout:
            session.end(StreamError("connection-timeout", "no answer to a ping"))

    # --- writing ---------------------------------------------------------------------

    def _flush_last(self) -> None:
        """Of a client that does not read, what is queued is better kept than written."""
        if not self.connection.is_full:
            self._flush()

    def _flush(self) -> None:
        session = self.session
        if session is not None and session.queue and not self.stream.is_closed:
            self.stream.send_text("".join([stanza.write() for stanza in session.take()]))

    def _fill(self) -> bytes:
        """What there is to write now."""
        self._flush()
        return self.stream.take()


def _decode(cls: type[P], element: Element) -> P:
    """`element` as a `cls`; what does not fit ends the stream, since no stanza can be refused."""
    try:
        return decode(cls, element)
    except StanzaError as error:
        raise StreamError("bad-format", error.text) from None
