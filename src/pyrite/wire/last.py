"""Last Activity: how long ago somebody was there, or did something."""

from __future__ import annotations

from ..core.payload import attr, payload, text
from ..core.values import NonNegative
from . import Spec

SPEC = Spec("XEP-0012", "2.0", "Last Activity")
NS = "jabber:iq:last"


@payload(NS, "query")
class Last:
    """The question, and the answer: an answer has `seconds` (§3).

    For an account: since its last resource left, which said `status` (§4). For a resource:
    idle time (§5), which presence may tell, too (XEP-0256 §1). For a server: since it started (§6).
    """

    seconds: NonNegative | None = attr(default=None)
    status: str = text(default="")
