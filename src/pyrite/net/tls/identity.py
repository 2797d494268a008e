"""Whose a certificate is: RFC 6125 service identities, pins, RFC 5929 end-point hashes."""

from __future__ import annotations

import hmac
import ipaddress
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import idna
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from service_identity.cryptography import extract_patterns
from service_identity.exceptions import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, SRV_ID, IPAddress_ID, ServiceID, verify_service_identity

from .face import TlsError
from .settings import ClientTls

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_WEAK = ("md5", "sha1")  # RFC 5929 §4.1: SHA-256 instead


def check_readable(*files: Path) -> None:
    """Raises TlsError in the system's words, which the libraries have not, for what is not."""
    for file in files:
        try:
            file.open("rb").close()
        except OSError as error:
            raise TlsError(f"{file}: {error.strerror}") from None


@lru_cache(maxsize=64)
def end_point_hash(der: bytes) -> bytes:
    """tls-server-end-point of the server's certificate (RFC 5929 §4).

    Empty where no binding is defined: the signature uses no single hash function.
    """
    certificate = x509.load_der_x509_certificate(der)
    try:
        algorithm = certificate.signature_hash_algorithm
    except ValueError:  # an algorithm that the library does not know
        return b""
    if algorithm is None:  # Ed25519 and the like
        return b""
    if algorithm.name in _WEAK:
        algorithm = hashes.SHA256()
    return certificate.fingerprint(algorithm)


def ascii_name(domain: str) -> str:
    """A-labels in lower case, or an IP address without brackets.

    Raises ValueError for what is neither.
    """
    if (address := ip_address(domain)) is not None:
        return str(address)
    name = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    if not _NAME.fullmatch(name):
        raise ValueError(f"no domain name: {domain!r}")
    return name


def ip_address(domain: str) -> IPv4Address | IPv6Address | None:
    """The address that `domain` is, in brackets or not."""
    try:
        return ipaddress.ip_address(domain.strip("[]"))
    except ValueError:
        return None


def check_peer(der: bytes | None, settings: ClientTls) -> None:
    """Raises TlsError unless the server's certificate is the one that `settings` ask for."""
    if der is None:
        raise TlsError("the server showed no certificate")
    if settings.pin is not None:
        _check_pin(der, settings.pin)
    elif not settings.is_lenient:
        check_domain(der, settings.domain, settings.service)


def check_domain(der: bytes, domain: str, service: str = "") -> None:
    """Raises TlsError unless a DNS-ID, SRV-ID or address is `domain`; a common name is none."""
    try:
        patterns = extract_patterns(x509.load_der_x509_certificate(der))
        wanted = _wanted(domain, service)
    except (CertificateError, ValueError) as error:
        raise TlsError(f"no identity to compare with {domain}: {error}") from None
    for identity in wanted:
        try:
            verify_service_identity(patterns, obligatory_ids=[identity], optional_ids=[])
        except (VerificationError, CertificateError):
            continue
        return
    raise TlsError(f"the certificate is not for {domain}")


def _wanted(domain: str, service: str) -> list[ServiceID]:
    name = ascii_name(domain)
    if ip_address(name) is not None:
        return [IPAddress_ID(name)]
    return [DNS_ID(name), *([SRV_ID(f"_{service}.{name}")] if service else [])]


def _check_pin(der: bytes, pin: str) -> None:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    found = digest.finalize().hex()
    if not hmac.compare_digest(found, pin.replace(":", "").lower()):
        raise TlsError(f"the certificate is not the one expected; its SHA-256 is {found}")
