"""Says that the server heeds what senders wish to happen to a message (XEP-0334).

Each module that keeps or copies messages asks the rules of `wire/hints.py` itself. Hints stay on
the message: other servers, and the receiver's archive, are to know them too.
"""

from __future__ import annotations

from ...wire import hints
from ..module import Module


class Hints(Module):
    """Message processing hints."""

    spec = hints.SPEC
    features = (hints.NS,)
