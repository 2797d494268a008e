"""Streams between clients, and the files that go through them.

One folder, since offers choose among streams: `ibb` and `socks5` carry, `offers` makes use of it.
"""

from __future__ import annotations

from .ibb import Ibb, IbbStream

__all__ = ["Ibb", "IbbStream"]
