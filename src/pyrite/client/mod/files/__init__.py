"""Streams between clients, and the files that go through them.

One folder, since files choose among streams: `ibb` and `socks5` carry; `feature` offers and asks,
and `si` does so for old clients.
"""

from __future__ import annotations

from .feature import Files
from .ibb import Ibb, IbbStream
from .offers import FileRequest, Offer
from .si import OldOffer, Si
from .socks5 import Socks5

__all__ = ["FileRequest", "Files", "Ibb", "IbbStream", "Offer", "OldOffer", "Si", "Socks5"]
