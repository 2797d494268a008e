"""ANONYMOUS (RFC 4505, XEP-0175): a guest without an account."""

from __future__ import annotations

from ..errors import SaslError
from .base import ClientMechanism, Proven, ServerMechanism, Step, decode

MAX_TRACE = 1020  # octets: 255 characters (RFC 4505 §2)


class AnonymousServer(ServerMechanism):
    """Lets everyone in; the trace data is looked at only to see that it is some.

    An absent response counts as an empty one: XEP-0175 recommends clients to send nothing.
    """

    def step(self, data: bytes | None) -> Step:
        if len(data or b"") > MAX_TRACE:
            raise SaslError("malformed-request", f"more than {MAX_TRACE} octets of trace data")
        decode(data or b"")
        return Proven("")


class AnonymousClient(ClientMechanism):
    """Asks for a guest's address, and leaves no trace data."""

    def __init__(self) -> None:
        super().__init__("ANONYMOUS")

    def start(self) -> bytes:
        return b""
