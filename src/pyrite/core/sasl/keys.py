"""What a server keeps instead of a password (RFC 5802 §3), and stand-ins for strangers."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import field

from ..frozen import frozen
from .prep import PrepError, saslprep

#: SCRAM mechanism without channel binding -> the name of its hash in `hashlib`.
HASHES = {
    "SCRAM-SHA-512": "sha512",
    "SCRAM-SHA-256": "sha256",
    "SCRAM-SHA-1": "sha1",
}

SALT_SIZE = 16  # octets, of real and of fake salts alike


@frozen
class Keys:
    """One account's keys for one mechanism, never the password.

    With DIGEST-MD5, `salt` is the realm, `stored_key` the hash that RFC 2831 §2.1.2.1 starts
    from, and `server_key` is empty.
    """

    mechanism: str
    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def derive(mechanism: str, password: str, salt: bytes, iterations: int) -> Keys:
    """The SCRAM keys of `password`, at the cost of `iterations` hashes.

    Raises `PrepError` for a password that SASLprep refuses or leaves empty.
    """
    salted = salted_password(HASHES[mechanism], password, salt, iterations)
    return derive_salted(mechanism, salted, salt, iterations)


def derive_salted(mechanism: str, salted: bytes, salt: bytes, iterations: int) -> Keys:
    """The SCRAM keys of a password that is hashed already: `salted` is its SaltedPassword."""
    hash_name = HASHES[mechanism]
    stored_key = hashlib.new(hash_name, client_key(hash_name, salted)).digest()
    return Keys(mechanism, salt, iterations, stored_key, server_key(hash_name, salted))


def fake_keys(secret: bytes, mechanism: str, username: str, iterations: int) -> Keys:
    """Keys that no password fits, the same each time, so that strangers look like accounts.

    `secret` has to outlive a restart, or changing salts would tell who does not exist.
    """

    def part(label: str) -> bytes:
        text = f"{label}\0{mechanism}\0{username}"
        return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), hash_name)

    hash_name = HASHES.get(mechanism, "md5")
    return Keys(mechanism, part("salt")[:SALT_SIZE], iterations, part("stored"), part("server"))


def salted_password(hash_name: str, password: str, salt: bytes, iterations: int) -> bytes:
    """SaltedPassword of RFC 5802 §3; raises `PrepError`."""
    prepared = saslprep(password)
    if not prepared:
        raise PrepError("the password is empty")
    return hashlib.pbkdf2_hmac(hash_name, prepared.encode(), salt, iterations)


def client_key(hash_name: str, salted: bytes) -> bytes:
    """ClientKey of RFC 5802 §3."""
    return hmac.digest(salted, b"Client Key", hash_name)


def server_key(hash_name: str, salted: bytes) -> bytes:
    """ServerKey of RFC 5802 §3."""
    return hmac.digest(salted, b"Server Key", hash_name)
