"""The XMPP addresses in a client's certificate (RFC 6120 §13.7.1.4)."""

from __future__ import annotations

from cryptography import x509

XMPP_ADDR = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")  # id-on-xmppAddr
UTF8_STRING = 0x0C  # the DER tag that the address has to have
MAX_IDENTITIES = 64  # of one certificate; more is an attack, and gives none
MAX_CERTIFICATE = 64 * 1024  # octets


def identities_in(certificate: bytes | None) -> tuple[str, ...]:
    """The addresses in a verified DER certificate; none if it cannot be read."""
    if not certificate or len(certificate) > MAX_CERTIFICATE:
        return ()
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return ()
    others = names.get_values_for_type(x509.OtherName)
    if len(names) > MAX_IDENTITIES:
        return ()
    found = [_text(name.value) for name in others if name.type_id == XMPP_ADDR]
    return tuple(text for text in found if text)


def _text(der: bytes) -> str:
    """The text of a DER UTF8String; empty for anything else."""
    if len(der) < 2 or der[0] != UTF8_STRING:
        return ""
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    if start + length != len(der):
        return ""
    try:
        return der[start:].decode()
    except UnicodeDecodeError:
        return ""
