"""Identifiers that nobody can guess."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable

OCTETS = 16  # 128 bits: neither guessed nor met twice

Randomness = Callable[[int], bytes]
"""Gives so many random octets; `os.urandom`, or `random.Random(seed).randbytes` in a test."""


class Ids:
    """Makes ids of 22 characters, each of A-Z a-z 0-9 ``-`` ``_``, with 128 bits of chance."""

    __slots__ = ("_random",)

    def __init__(self, random: Randomness = os.urandom) -> None:
        self._random = random

    def __call__(self) -> str:
        """An id that was never given before."""
        return urlsafe_b64encode(self._random(OCTETS))[:-2].decode("ascii")

    def octets(self, count: int) -> bytes:
        """So many random octets, from the same source."""
        return self._random(count)
