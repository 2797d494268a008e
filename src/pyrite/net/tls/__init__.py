"""TLS without sockets: ciphertext in, plaintext out, over one of two libraries.

`server_context` and `client_context` make a `TlsContext` from settings; each connection gets a
`TlsSession` from it. pyOpenSSL is the default: it knows tls-exporter, accepts any issuer's client
certificate, and has hybrid post-quantum key exchange on every system. The standard library's ssl
is the other back end, for where the system's own OpenSSL must be used.
"""

from __future__ import annotations

from .face import Backend, TlsContext, TlsError, TlsSession
from .settings import CIPHERS, ClientTls, Identity, ServerTls

__all__ = [
    "CIPHERS",
    "Backend",
    "ClientTls",
    "Identity",
    "ServerTls",
    "TlsContext",
    "TlsError",
    "TlsSession",
    "client_context",
    "server_context",
]


def server_context(settings: ServerTls, backend: Backend = Backend.PYOPENSSL) -> TlsContext:
    """Raises TlsError when a certificate or key cannot be loaded."""
    if backend is Backend.STDLIB:
        from .stdlib import StdlibServer

        return StdlibServer(settings)
    from .openssl import OpenSSLServer

    return OpenSSLServer(settings)


def client_context(settings: ClientTls, backend: Backend = Backend.PYOPENSSL) -> TlsContext:
    """Raises TlsError when authorities, a certificate or a key cannot be loaded."""
    if backend is Backend.STDLIB:
        from .stdlib import StdlibClient

        return StdlibClient(settings)
    from .openssl import OpenSSLClient

    return OpenSSLClient(settings)
