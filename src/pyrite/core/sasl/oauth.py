"""OAUTHBEARER (RFC 7628): a token that somebody else has given, in place of a password."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..errors import SaslError
from .base import MAX_AUTHZID as _MAX_AUTHZID
from .base import ClientMechanism, limited

_SEPARATOR = "\x01"


class OAuthClient(ClientMechanism):
    """`token` is asked for when it is needed; it may take its time. For encrypted streams only."""

    def __init__(self, authzid: str, token: Callable[[], str]) -> None:
        super().__init__("OAUTHBEARER")
        self._authzid, self._token = limited(authzid, _MAX_AUTHZID), token
        self.refusal = ""  # the server's word for why not: RFC 6750's, as "invalid_token"

    def start(self) -> bytes:
        token = self._token()
        if not token or not token.isascii() or not token.isprintable():
            raise SaslError("malformed-request", "that is no bearer token")
        name = self._authzid.replace("=", "=3D").replace(",", "=2C")
        parts = (f"n,a={name},", f"auth=Bearer {token}", "", "")
        return _SEPARATOR.join(parts).encode()

    def step(self, challenge: bytes) -> bytes:
        """The server refuses, and says why before it says so (§3.2.3)."""
        try:
            told = json.loads(challenge)
            self.refusal = str(told.get("status", ""))
        except (ValueError, AttributeError, RecursionError):
            self.refusal = ""
        return _SEPARATOR.encode()

    def refused(self, error: SaslError) -> SaslError:
        return SaslError(error.condition, error.text or self.refusal)
