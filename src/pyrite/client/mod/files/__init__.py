"""Streams between clients, and the files that go through them.

One folder, since offers choose among streams: `ibb` and `socks5` carry, `offers`, and `si` for old
clients, make use of it.
"""

from __future__ import annotations

from .ibb import Ibb, IbbStream
from .offers import Files, Offer
from .si import OldOffer, Si
from .socks5 import Socks5

__all__ = ["Files", "Ibb", "IbbStream", "Offer", "OldOffer", "Si", "Socks5"]
