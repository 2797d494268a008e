"""The standard library's back end.

It differs from pyOpenSSL's in what the library lacks: no tls-exporter, no name of the key
exchange, no certificates of unknown issuers from clients, and who offers only foreign ALPN
protocols is not refused.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .face import CHUNK, TlsContext, TlsError, TlsSession
from .identity import ascii_name, check_peer, check_readable, end_point_hash
from .settings import CIPHERS, ClientTls, Identity, ServerTls


class _Context(ssl.SSLContext):
    leaf = b""  # DER of the certificate that sessions show


class _Object(ssl.SSLObject):
    asked = ""  # the host that the client asked for


class StdlibSession(TlsSession):
    """TLS by an SSLObject between two memory BIOs."""

    __slots__ = ("_incoming", "_object", "_outgoing", "_settings")

    def __init__(self, context: _Context, settings: ClientTls | None = None) -> None:
        super().__init__()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._settings = settings  # of the connecting side
        self._object = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=settings is None,
            server_hostname=ascii_name(settings.domain) if settings else None,
        )
        if settings is not None:
            self._shake_hands()

    def take(self) -> bytes:
        return self._outgoing.read()

    def close(self) -> None:
        # The peer's close_notify is not waited for; or there is nothing to close.
        with suppress(ssl.SSLError, ValueError):
            self._object.unwrap()

    def _decrypt(self, data: bytes) -> bytes:
        self._incoming.write(data)
        if not self.handshake_done and not self._shake_hands():
            return b""
        plaintext = b""
        read = self._object.read
        try:
            while piece := read(CHUNK):
                plaintext = plaintext + piece if plaintext else piece
                if not self._incoming.pending and not self._object.pending():
                    return plaintext
            self.news = self.is_over = True
        except ssl.SSLWantReadError:
            self.news = self.news or not plaintext
        except ssl.SSLZeroReturnError:
            self.news = self.is_over = True
        except ssl.SSLError as error:
            self.news = True
            raise TlsError(_reason(error)) from None
        return plaintext

    def _encrypt(self, plaintext: bytes) -> bytes:
        try:
            if plaintext:
                self._object.write(plaintext)
        except ssl.SSLError as error:
            raise TlsError(_reason(error)) from None
        return self._outgoing.read()

    def _shake_hands(self) -> bool:
        self.news = True
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise TlsError(_reason(error)) from None
        if self._settings is not None:
            check_peer(self.peer_certificate, self._settings)
        self.handshake_done = True
        return True

    @property
    def version(self) -> str:
        return self._object.version() or ""

    @property
    def cipher(self) -> str:
        cipher = self._object.cipher()
        return cipher[0] if cipher else ""

    @property
    def group(self) -> str:
        return ""

    @property
    def alpn(self) -> str:
        return self._object.selected_alpn_protocol() or ""

    @property
    def server_name(self) -> str:
        session = self._object
        if self._settings is None and isinstance(session, _Object):
            return session.asked
        return session.server_hostname or ""

    @property
    def peer_certificate(self) -> bytes | None:
        try:
            return self._object.getpeercert(binary_form=True)
        except ValueError:  # the handshake is not done
            return None

    @property
    def peer_is_trusted(self) -> bool:
        verifies = self._object.context.verify_mode != ssl.CERT_NONE
        return self.handshake_done and verifies and self.peer_certificate is not None

    def channel_bindings(self) -> dict[str, bytes]:
        if not self.handshake_done:
            return {}
        context = self._object.context
        is_server = self._settings is None
        der = context.leaf if is_server and isinstance(context, _Context) else self.peer_certificate
        value = end_point_hash(der) if der else b""
        return {"tls-server-end-point": value} if value else {}


class StdlibServer(TlsContext):
    """The accepting side."""

    def __init__(self, settings: ServerTls) -> None:
        self.settings = settings
        self.reload()

    def reload(self) -> None:
        settings = self.settings
        default = self._make(settings.identity)
        hosts = {ascii_name(host): self._make(own) for host, own in settings.hosts.items()}
        for context in (default, *hosts.values()):
            context.sni_callback = _chooser(hosts)
        self._context = default

    def session(self) -> TlsSession:
        return StdlibSession(self._context)

    def _make(self, identity: Identity) -> _Context:
        settings = self.settings
        context = _context(ssl.PROTOCOL_TLS_SERVER)
        _show(context, identity)
        if settings.alpn:
            context.set_alpn_protocols(list(settings.alpn))
        if settings.asks_certificate:
            context.verify_mode = ssl.CERT_OPTIONAL
            _trust(context, settings.authorities, ssl.Purpose.CLIENT_AUTH)
        return context


class StdlibClient(TlsContext):
    """The connecting side."""

    def __init__(self, settings: ClientTls) -> None:
        self.settings = settings
        self.reload()

    def reload(self) -> None:
        settings = self.settings
        context = _context(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # `check_peer` knows SRV-IDs and pins too
        if settings.pin is not None or settings.is_lenient:
            context.verify_mode = ssl.CERT_NONE
        else:
            _trust(context, settings.authorities, ssl.Purpose.SERVER_AUTH)
        if settings.identity is not None:
            _show(context, settings.identity)
        if settings.alpn:
            context.set_alpn_protocols(list(settings.alpn))
        self._context = context

    def session(self) -> TlsSession:
        return StdlibSession(self._context, self.settings)


def library_context(settings: ClientTls) -> ssl.SSLContext:
    """For a library that does TLS itself and checks the host's name, as HTTP has it (RFC 9110).

    With a pin or leniently nothing is verified here: who asks has to. Raises TlsError.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    if settings.pin is not None or settings.is_lenient:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _trust(context, settings.authorities, ssl.Purpose.SERVER_AUTH)
    if settings.identity is not None:
        _show(context, settings.identity)
    context.sslobject_class = ssl.SSLObject
    return context


def _context(protocol: int) -> _Context:
    context = _Context(protocol)
    context.sslobject_class = _Object
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    )
    return context


def _show(context: _Context, identity: Identity) -> None:
    check_readable(identity.certificate, identity.key)

    def refuse() -> str:  # or OpenSSL would ask at the terminal, and wait
        raise ValueError("the key has a pass phrase; write it without one")

    try:
        context.load_cert_chain(identity.certificate, identity.key, refuse)
        pem = identity.certificate.read_text("ascii")
        context.leaf = ssl.PEM_cert_to_DER_cert(_first(pem))
    except (ssl.SSLError, OSError, ValueError) as error:
        raise TlsError(f"{identity.certificate}, {identity.key}: {error}") from None


def _first(pem: str) -> str:
    start, end = pem.index(ssl.PEM_HEADER), pem.index(ssl.PEM_FOOTER)
    return pem[start : end + len(ssl.PEM_FOOTER)]


def _trust(context: _Context, authorities: Path | None, purpose: ssl.Purpose) -> None:
    if authorities is None:
        context.load_default_certs(purpose)
        return
    try:
        context.load_verify_locations(authorities)
    except (ssl.SSLError, OSError) as error:
        raise TlsError(f"{authorities}: {error}") from None


def _chooser(hosts: dict[str, _Context]) -> Callable[[Any, str | None, ssl.SSLContext], None]:
    def choose(session: Any, name: str | None, _: ssl.SSLContext) -> None:
        session.asked = name or ""
        if name and (context := hosts.get(name.lower())) is not None:
            session.context = context

    return choose


def _reason(error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    text = reason.lower().replace("_", " ")
    verdict = getattr(error, "verify_message", "")
    return f"{text}: {verdict}" if verdict else text
