"""SASL without I/O: the mechanisms of XMPP, both sides (RFC 6120 §6)."""

from __future__ import annotations

from .base import (
    MAX_AUTHZID,
    MAX_MESSAGE,
    MAX_NAME,
    MAX_PASSWORD,
    Challenge,
    ClientMechanism,
    Credentials,
    NeedKeys,
    NeedPassword,
    NeedTokens,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    UntrustedServer,
)
from .coding import decode_base64, decode_optional, encode_base64
from .ht import TOKEN_MECHANISMS, HtClient
from .keys import HASHES, SALT_SIZE, Keys, derive, derive_salted, fake_keys
from .mechanisms import (
    BINDINGS,
    SAFE,
    STRENGTH,
    Advertised,
    by_strength,
    choose,
    choose_binding,
    server,
)
from .prep import PrepError, saslprep
from .scram import MAX_ITERATIONS, MIN_ITERATIONS, base_name, protection

__all__ = [
    "BINDINGS",
    "HASHES",
    "MAX_AUTHZID",
    "MAX_ITERATIONS",
    "MAX_MESSAGE",
    "MAX_NAME",
    "MAX_PASSWORD",
    "MIN_ITERATIONS",
    "SAFE",
    "SALT_SIZE",
    "STRENGTH",
    "TOKEN_MECHANISMS",
    "Advertised",
    "Challenge",
    "ClientMechanism",
    "Credentials",
    "HtClient",
    "Keys",
    "NeedKeys",
    "NeedPassword",
    "NeedTokens",
    "Offer",
    "PrepError",
    "Proven",
    "ServerMechanism",
    "Step",
    "UntrustedServer",
    "base_name",
    "by_strength",
    "choose",
    "choose_binding",
    "decode_base64",
    "decode_optional",
    "derive",
    "derive_salted",
    "encode_base64",
    "fake_keys",
    "protection",
    "saslprep",
    "server",
]
