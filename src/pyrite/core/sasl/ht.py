"""Hashed tokens (draft-schmaus-kitten-sasl-ht-09): the proof of a secret that the server has given.

One message each way. What is proven is bound to the TLS channel, except with ``-NONE``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from functools import partial

from ..errors import SaslError
from .base import (
    MAX_MESSAGE,
    ClientMechanism,
    NeedTokens,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    UntrustedServer,
    decode,
    prepared_name,
)

#: Mechanism -> its channel binding, from strongest to weakest; empty for none.
TOKEN_MECHANISMS: Mapping[str, str] = {
    "HT-SHA-256-EXPR": "tls-exporter",
    "HT-SHA-256-ENDP": "tls-server-end-point",
    "HT-SHA-256-NONE": "",
}

_HASH = "sha256"
_SIZE = 32  # octets of a proof


class HtServer(ServerMechanism):
    """One message, and a question for the tokens that the client may have."""

    def __init__(self, name: str, offer: Offer) -> None:
        self._name = name
        self._binding = _binding(name, offer.bindings)
        self._is_over = False

    def step(self, data: bytes | None) -> Step:
        if self._is_over or data is None:
            raise SaslError("malformed-request", "the one message comes first")
        self._is_over = True
        username, proof = _split(data)
        return NeedTokens(self._name, username, partial(self._judge, username, proof))

    def _judge(self, username: str, proof: bytes, tokens: Sequence[bytes]) -> Step:
        fitting: bytes | None = None
        for token in tokens:  # to the end: which one it was is not to be told by the time
            if hmac.compare_digest(_sign(token, b"Initiator", self._binding), proof):
                fitting = token
        if fitting is None:
            raise SaslError("not-authorized")
        answer = _sign(fitting, b"Responder", self._binding)
        return Proven(username, data=answer, token=fitting)


class HtClient(ClientMechanism):
    """Proves to have `token`, and demands the same of the server.

    `bindings` are what our side of the TLS channel can give. Raises `SaslError`
    ``invalid-mechanism`` where that is not what the mechanism needs.
    """

    def __init__(self, name: str, username: str, token: str, bindings: Mapping[str, bytes]) -> None:
        super().__init__(name)
        self._username, self._token = username, token.encode()
        self._binding = _binding(name, bindings)

    def start(self) -> bytes:
        proof = _sign(self._token, b"Initiator", self._binding)
        return self._username.encode() + b"\0" + proof

    def finish(self, data: bytes | None) -> None:
        expected = _sign(self._token, b"Responder", self._binding)
        if not hmac.compare_digest(data or b"", expected):
            raise UntrustedServer("the server does not know the token")


def _binding(name: str, bindings: Mapping[str, bytes]) -> bytes:
    """The data of the channel that `name` binds to."""
    if name not in TOKEN_MECHANISMS:
        raise SaslError("invalid-mechanism", "not one that takes a token")
    type = TOKEN_MECHANISMS[name]
    if type and type not in bindings:
        raise SaslError("invalid-mechanism", f"the channel has no {type}")
    return bindings[type] if type else b""


def _split(data: bytes) -> tuple[str, bytes]:
    if len(data) > MAX_MESSAGE:
        raise SaslError("malformed-request", f"more than {MAX_MESSAGE} octets")
    name, _, proof = data.partition(b"\0")
    if len(proof) != _SIZE:
        raise SaslError("malformed-request", "not the message of a hashed token")
    return prepared_name(decode(name)), proof


def _sign(token: bytes, role: bytes, binding: bytes) -> bytes:
    return hmac.digest(token, role + binding, _HASH)
