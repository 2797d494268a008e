"""Order-by: in which order items or messages are wanted."""

from __future__ import annotations

from ..core.payload import attr, payload
from . import Spec

SPEC = Spec("XEP-0413", "0.2.1", "Order-By")
NS = "urn:xmpp:order-by:1"


@payload(NS, "order")
class Order:
    """By what, and whether from the last to the first; beside a query or in it (§4)."""

    by: str = attr()  # "creation", "modification" or another
    desc: bool = attr(default=False)
