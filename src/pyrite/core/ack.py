"""Counts what two peers have told each other that they have handled (XEP-0198 §4, §5).

Both ends of a stream keep one of these; it outlives the stream, and goes on when it is resumed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import Generic, TypeVar

T = TypeVar("T")

MODULUS = 2**32  # a count is an xs:unsignedInt, and begins again at zero (§4)


class WrongCountError(Exception):
    """The peer says that it has handled `h` stanzas, which cannot be: `sent` were sent."""

    def __init__(self, h: int, acknowledged: int, sent: int) -> None:
        super().__init__(
            f"you acknowledged {h} stanzas, where {acknowledged} were acknowledged before"
            f" and {sent} sent"
        )
        self.h, self.sent = h, sent


class Acks(Generic[T]):
    """Both directions of one session: what is handled, and what is not known to be.

    What is not acknowledged stays here; whoever owns this bounds it.
    """

    __slots__ = ("handled", "sent", "unacknowledged")

    def __init__(self) -> None:
        self.handled = 0  # of the peer's stanzas, modulo 2**32: the `h` that we tell it
        self.sent = 0  # of ours, modulo 2**32
        self.unacknowledged: deque[T] = deque()  # of those, oldest first

    @property
    def acknowledged(self) -> int:
        """The last `h` of the peer."""
        return (self.sent - len(self.unacknowledged)) % MODULUS

    def handle(self, count: int = 1) -> None:
        """So many stanzas of the peer's more are handled: we answer for them."""
        self.handled = (self.handled + count) % MODULUS

    def send(self, stanzas: Collection[T]) -> None:
        """These have been sent now, in this order."""
        self.unacknowledged.extend(stanzas)
        self.sent = (self.sent + len(stanzas)) % MODULUS

    def acknowledge(self, h: int) -> list[T]:
        """What the peer answers for from now on, oldest first; we let go of it.

        Raises `WrongCountError`, and changes nothing, for an `h` that is higher than what was
        sent, or lower than one before.
        """
        waiting = self.unacknowledged
        count = (h - self.acknowledged) % MODULUS
        if count > len(waiting):
            raise WrongCountError(h, self.acknowledged, self.sent)
        return [waiting.popleft() for _ in range(count)]

    def rewind(self) -> list[T]:
        """What is to be sent again on resumption, in this order, before anything else (§5).

        As if it had not been sent: it is counted, and kept here, when it is.
        """
        again = list(self.unacknowledged)
        self.sent = self.acknowledged
        self.unacknowledged.clear()
        return again
