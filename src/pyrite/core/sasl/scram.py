"""SCRAM (RFC 5802, RFC 7677): its messages, and what both sides compute from them.

With channel binding (RFC 5929, RFC 9266) and downgrade protection (XEP-0474).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

from ..errors import SaslError
from ..frozen import frozen
from .coding import encode_base64
from .keys import HASHES, Keys, derive, fake_keys

__all__ = ["HASHES", "Keys", "derive", "fake_keys"]

MIN_ITERATIONS = 4096  # RFC 7677 §4: a client refuses less
MAX_ITERATIONS = 10_000_000  # some seconds of work; a client refuses more
MIN_NONCE = 8  # characters that each side has to add
MAX_NONCE = 512  # characters of a whole nonce
MIN_SALT, MAX_SALT = 1, 1024  # octets that a client accepts

_VALUE = r"[^,\0]+"
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
_NONCE = r"[!-+\--~]+"
_NAME = r"(?:[^,=\0]|=2C|=3D)+"
_EXTENSIONS = rf"(?P<extensions>(?:,[a-oq-zA-Z]={_VALUE})*)"
_RESERVED = rf"(?:m={_VALUE},)?"

#: RFC 5802 §7; `gs2` and `bare` are what later goes into hashes.
CLIENT_FIRST = re.compile(
    rf"(?P<gs2>(?P<flag>n|y|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authzid>{_NAME}))?,)"
    rf"(?P<bare>{_RESERVED}n=(?P<username>{_NAME}),r=(?P<nonce>{_NONCE}){_EXTENSIONS})"
)
SERVER_FIRST = re.compile(
    rf"{_RESERVED}r=(?P<nonce>{_NONCE}),s=(?P<salt>{_BASE64})"
    rf",i=(?P<iterations>[1-9][0-9]{{0,8}}){_EXTENSIONS}"
)
CLIENT_FINAL = re.compile(
    rf"(?P<bare>c=(?P<binding>{_BASE64}),r=(?P<nonce>{_NONCE}){_EXTENSIONS}),p=(?P<proof>{_BASE64})"
)
SERVER_FINAL = re.compile(rf"(?:e=(?P<error>{_VALUE})|v=(?P<verifier>{_BASE64})){_EXTENSIONS}")


def parse(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    """The parts of a message; raises `SaslError` for wrong syntax and mandatory extensions."""
    match = pattern.fullmatch(text)
    if match is None:
        raise SaslError("malformed-request", "not a SCRAM message")
    if text.startswith("m=") or ",m=" in text:
        raise SaslError("malformed-request", "extensions-not-supported")
    return match


def extension(match: re.Match[str], name: str) -> str | None:
    """The value of an optional extension of a message."""
    for attribute in match["extensions"].split(","):
        if attribute.startswith(f"{name}="):
            return attribute[2:]
    return None


def quote(name: str) -> str:
    """A name as an attribute's value (RFC 5802 §5.1)."""
    return name.replace("=", "=3D").replace(",", "=2C")


def unquote(value: str) -> str:
    """The name in an attribute's value, which `parse` has found well-formed."""
    return value.replace("=2C", ",").replace("=3D", "=")


def base_name(mechanism: str) -> str:
    """The mechanism without channel binding, whose keys both use."""
    return mechanism.removesuffix("-PLUS")


def protection(hash_name: str, mechanisms: Iterable[str], bindings: Iterable[str]) -> str:
    """The hash of what a server has advertised (XEP-0474 §4.1)."""
    text = "\x1e".join(sorted(mechanisms))
    if types := sorted(bindings):
        text += "\x1f" + "\x1e".join(types)
    return encode_base64(hashlib.new(hash_name, text.encode()).digest())


@frozen
class Transcript:
    """What both sides have said, and so have to agree on (AuthMessage of RFC 5802 §3)."""

    hash_name: str
    client_first: str
    server_first: str
    client_final: str

    def sign(self, key: bytes) -> bytes:
        """The signature of all that was said, by `key`."""
        message = ",".join((self.client_first, self.server_first, self.client_final))
        return hmac.digest(key, message.encode(), self.hash_name)


def xor(left: bytes, right: bytes) -> bytes:
    """Both of one length, bit by bit."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
