"""The client's side of SCRAM."""

from __future__ import annotations

import hashlib
import hmac

from ..errors import SaslError
from ..frozen import frozen
from .base import ClientMechanism, Credentials, UntrustedServer, decode
from .coding import decode_value, encode_base64
from .keys import HASHES, client_key, salted_password, server_key
from .scram import (
    CLIENT_FIRST,
    MAX_ITERATIONS,
    MAX_NONCE,
    MAX_SALT,
    MIN_ITERATIONS,
    MIN_NONCE,
    MIN_SALT,
    SERVER_FINAL,
    SERVER_FIRST,
    Transcript,
    base_name,
    extension,
    parse,
    protection,
    quote,
    xor,
)


@frozen
class Seen:
    """What the client has seen advertised, and how it binds to the channel.

    `flag` is the gs2-cbind-flag: ``n``, ``y`` or ``p=<type>`` with that type's `binding`.
    `demand`: go on only if the server confirms what it has advertised (XEP-0474 §5).
    """

    mechanisms: tuple[str, ...]
    types: tuple[str, ...] = ()
    flag: str = "n"
    binding: bytes = b""
    demand: bool = False


class ScramClient(ClientMechanism):
    """Proves to know the password, and demands the same of the server."""

    def __init__(self, name: str, credentials: Credentials, nonce: str, seen: Seen) -> None:
        super().__init__(name)
        self._hash = HASHES[base_name(name)]
        self._password, self._nonce, self._seen = credentials.password, nonce, seen
        authzid = f"a={quote(credentials.authzid)}" if credentials.authzid else ""
        self._gs2 = f"{seen.flag},{authzid},"
        self._bare = f"n={quote(credentials.username)},r={nonce}"
        self._expected = b""
        self._is_verified = False

    def start(self) -> bytes:
        first = self._gs2 + self._bare
        parse(CLIENT_FIRST, first)  # our own mistakes are found here, not by the server
        return first.encode()

    def step(self, challenge: bytes) -> bytes:
        if self._expected:
            self._verify(challenge)  # some send it before an empty success
            return b""
        try:
            return self._final(decode(challenge))
        except UntrustedServer:
            raise
        except SaslError as error:
            raise UntrustedServer(error.text) from None

    def finish(self, data: bytes | None) -> None:
        if data:
            self._verify(data)
        if not self._is_verified:
            raise UntrustedServer("the server has not proven that it knows the password")

    def _final(self, server_first: str) -> bytes:
        first = parse(SERVER_FIRST, server_first)
        self._check_nonce(first["nonce"])
        self._check_protection(extension(first, "h"))
        salt, iterations = decode_value(first["salt"]), int(first["iterations"])
        if not MIN_SALT <= len(salt) <= MAX_SALT:
            raise UntrustedServer("salt too short or too long")
        if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
            raise UntrustedServer(f"{iterations} iterations asked for")
        bound = encode_base64(self._gs2.encode() + self._seen.binding)
        bare = f"c={bound},r={first['nonce']}"
        said = Transcript(self._hash, self._bare, server_first, bare)
        salted = salted_password(self._hash, self._password, salt, iterations)
        return f"{bare},p={encode_base64(self._proof(salted, said))}".encode()

    def _proof(self, salted: bytes, said: Transcript) -> bytes:
        self._expected = said.sign(server_key(self._hash, salted))
        key = client_key(self._hash, salted)
        return xor(key, said.sign(hashlib.new(self._hash, key).digest()))

    def _check_nonce(self, nonce: str) -> None:
        added = len(nonce) - len(self._nonce)
        if not nonce.startswith(self._nonce) or added < MIN_NONCE or len(nonce) > MAX_NONCE:
            raise UntrustedServer("the server's nonce does not go with ours")

    def _check_protection(self, claimed: str | None) -> None:
        if claimed is None:
            if self._seen.demand:
                raise UntrustedServer("no usable channel binding, and no word about it")
            return
        hashed = protection(self._hash, self._seen.mechanisms, self._seen.types)
        if not hmac.compare_digest(claimed.encode(), hashed.encode()):
            raise UntrustedServer("what the server has offered was changed on its way")

    def _verify(self, data: bytes) -> None:
        if not self._expected or self._is_verified:
            raise UntrustedServer("a message out of order")
        try:
            final = parse(SERVER_FINAL, decode(data))
            claimed = decode_value(final["verifier"] or "")
        except SaslError as error:
            raise UntrustedServer(error.text) from None
        if final["error"]:
            raise SaslError("not-authorized", final["error"])
        if not hmac.compare_digest(claimed, self._expected):
            raise UntrustedServer("the server does not know the password")
        self._is_verified = True
