"""SCRAM (RFC 5802): what a client sends, and what a server stores."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache

HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
HEADER = "n,,"  # no channel binding: the peers offer different ones


@dataclass(frozen=True)
class Keys:
    """What a password becomes with one salt and count (RFC 5802 §3)."""

    client: bytes
    stored: bytes
    server: bytes


@lru_cache(maxsize=4096)
def keys(hash_name: str, password: str, salt: bytes, iterations: int) -> Keys:
    """The keys; cached, so that the load generator derives each only once."""
    salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", hash_name)
    stored = hashlib.new(hash_name, client).digest()
    return Keys(client, stored, hmac.digest(salted, b"Server Key", hash_name))


class Exchange:
    """One client's side of one authentication."""

    def __init__(self, mechanism: str, user: str, password: str, nonce: str = "") -> None:
        self._hash = HASHES[mechanism]
        self._password = password
        self._nonce = nonce or base64.b64encode(os.urandom(18)).decode()
        self._bare = f"n={user},r={self._nonce}"
        self._expected = b""

    def first(self) -> bytes:
        """The client's first message."""
        return (HEADER + self._bare).encode()

    def final(self, challenge: bytes) -> bytes:
        """The client's final message. Raises ValueError for a nonce that is not ours."""
        server = challenge.decode()
        given = fields(server)
        if not given["r"].startswith(self._nonce):
            raise ValueError("the server's nonce does not continue ours")
        salt = base64.b64decode(given["s"])
        secret = keys(self._hash, self._password, salt, int(given["i"]))
        without_proof = f"c={base64.b64encode(HEADER.encode()).decode()},r={given['r']}"
        signed = f"{self._bare},{server},{without_proof}".encode()
        signature = hmac.digest(secret.stored, signed, self._hash)
        proof = bytes(a ^ b for a, b in zip(secret.client, signature, strict=True))
        self._expected = hmac.digest(secret.server, signed, self._hash)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, final: bytes) -> None:
        """Raises ValueError unless the server has proved that it knows the account."""
        if base64.b64decode(fields(final.decode())["v"]) != self._expected:
            raise ValueError("the server's signature is wrong")


def fields(message: str) -> dict[str, str]:
    """The attributes of a SCRAM message, by name."""
    return dict(part.split("=", 1) for part in message.split(","))
