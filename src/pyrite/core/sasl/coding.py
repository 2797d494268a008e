"""Base64 as SASL in XMPP uses it (RFC 6120 §6.4): strict, with ``=`` for what is empty."""

from __future__ import annotations

import binascii

from ..errors import SaslError

EMPTY = "="


def decode_base64(text: str) -> bytes:
    """The octets of a challenge, a response or a success; ``=`` and no text are none.

    Raises `SaslError` ``incorrect-encoding`` for white space, wrong padding, or bits in it.
    """
    if text == EMPTY:
        return b""
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise SaslError("incorrect-encoding", "not base64") from None
    if binascii.b2a_base64(data, newline=False) != text.encode("ascii"):
        raise SaslError("incorrect-encoding", "base64 with bits in its padding")
    return data


def decode_optional(text: str) -> bytes | None:
    """Like `decode_base64`, but no text at all is None: an absent initial response."""
    return decode_base64(text) if text else None


def encode_base64(data: bytes | None) -> str:
    """Text for `data`: empty for None, ``=`` for octets that are there but none."""
    if data is None:
        return ""
    return binascii.b2a_base64(data, newline=False).decode("ascii") or EMPTY


def decode_value(text: str) -> bytes:
    """The octets of a base64 attribute; wrong base64 in a message is its syntax."""
    try:
        return decode_base64(text)
    except SaslError as error:
        raise SaslError("malformed-request", error.text) from None
