"""The pyOpenSSL back end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from OpenSSL import SSL, crypto

from .face import CHUNK, EXPORTER_LABEL, EXPORTER_SIZE, TlsContext, TlsError, TlsSession
from .identity import ascii_name, check_peer, check_readable, end_point_hash, ip_address
from .raw import RAW, Buffer
from .settings import CIPHERS, ClientTls, Identity, ServerTls

_INVALID_PURPOSE = 26  # X509_V_ERR_INVALID_PURPOSE


#: A server's context -> the hash of its certificate, as of `end_point_hash`.
_END_POINTS: WeakKeyDictionary[SSL.Context, bytes] = WeakKeyDictionary()


class OpenSSLSession(TlsSession):
    """TLS by the public methods of a pyOpenSSL connection."""

    __slots__ = ("_buffer", "_connection", "_faults", "_settings")

    def __init__(
        self, connection: SSL.Connection, buffer: Buffer | None, settings: ClientTls | None = None
    ) -> None:
        super().__init__()
        self._connection = connection
        self._buffer = buffer
        self._settings = settings  # of the connecting side
        self._faults: list[str] = []  # what the verification of the peer's chain found
        connection.set_app_data(self._faults)
        if settings is not None:
            self._shake_hands()

    def take(self) -> bytes:
        pieces = []
        while True:
            try:
                pieces.append(self._connection.bio_read(CHUNK))
            except SSL.WantReadError:
                return b"".join(pieces)

    def close(self) -> None:
        # Amid the handshake, or after a failure, there is nothing to close.
        with suppress(SSL.Error):
            self._connection.shutdown()

    def _decrypt(self, data: bytes) -> bytes:
        if data:
            self._connection.bio_write(data)
        if not self.handshake_done and not self._shake_hands():
            return b""
        return self._read()

    def _read(self) -> bytes:
        """All plaintext there is; what else came is news."""
        pieces = []
        try:
            while True:
                pieces.append(self._connection.recv(CHUNK))
        except SSL.WantReadError:
            self.news = self.news or not pieces
        except SSL.ZeroReturnError:
            self.news = self.is_over = True
        except SSL.Error as error:
            self.news = True
            raise TlsError(_reason(error)) from None
        return b"".join(pieces)

    def _encrypt(self, plaintext: bytes) -> bytes:
        if not plaintext:
            return self.take()
        try:
            self._connection.sendall(plaintext)
        except SSL.Error as error:
            raise TlsError(_reason(error)) from None
        return self.take()

    def _shake_hands(self) -> bool:
        self.news = True
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise TlsError(_told(_reason(error), self._faults)) from None
        finally:
            RAW.clear_errors()
        if self._settings is not None:
            check_peer(self.peer_certificate, self._settings)
        self.handshake_done = True
        return True

    @property
    def version(self) -> str:
        return self._connection.get_protocol_version_name()

    @property
    def cipher(self) -> str:
        return self._connection.get_cipher_name() or ""

    @property
    def group(self) -> str:
        return self._connection.get_group_name() or ""

    @property
    def alpn(self) -> str:
        return self._connection.get_alpn_proto_negotiated().decode("ascii", "replace")

    @property
    def server_name(self) -> str:
        return (self._connection.get_servername() or b"").decode("ascii", "replace")

    @property
    def peer_certificate(self) -> bytes | None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        return certificate.public_bytes(Encoding.DER) if certificate else None

    @property
    def peer_is_trusted(self) -> bool:
        return self.handshake_done and self.peer_certificate is not None and not self._faults

    def channel_bindings(self) -> dict[str, bytes]:
        if not self.handshake_done:
            return {}
        bindings = {}
        if self.version == "TLSv1.3" or RAW.has_extended_master_secret(self._connection):
            bindings["tls-exporter"] = self._connection.export_keying_material(
                EXPORTER_LABEL, EXPORTER_SIZE, b""
            )
        if value := self._end_point():
            bindings["tls-server-end-point"] = value
        return bindings

    def _end_point(self) -> bytes:
        """The hash of the server's certificate; ours stays the same as long as its context."""
        if self._settings is not None:
            der = self.peer_certificate
            return end_point_hash(der) if der else b""
        context = self._connection.get_context()  # of the host that was asked for
        value = _END_POINTS.get(context)
        if value is None:
            certificate = self._connection.get_certificate(as_cryptography=True)
            der = certificate.public_bytes(Encoding.DER) if certificate else b""
            value = _END_POINTS[context] = end_point_hash(der) if der else b""
        return value


class RawSession(OpenSSLSession):
    """The same, with pyOpenSSL's wrappers left out where every record passes.

    They cost more than the encryption. Whatever is not a plain success goes through them.
    """

    __slots__ = ("_from_ssl", "_into_ssl", "_is_lean", "_ssl")

    def __init__(
        self, connection: SSL.Connection, buffer: Buffer | None, settings: ClientTls | None = None
    ) -> None:
        self._ssl, self._into_ssl, self._from_ssl = RAW.pointers(connection)
        self._is_lean = False  # has let go of what only the handshake needed
        super().__init__(connection, buffer, settings)

    def take(self) -> bytes:
        data = super().take()
        if self.handshake_done and not (self._is_lean or self.is_over):
            # Both BIOs are empty: reading has asked for more, and writing was just taken.
            RAW.renew_bios(self._connection)
            RAW.forget_handshake(self._connection)
            _, self._into_ssl, self._from_ssl = RAW.pointers(self._connection)
            self._is_lean = True
        return data

    def _decrypt(self, data: bytes) -> bytes:
        if not self.handshake_done:
            return super()._decrypt(data)
        size = len(data)
        if RAW.bio_write(self._into_ssl, data, size) != size:
            raise TlsError("out of memory")
        memory, view = self._buffer  # type: ignore[misc]
        read, ssl = RAW.ssl_read, self._ssl
        got = read(ssl, memory, CHUNK)
        if got <= 0:
            return self._read()
        plaintext: bytes = view[:got]
        while (got := read(ssl, memory, CHUNK)) > 0:
            plaintext += view[:got]
        if RAW.get_error(ssl, got) != RAW.WANT_READ:
            plaintext += self._read()
        return plaintext

    def _encrypt(self, plaintext: bytes) -> bytes:
        size = len(plaintext)
        if not size or RAW.ssl_write(self._ssl, plaintext, size) != size:
            return super()._encrypt(plaintext)
        memory, view = self._buffer  # type: ignore[misc]
        got = RAW.bio_read(self._from_ssl, memory, len(view))
        ciphertext: bytes = view[:got]
        return ciphertext if got < len(view) else ciphertext + self.take()


SESSION: type[OpenSSLSession] = RawSession if RAW.is_available else OpenSSLSession


class OpenSSLServer(TlsContext):
    """The accepting side."""

    def __init__(self, settings: ServerTls) -> None:
        self.settings = settings
        self._buffer = RAW.buffer()
        self.reload()

    def reload(self) -> None:
        settings = self.settings
        default = self._make(settings.identity)
        hosts = {ascii_name(host): self._make(own) for host, own in settings.hosts.items()}
        for context in (default, *hosts.values()):
            context.set_tlsext_servername_callback(_chooser(hosts))
        self._context = default

    def session(self) -> TlsSession:
        connection = SSL.Connection(self._context, None)
        connection.set_accept_state()
        return SESSION(connection, self._buffer)

    def _make(self, identity: Identity) -> SSL.Context:
        settings = self.settings
        context = _context(SSL.TLS_SERVER_METHOD)
        _show(context, identity)
        if settings.alpn:
            context.set_alpn_select_callback(_selector(settings.alpn))
        if settings.asks_certificate:
            context.set_verify(SSL.VERIFY_PEER, _record_client)
            _trust(context, settings.authorities)
            # A resumed session would not be verified again.
            context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
            context.set_options(SSL.OP_NO_TICKET)
        return context


class OpenSSLClient(TlsContext):
    """The connecting side."""

    def __init__(self, settings: ClientTls) -> None:
        self.settings = settings
        self._buffer = RAW.buffer()
        name = ascii_name(settings.domain)
        self._name = b"" if ip_address(name) else name.encode("ascii")  # RFC 6066 §3
        self.reload()

    def reload(self) -> None:
        settings = self.settings
        context = _context(SSL.TLS_CLIENT_METHOD)
        if settings.identity is not None:
            _show(context, settings.identity)
        if settings.alpn:
            context.set_alpn_protos([name.encode("ascii") for name in settings.alpn])
        is_strict = settings.pin is None and not settings.is_lenient
        context.set_verify(SSL.VERIFY_PEER, _refuse_server if is_strict else _record_server)
        _trust(context, settings.authorities)
        self._context = context

    def session(self) -> TlsSession:
        connection = SSL.Connection(self._context, None)
        connection.set_connect_state()
        if self._name:
            connection.set_tlsext_host_name(self._name)
        return SESSION(connection, self._buffer, self.settings)


def _context(method: int) -> SSL.Context:
    context = SSL.Context(method)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS.encode("ascii"))
    context.set_options(
        SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # tickets need no cache
    return context


def _show(context: SSL.Context, identity: Identity) -> None:
    certificate, key = identity.certificate, identity.key
    check_readable(certificate, key)
    try:
        context.use_certificate_chain_file(str(certificate))
    except SSL.Error as error:
        raise TlsError(f"{certificate}: is no usable certificate: {_reason(error)}") from None
    try:
        context.use_privatekey(_private_key(key))
        context.check_privatekey()
    except SSL.Error:
        raise TlsError(f"{key}: is not the key of {certificate}") from None


def _private_key(file: Path) -> Any:
    """The key in a PEM file. OpenSSL itself would ask for a pass phrase at the terminal."""
    try:
        return load_pem_private_key(file.read_bytes(), None)
    except TypeError:
        raise TlsError(f"{file}: the key has a pass phrase; write it without one") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TlsError(f"{file}: no private key in PEM: {str(error).partition('.')[0]}") from None


def _trust(context: SSL.Context, authorities: Path | None) -> None:
    if authorities is None:
        context.set_default_verify_paths()
        return
    check_readable(authorities)
    try:
        context.load_verify_locations(str(authorities))
    except SSL.Error as error:
        raise TlsError(f"{authorities}: {_reason(error)}") from None


def _chooser(hosts: dict[str, SSL.Context]) -> Any:
    def choose(connection: SSL.Connection) -> None:
        name = (connection.get_servername() or b"").decode("ascii", "replace").lower()
        if (context := hosts.get(name)) is not None:
            connection.set_context(context)

    return choose


def _selector(ours: tuple[str, ...]) -> Any:
    known = [name.encode("ascii") for name in ours]

    def select(connection: SSL.Connection, offered: list[bytes]) -> bytes:
        for name in known:
            if name in offered:
                return name
        # RFC 7301 §3.2. A browser led here by an attacker must not get to speak to us.
        raise TlsError("the peer speaks no protocol of ours")

    return select


def _record_client(
    connection: SSL.Connection, _: crypto.X509, code: int, depth: int, is_fine: int
) -> bool:
    """Accept every client; whether it is trusted is asked later.

    COMPAT: servers whose certificates are only for servers, as public authorities issue them
    since 2026, connect to us as clients.
    """
    if not is_fine and (code, depth) != (_INVALID_PURPOSE, 0):
        connection.get_app_data().append(_verdict(code))
    return True


def _record_server(
    connection: SSL.Connection, _: crypto.X509, code: int, depth: int, is_fine: int
) -> bool:
    if not is_fine:
        connection.get_app_data().append(_verdict(code))
    return True


def _refuse_server(
    connection: SSL.Connection, _: crypto.X509, code: int, depth: int, is_fine: int
) -> bool:
    if not is_fine:
        connection.get_app_data().append(_verdict(code))
    return bool(is_fine)


def _told(reason: str, faults: list[str]) -> str:
    return f"{reason}: {faults[0]}" if faults and "verify failed" in reason else reason


#: What is wrong with a certificate, by OpenSSL's numbers (x509_vfy.h): what people come across.
_FAULTS = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is signed by itself alone",
    19: "an issuer of the certificate is not one that is trusted",
    20: "the issuer of the certificate is not known",
    23: "the certificate was revoked",
}


def _verdict(code: int) -> str:
    return _FAULTS.get(code, f"X.509 verification error {code}")


def _reason(error: SSL.Error) -> str:
    """What OpenSSL says, without its own file and function names."""
    if error.args and isinstance(error.args[0], list):
        return "; ".join(entry[-1] for entry in error.args[0]) or "TLS failed"
    return " ".join(map(str, error.args)) or "TLS failed"
