"""HTTP as a way to something else: sessions with our resolver, our trust, and no redirections.

The library is loaded when a session is asked for, and away from the loop.
"""

from __future__ import annotations

import asyncio
import codecs
import socket
import ssl
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from .dns import DnsError, Resolver
from .tls import ClientTls, TlsError

if TYPE_CHECKING:
    import aiohttp

MAX_DOCUMENT = 64 * 1024  # octets of a document that only says where something is
MAX_CONNECTIONS = 4
_ENDS_TLS = sys.version_info >= (3, 12, 8) and not (3, 13) <= sys.version_info < (3, 13, 1)
TURNS = 4  # of the loop, from when a session is closed until its sockets are


class HttpError(OSError):
    """The server's answer is not one that can be used."""


async def library() -> ModuleType:
    """aiohttp. It takes longer to load than a turn of the loop may."""
    return await asyncio.to_thread(_library)


def _library() -> ModuleType:
    import aiohttp

    codecs.lookup("idna")  # is loaded by this, and else when TLS asks for it
    return aiohttp


def _context(settings: ClientTls) -> ssl.SSLContext:
    """Loaded with the libraries of certificates, which take as long to load as the other one."""
    from .tls.stdlib import library_context

    return library_context(settings)


async def session(
    settings: ClientTls, resolver: Resolver, *, proxy: str | None = None, within: float
) -> aiohttp.ClientSession:
    """A session whose connections are made within so many seconds. Close it.

    A redirection is an error: it could lead out of the encryption. Raises `TlsError`.
    """
    await library()
    context = await asyncio.to_thread(_context, settings)
    import aiohttp

    tls = context if settings.pin is None else aiohttp.Fingerprint(_digest(settings.pin))
    connector = aiohttp.TCPConnector(
        ssl=tls,
        resolver=_names(resolver),
        limit=MAX_CONNECTIONS,
        use_dns_cache=False,
        enable_cleanup_closed=not _ENDS_TLS,
    )
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse)
    return aiohttp.ClientSession(
        connector=connector,
        proxy=proxy,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=within),
        trace_configs=[tracing],
    )


async def hang_up(session: aiohttp.ClientSession) -> None:
    """Close `session` and its sockets, at once."""
    await session.close()
    for _ in range(TURNS):  # COMPAT: aiohttp is done before the TLS below it has let go
        await asyncio.sleep(0)


def _digest(pin: str) -> bytes:
    try:
        return bytes.fromhex(pin.replace(":", ""))
    except ValueError:
        raise TlsError(f"no SHA-256 of a certificate: {pin}") from None


async def _refuse(*_: Any) -> NoReturn:
    raise HttpError("the server sends us elsewhere, which is not followed")


def _names(resolver: Resolver) -> aiohttp.abc.AbstractResolver:
    """`resolver` as the library asks for addresses."""
    import aiohttp.abc

    class Names(aiohttp.abc.AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[aiohttp.abc.ResolveResult]:
            found = await resolver.addresses(host, port)
            return [
                {
                    "hostname": host,
                    "host": str(address[0]),
                    "port": int(str(address[1])),
                    "family": family,
                    "proto": 0,
                    "flags": socket.AI_NUMERICHOST,
                }
                for family, address in found
            ]

        async def close(self) -> None:
            """Nothing is held."""

    return Names()


async def document(session: aiohttp.ClientSession, url: str) -> bytes:
    """What is at `url`. Raises `OSError`, or `TlsError`."""
    import aiohttp

    try:
        async with session.get(url) as answer:
            return await read(answer, MAX_DOCUMENT)
    except (OSError, aiohttp.ClientError) as error:
        raise plainly(error) from None


async def read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """The body of a good answer. Raises `HttpError` for another one, or one that is longer."""
    if answer.status != 200:
        raise HttpError(f"{answer.url.human_repr()}: {answer.status} {answer.reason}")
    pieces, size = [], 0
    async for piece in answer.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise HttpError(f"{answer.url.human_repr()}: more than {most} octets")
    return b"".join(pieces)


def plainly(error: Exception) -> Exception:
    """An error of the library's as one of ours: `TlsError`, `DnsError`, or `OSError`."""
    import aiohttp

    match error:
        case TlsError() | DnsError() | HttpError():
            return error
        case aiohttp.ServerFingerprintMismatch():
            return TlsError(f"the certificate is not the one expected; {error.got.hex()}")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return TlsError(_verdict(error))
        case aiohttp.ClientConnectorDNSError():
            return DnsError(str(error.os_error))
        case OSError():
            return error
    return HttpError(str(error) or type(error).__name__)


def _verdict(error: Exception) -> str:
    cause = getattr(error, "certificate_error", None) or error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {cause.verify_message}"
    return str(cause)
