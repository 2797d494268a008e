"""The server's side of SCRAM."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import partial

from ..errors import SaslError
from ..frozen import frozen
from .base import (
    MAX_AUTHZID,
    Challenge,
    NeedKeys,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    decode,
    limited,
    prepared_name,
)
from .coding import decode_value, encode_base64
from .keys import HASHES, Keys
from .scram import (
    CLIENT_FINAL,
    CLIENT_FIRST,
    MAX_NONCE,
    MIN_NONCE,
    Transcript,
    base_name,
    parse,
    protection,
    unquote,
    xor,
)


@frozen
class _Hello:
    """What the client's first message says."""

    gs2: str
    bare: str
    binding: str
    nonce: str
    username: str
    authzid: str


@frozen
class _Reply:
    """What we have answered, and the keys that the proof is for."""

    text: str
    nonce: str
    keys: Keys


class ScramServer(ServerMechanism):
    """Client first, challenge, client final, and a success that proves the server too."""

    def __init__(self, name: str, offer: Offer) -> None:
        self._name, self._offer = name, offer
        self._hash = HASHES[base_name(name)]
        self._next: Callable[[bytes], Step] = self._first

    def step(self, data: bytes | None) -> Step:
        if data is None and self._next == self._first:
            return Challenge(b"")  # the client speaks first
        follows, self._next = self._next, _over
        return follows(data or b"")

    def _first(self, data: bytes) -> Step:
        hello = _read_hello(data)
        self._check_binding(hello)
        if not MIN_NONCE <= len(hello.nonce) <= MAX_NONCE // 2:
            raise SaslError("malformed-request", "nonce too short or too long")
        answer = partial(self._challenge, hello)
        return NeedKeys(base_name(self._name), hello.username, hello.authzid, answer)

    def _check_binding(self, hello: _Hello) -> None:
        if bool(hello.binding) != self._name.endswith("-PLUS"):
            raise SaslError("malformed-request", "channel binding does not fit the mechanism")
        if hello.binding and hello.binding not in self._offer.bindings:
            raise SaslError("not-authorized", "unsupported-channel-binding-type")
        if hello.gs2.startswith("y") and self._offer.binds:
            # someone took the -PLUS mechanisms out of what we offered (RFC 5802 §6)
            raise SaslError("not-authorized", "server-does-support-channel-binding")

    def _challenge(self, hello: _Hello, keys: Keys) -> Step:
        nonce = hello.nonce + self._offer.nonce()
        salt = encode_base64(keys.salt)
        text = f"r={nonce},s={salt},i={keys.iterations}{self._confirmation()}"
        self._next = partial(self._final, hello, _Reply(text, nonce, keys))
        return Challenge(text.encode())

    def _confirmation(self) -> str:
        if not self._offer.confirms:
            return ""
        types = self._offer.bindings if self._offer.binds else ()
        return f",h={protection(self._hash, self._offer.mechanisms, types)}"

    def _final(self, hello: _Hello, reply: _Reply, data: bytes) -> Step:
        final = parse(CLIENT_FINAL, decode(data))
        bound = hello.gs2.encode() + self._offer.bindings.get(hello.binding, b"")
        if not hmac.compare_digest(decode_value(final["binding"]), bound):
            raise SaslError("not-authorized", "channel-bindings-dont-match")
        if not hmac.compare_digest(final["nonce"], reply.nonce):
            raise SaslError("not-authorized", "nonce of another exchange")
        said = Transcript(self._hash, hello.bare, reply.text, final["bare"])
        _check_proof(reply.keys.stored_key, said, decode_value(final["proof"]))
        verifier = encode_base64(said.sign(reply.keys.server_key))
        return Proven(hello.username, hello.authzid, f"v={verifier}".encode())


def _read_hello(data: bytes) -> _Hello:
    first = parse(CLIENT_FIRST, decode(data))
    return _Hello(
        first["gs2"],
        first["bare"],
        first["binding"] or "",
        first["nonce"],
        prepared_name(unquote(first["username"])),
        limited(unquote(first["authzid"] or ""), MAX_AUTHZID),
    )


def _check_proof(stored_key: bytes, said: Transcript, proof: bytes) -> None:
    signature = said.sign(stored_key)
    if len(proof) != len(signature):
        raise SaslError("malformed-request", "proof of a wrong length")
    client_key = xor(proof, signature)
    if not hmac.compare_digest(hashlib.new(said.hash_name, client_key).digest(), stored_key):
        raise SaslError("not-authorized")


def _over(data: bytes) -> Step:
    raise SaslError("malformed-request", "the exchange is over")
