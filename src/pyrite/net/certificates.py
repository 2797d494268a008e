"""Certificates on disk: one made by ourselves at first, then whatever the operator puts there."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from .tls import Identity
from .tls.identity import ascii_name, ip_address

SUBDOMAINS = ("conference", "pubsub", "upload", "proxy", "search", "workgroup")
SERVICES = ("xmpp-client", "xmpps-client", "xmpp-server", "xmpps-server")
VALIDITY = datetime.timedelta(days=3650)  # of a self-signed certificate
SLACK = datetime.timedelta(days=1)  # that peers' clocks may be behind ours
SOON = datetime.timedelta(days=14)  # before the end of a certificate, to be told of it
MAX_CN = 64  # X.520: characters in a common name

ON_XMPP_ADDR = ObjectIdentifier("1.3.6.1.5.5.7.8.5")  # RFC 6120 §13.7.1.4
ON_DNS_SRV = ObjectIdentifier("1.3.6.1.5.5.7.8.7")  # RFC 4985


class CertificateError(Exception):
    """A certificate cannot be read, or not be written."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an operator wants to know of a certificate."""

    subject: str
    issuer: str
    names: tuple[str, ...]  # DNS names it is for
    xmpp_addresses: tuple[str, ...]  # id-on-xmppAddr: JIDs it is for
    not_before: datetime.datetime
    not_after: datetime.datetime
    fingerprint: str  # SHA-256, lower-case hexadecimal
    is_self_signed: bool

    def is_expired(self, now: datetime.datetime) -> bool:
        return not self.not_before <= now <= self.not_after

    def expires_in(self, now: datetime.datetime) -> datetime.timedelta:
        return self.not_after - now


def read(der: bytes) -> Certificate:
    """Raises CertificateError."""
    try:
        return _describe(x509.load_der_x509_certificate(der))
    except ValueError as error:
        raise CertificateError(f"not a certificate: {error}") from None


def read_chain(path: Path) -> list[Certificate]:
    """The PEM file's certificates, the server's own first. Raises CertificateError."""
    try:
        return [_describe(each) for each in x509.load_pem_x509_certificates(path.read_bytes())]
    except (OSError, ValueError) as error:
        raise CertificateError(f"{path}: {error}") from None


def doubts(identity: Identity, hosts: Sequence[str], now: datetime.datetime) -> list[str]:
    """What clients may hold against a certificate that can be loaded, in words."""
    try:
        own, *_ = read_chain(identity.certificate)
    except CertificateError:  # what loaded it understands more than we
        return []
    found: list[str] = []
    if own.is_expired(now):
        found.append(f"is valid from {own.not_before:%Y-%m-%d} to {own.not_after:%Y-%m-%d} only")
    elif own.expires_in(now) < SOON:
        found.append(f"expires on {own.not_after:%Y-%m-%d}")
    names = {name.lower() for name in own.names} | set(own.xmpp_addresses)
    strangers = [host for host in hosts if not names & set(_acceptable(host))]
    if strangers:
        found.append(f"is not for {', '.join(strangers)}")
    return [f"{identity.certificate}: {what}" for what in found]


def _acceptable(host: str) -> Iterator[str]:
    """The names of a certificate that is for `host`."""
    yield host
    with suppress(ValueError):
        name = ascii_name(host)
        yield from (name, "*." + name.partition(".")[2])


def fingerprint(der: bytes) -> str:
    """SHA-256, lower-case hexadecimal."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    return digest.finalize().hex()


def ensure(identity: Identity, hosts: Sequence[str], now: datetime.datetime) -> bool:
    """Make a self-signed certificate for `hosts` if `identity` has no files. True if made.

    Raises CertificateError when one of both files is missing, or cannot be written.
    """
    there = [path for path in (identity.certificate, identity.key) if path.exists()]
    if len(there) == 1:
        (missing,) = {identity.certificate, identity.key} - set(there)
        raise CertificateError(f"{there[0]} is there, but {missing} is not")
    if there:
        return False
    certificate, key = self_signed(hosts, now)
    try:
        _write(identity.key, key, mode=0o600)
        _write(identity.certificate, certificate, mode=0o644)
    except OSError as error:
        raise CertificateError(f"a certificate cannot be written: {error}") from None
    return True


def self_signed(hosts: Sequence[str], now: datetime.datetime) -> tuple[bytes, bytes]:
    """PEM of a certificate for `hosts` and their sub-domains, and of its ECDSA P-256 key.

    Raises CertificateError for what is no host name.
    """
    if not hosts:
        raise CertificateError("a certificate needs a host")
    try:
        names = [ascii_name(host) for host in hosts]
    except ValueError as error:
        raise CertificateError(str(error)) from None
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:MAX_CN])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(_alternatives(hosts, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(_ENDS, critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


class Watch:
    """Sees that files were replaced or written, by their time, size and inode."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(paths)
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether any file differs from when this was last asked. For a timer: it reads no file.

        A file that is not there now does not count: it is about to be replaced.
        """
        found = self._look()
        if None in found or found == self._seen:
            return False
        self._seen = found
        return True

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_state(path) for path in self._paths)


_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
_ENDS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


def _alternatives(hosts: Sequence[str], names: Sequence[str]) -> list[x509.GeneralName]:
    """What RFC 6120 §13.7.1.2 lets a server be named by: DNS-ID, SRV-ID and XmppAddr."""
    found: list[x509.GeneralName] = []
    for name in names:
        if (address := ip_address(name)) is not None:
            found.append(x509.IPAddress(address))
            continue
        subs = (f"{sub}.{name}" for sub in SUBDOMAINS)
        found += [x509.DNSName(each) for each in (name, *subs)]
        services = (f"_{service}.{name}".encode("ascii") for service in SERVICES)
        found += [x509.OtherName(ON_DNS_SRV, _der(_IA5_STRING, each)) for each in services]
    for host in hosts:
        found.append(x509.OtherName(ON_XMPP_ADDR, _der(_UTF8_STRING, host.encode())))
    return list(dict.fromkeys(found))


_UTF8_STRING, _IA5_STRING = 0x0C, 0x16


def _der(tag: int, content: bytes) -> bytes:
    """A string in DER; of at most 65,535 octets."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes(2 if size > 0xFF else 1, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _string(der: bytes) -> str | None:
    """Content of a UTF8String in DER, or None."""
    for width in (0, 1, 2):
        content = der[2 + width :]
        if der == _der(_UTF8_STRING, content):
            return content.decode("utf-8", "replace")
    return None


def _describe(certificate: x509.Certificate) -> Certificate:
    names, addresses = _names(certificate)
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=names,
        xmpp_addresses=addresses,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        is_self_signed=certificate.subject == certificate.issuer,
    )


def _names(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    others = names.get_values_for_type(x509.OtherName)
    found = (_string(other.value) for other in others if other.type_id == ON_XMPP_ADDR)
    addresses = tuple(address for address in found if address is not None)
    return tuple(names.get_values_for_type(x509.DNSName)), addresses


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(path: Path, content: bytes, mode: int) -> None:
    """All or nothing, and never readable by others than `mode` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
