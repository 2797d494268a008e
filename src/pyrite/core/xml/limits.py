"""How large what a peer sends may be."""

from __future__ import annotations

from ..frozen import frozen


@frozen
class Limits:
    """What one peer may make us hold: all bounds are for one top-level element."""

    octets: int = 512 * 1024
    depth: int = 64
    attributes: int = 64  # of one element
    elements: int = 8192  # children of all depths


#: Before a peer has proved who it is, nothing it needs to say is large.
BEFORE_AUTHENTICATION = Limits(octets=10_000, depth=8, attributes=24, elements=100)

#: What was let in once and kept. It has grown as it was written: no limit of a peer fits it.
KEPT = Limits(octets=1 << 30, depth=900, attributes=1 << 20, elements=1 << 24)
