"""GSSAPI (RFC 4752): whoever has a Kerberos ticket needs no password.

The library that speaks to Kerberos is behind `Context`. No layer of its own is put around the
stream: that is what TLS is for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..errors import SaslError
from .base import MAX_AUTHZID, ClientMechanism, UntrustedServer, limited

_NO_LAYER = 1  # the bit for it (§3.3)


class Context(Protocol):
    """A security context of ours with the server (RFC 2743), which both sides prove."""

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to prove."""

    def step(self, token: bytes | None) -> bytes | None:
        """What to send for what has come. Raises what its library has to say."""

    def wrap(self, message: bytes) -> bytes:
        """Signed, and not encrypted."""

    def unwrap(self, message: bytes) -> bytes:
        """Raises what its library has to say where the signature is wrong."""


class GssapiClient(ClientMechanism):
    """`begin` makes a context; it may speak to the key distribution center."""

    def __init__(self, begin: Callable[[], Context], authzid: str = "") -> None:
        super().__init__("GSSAPI")
        self._begin = begin
        self._authzid = limited(authzid, MAX_AUTHZID).encode()
        self._context: Context | None = None
        self._is_done = False

    def start(self) -> bytes:
        self._context = self._begin()
        return self._context.step(None) or b""

    def step(self, challenge: bytes) -> bytes:
        context = self._context
        if context is None or self._is_done:
            raise UntrustedServer("a challenge that nobody waits for")
        if not context.complete:
            return context.step(challenge) or b""
        offer = context.unwrap(challenge)
        if len(offer) != 4:
            raise UntrustedServer("not an offer of security layers (RFC 4752 §3.1)")
        if not offer[0] & _NO_LAYER:
            raise SaslError("aborted", "the server insists on a security layer of its own")
        self._is_done = True
        return context.wrap(bytes((_NO_LAYER, 0, 0, 0)) + self._authzid)

    def finish(self, data: bytes | None) -> None:
        if not self._is_done:
            raise UntrustedServer("the server has not proven who it is")
        super().finish(data)
