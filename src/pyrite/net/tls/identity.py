"""Whose a certificate is: RFC 6125 service identities, pins, RFC 5929 end-point hashes."""

from __future__ import annotations

import hmac

import idna
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from service_identity.cryptography import extract_patterns
from service_identity.exceptions import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, SRV_ID, ServiceID, verify_service_identity

from .face import TlsError
from .settings import ClientTls

_WEAK = ("md5", "sha1")  # RFC 5929 §4.1: SHA-256 instead


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
    """A-labels, lower case. Raises ValueError for what is no domain name."""
    if domain.isascii():
        return domain.lower()
    return idna.encode(domain, uts46=True).decode("ascii")


def check_peer(der: bytes | None, settings: ClientTls) -> None:
    """Raises TlsError unless the server's certificate is the one that `settings` ask for."""
    if der is None:
        raise TlsError("the server showed no certificate")
    if settings.pin is not None:
        _check_pin(der, settings.pin)
    elif not settings.is_lenient:
        check_domain(der, settings.domain, settings.service)


def check_domain(der: bytes, domain: str, service: str = "") -> None:
    """Raises TlsError unless a DNS-ID or SRV-ID names `domain`. A common name never counts."""
    try:
        patterns = extract_patterns(x509.load_der_x509_certificate(der))
        name = ascii_name(domain)
        wanted: list[ServiceID] = [DNS_ID(name)]
        if service:
            wanted.append(SRV_ID(f"_{service}.{name}"))
    except (CertificateError, ValueError) as error:
        raise TlsError(f"no identity to compare with {domain}: {error}") from None
    for identity in wanted:
        try:
            verify_service_identity(patterns, obligatory_ids=[identity], optional_ids=[])
        except (VerificationError, CertificateError):
            continue
        return
    raise TlsError(f"the certificate is not for {domain}")


def _check_pin(der: bytes, pin: str) -> None:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    found = digest.finalize().hex()
    if not hmac.compare_digest(found, pin.replace(":", "").lower()):
        raise TlsError(f"the certificate is not the one expected; its SHA-256 is {found}")
