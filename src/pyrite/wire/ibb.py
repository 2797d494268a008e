"""In-Band Bytestreams: octets in stanzas, where nothing better leads to the other side."""

from __future__ import annotations

from typing import Annotated, Literal

from ..core.payload import attr, payload, text
from ..core.values import UnsignedShort, integer
from . import Spec

SPEC = Spec("XEP-0047", "2.0.1", "In-Band Bytestreams")
NS = "http://jabber.org/protocol/ibb"

NUMBERS = 2**16  # of blocks; then they begin again at 0 (§2.2)

BlockSize = Annotated[int, integer(1, 2**16 - 1)]


@payload(NS, "open")
class Open:
    """Begins a stream, both ways (§2.1)."""

    sid: str = attr()
    block_size: BlockSize = attr("block-size")  # octets before base64, at most
    stanza: Literal["iq", "message"] | None = attr(default=None)


@payload(NS, "data")
class Data:
    """One block (§2.2)."""

    sid: str = attr()
    seq: UnsignedShort = attr()
    data: bytes = text()


@payload(NS, "close")
class Close:
    """Ends a stream, both ways (§2.3)."""

    sid: str = attr()
