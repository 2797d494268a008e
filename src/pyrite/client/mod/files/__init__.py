"""Streams between clients, and the files that go through them.

One folder, since offers choose among streams: `ibb` and `socks5` carry, `offers` makes use of it.
"""

from __future__ import annotations

from .ibb import Ibb, IbbStream
from .offers import Files, Offer
from .socks5 import Socks5

__all__ = ["Files", "Ibb", "IbbStream", "Offer", "Socks5"]
