"""DNS queries over XMPP: asks somebody else what the name system says."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

from ..core.payload import payload, text
from ..core.values import Form, read_bytes
from . import Spec

SPEC = Spec("XEP-0418", "0.1.0", "DNS Queries over XMPP (DoX)")
NS = "urn:xmpp:dox:0"


def _read(text: str) -> bytes:
    text = "".join(text.split())
    return read_bytes(text + "=" * (-len(text) % 4))


def _show(octets: bytes) -> str:
    return b64encode(octets).decode("ascii").rstrip("=")


@payload(NS, "dns")
class Dns:
    """A message of DNS (RFC 1035 §4), in base64 without what fills it up (§3)."""

    message: Annotated[bytes, Form(_read, _show)] = text()
