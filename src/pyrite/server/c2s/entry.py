"""The way of a client to its session: TLS, authentication, registration, and a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ...core.errors import SaslError, StanzaError, StreamError
from ...core.jid import JID
from ...core.negotiate import Act, Phase, admit, features
from ...core.payload import decode, encode
from ...core.stanza import Iq, read, read_unaddressed
from ...core.xml import Element
from ...core.xml import Limits as ElementLimits
from ...kit import log as kit_log
from ...kit.outage import Outage
from ...wire import bind, sasl, sasl2, tls
from ..auth import LOGIN, Challenge, Channel, Exchange, Login, Success, identities_in
from ..header import claimed_by, language_of, sender_of, speaks_with_us
from ..module import Request
from ..router import refusal
from .authentication import Authentication, offer

if TYPE_CHECKING:
    from ..hosts import Host
    from .connection import ClientConnection

P = TypeVar("P")


class Entry:
    """How far a client has come on its way to a session. Its end is `ClientConnection.attach`."""

    __slots__ = (
        *("authentication", "client", "connection", "exchange", "failures", "mechanism"),
        *("notes", "phase", "sender", "server", "stream"),
    )

    def __init__(self, client: ClientConnection, phase: Phase) -> None:
        self.client, self.phase = client, phase
        self.server, self.stream, self.connection = client.server, client.stream, client.connection
        self.sender: JID | None = None  # who the client says it is
        self.exchange: Exchange | None = None
        self.authentication: Authentication | None = None  # by XEP-0388
        self.mechanism = ""  # by which it has proven who it is
        self.failures = 0
        self.notes: dict[str, str] = {}  # what modules have to remember of a newcomer

    def abort(self) -> None:
        """The client is gone."""
        if self.exchange:
            self.exchange.abort()

    def opened(self, header: Element) -> None:
        """Answer the client's header with ours, and with what it may do next (§4.7, §4.3.2)."""
        client = self.client
        self.stream.id = self.server.ids()
        client.lang = language_of(header) or client.lang
        try:
            host = self.server.host_for(header.attrs.get("to"))
        except StreamError:
            self.stream.open(sender=self.stream.sender, id=self.stream.id, lang="en")
            raise
        self.stream.sender = host.domain
        self.stream.open(
            sender=host.domain, id=self.stream.id, to=sender_of(header), lang=client.lang or "en"
        )
        if not speaks_with_us(header):
            raise StreamError("unsupported-version", "this server speaks XMPP 1.0")
        if client.host is not None and client.host is not host:
            raise StreamError("not-authorized", "a connection stays with one host")
        client.host = host
        self.sender = claimed_by(header, host.domain)
        kit_log.bind(host=host.domain)
        self.stream.send(features(self.offers(host)))

    def offers(self, host: Host) -> list[Element]:
        """What the client may do now."""
        secure = self.connection.tls is not None
        offers: list[Element] = []
        if self.phase is Phase.AUTHENTICATED:
            offers.append(encode(bind.Bind()))
        if self.phase is Phase.PLAIN:
            offers.append(encode(tls.StartTls(required=self._must_encrypt)))
        if self.phase is Phase.SECURE or (self.phase is Phase.PLAIN and not self._must_encrypt):
            channel = self.channel()
            mechanisms = host.authenticator.mechanisms(channel)
            if mechanisms and secure:
                offers.append(encode(offer(host, channel)))
            offers.append(encode(sasl.Mechanisms(mechanisms)))
            if bindings := host.authenticator.binding_types(channel):
                offers.append(encode(sasl.bindings(*bindings)))
        offers += host.offered(self.phase, secure=secure)
        return offers

    @property
    def _must_encrypt(self) -> bool:
        return self.server.settings.tls.required

    def channel(self) -> Channel:
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

    async def take(self, element: Element) -> None:
        """Take what a client without a session sent. Raises `StreamError`."""
        host = self.client.host
        if host is None:
            raise StreamError("not-authorized")
        match admit(self.phase, element):
            case Act.STARTTLS:
                self._start_tls()
            case Act.REFUSE_TLS:
                self.stream.send(encode(tls.Failure()))
                self.client.closed()
            case Act.AUTH:
                await self._authenticate(_decode(sasl.Auth, element), host)
            case Act.RESPONSE:
                await self._respond(_decode(sasl.Response, element))
            case Act.ABORT:
                self._failed(SaslError("aborted"))
            case Act.AUTHENTICATE:
                request = _decode(sasl2.Authenticate, element)
                self.authentication = Authentication(self, host, request)
                await self.authentication.begin()
            case Act.ANSWER | Act.NEXT | Act.TASK_DATA | Act.ABANDON as act:
                if self.authentication is None:
                    raise StreamError("not-authorized")
                await self.authentication.take(act, element)
            case Act.REGISTER:
                await self._register(element, host)
            case Act.BIND:
                await self._bind(element, host)
            case Act.EARLY:
                await self._early(element, host)
            case Act.STANZA:
                raise StreamError("not-authorized")

    def _start_tls(self) -> None:
        """Go on encrypted. Whatever came after the request in the clear is dropped (§5.3.1)."""
        self.stream.send(encode(tls.Proceed()))
        self.connection.start_tls(self.client.context)
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
            self.exchange = host.authenticator.exchange(self.channel())
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
        self.client.jid, self.mechanism = step.jid, step.mechanism
        self.phase = Phase.AUTHENTICATED
        self.stream.send(encode(sasl.Success(sasl.pack(step.data))))
        self._restart(self.server.settings.limits.after_authentication())
        self.connection.skip_rest()

    def _failed(self, error: SaslError) -> None:
        self.failed(encode(sasl.failure(error)))

    def failed(self, failure: Element) -> None:
        """Say so; after too many attempts that was the last (RFC 6120 §6.4.5)."""
        if self.exchange:
            self.exchange.abort()
        self.exchange = self.authentication = None
        if self.stream.is_closed:
            return  # it took too long
        self.phase = Phase.SECURE if self.connection.tls else Phase.PLAIN
        self.failures += 1
        self.stream.send(failure)
        if self.failures >= self.server.settings.limits.attempts:
            raise StreamError("policy-violation", "too many attempts to authenticate")

    # --- registration, and the ways to a session -------------------------------------

    async def _register(self, element: Element, host: Host) -> None:
        """An IQ of in-band registration, which comes before any account (XEP-0077 §3.1)."""
        if self.phase is Phase.PLAIN and self._must_encrypt:
            raise StreamError("not-authorized", "start TLS first")
        try:
            iq = read(element)
            if not isinstance(iq, Iq) or not iq.is_request or iq.id is None:
                raise StreamError("not-authorized")
            address = self.connection.peer_address
            request = Request(iq, host.jid, host.jid, None, address, self.notes)
            answer = await host.answer(request)
        except (StanzaError, Outage) as error:
            refused = refusal(error) if isinstance(error, Outage) else error
            answer = read_unaddressed(element).refuse(refused)  # type: ignore[assignment]
        if not self.stream.is_closed:
            self.stream.send_stanza(answer.routed(sender=host.jid))

    async def _bind(self, element: Element, host: Host) -> None:
        """Give the client its full address (§7)."""
        iq = read_unaddressed(element)
        if self.client.jid is None or iq.type in ("result", "error"):
            raise StreamError("not-authorized")
        try:
            if iq.type != "set" or iq.id is None or len(iq.payloads) != 1:
                raise StanzaError("bad-request", "binding is an iq of type set with an id")
            wanted = decode(bind.Bind, iq.payloads[0]).resource
            session = await self.server.bind(self.client.jid, wanted, lang=self.client.lang)
        except StanzaError as error:
            if not self.stream.is_closed:
                self.stream.send_stanza(iq.refuse(error))
            return
        session[LOGIN] = Login(self.mechanism)
        self.client.attach(session)
        if not self.stream.is_closed:
            answer = Iq("result", id=iq.id, payloads=(encode(bind.Bind(jid=session.jid)),))
            self.stream.send_stanza(answer)

    async def _early(self, element: Element, host: Host) -> None:
        """What a client asks for in place of a resource: an old session, maybe."""
        answer, session = await host.take_early(element, self.client.jid)
        if self.stream.is_closed:  # it took too long; a session that was given stays detached
            return
        self.stream.send(answer)
        if session is not None:
            self.client.attach(session)


def _decode(cls: type[P], element: Element) -> P:
    """`element` as a `cls`; what does not fit ends the stream, since no stanza can be refused."""
    try:
        return decode(cls, element)
    except StanzaError as error:
        raise StreamError("bad-format", error.text) from None
