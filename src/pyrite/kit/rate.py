"""How often something may happen: token buckets, alone and by key."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_ROUNDING = 1e-9  # seconds; sums of floats must not refuse what is just allowed


@dataclass(frozen=True, slots=True)
class Limit:
    """On average `rate` a second, and never more than `burst` at once."""

    rate: float
    burst: float

    def __post_init__(self) -> None:
        if not (self.rate > 0 and self.burst > 0):
            raise ValueError("a rate and its burst are above zero")

    @property
    def window(self) -> float:
        """Seconds in which an empty bucket fills up."""
        return self.burst / self.rate


class Bucket:
    """A token bucket, full at first. It is handed the time: seconds that never step back.

    Kept as the one moment at which it will be full again, so it costs one float.
    """

    __slots__ = ("_full_at", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._full_at = float("-inf")

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take `amount` tokens if they are there; else take none, and say so."""
        full_at = max(self._full_at, now) + amount / self.limit.rate
        if full_at - now > self.limit.window + _ROUNDING:
            return False
        self._full_at = full_at
        return True

    def spend(self, now: float, amount: float) -> float:
        """Take `amount` tokens, there or not: seconds to wait until the debt is paid.

        For what has happened already, as octets that were read.
        """
        self._full_at = max(self._full_at, now) + amount / self.limit.rate
        return max(0.0, self._full_at - now - self.limit.window)

    def delay(self, now: float, amount: float = 1.0) -> float:
        """Seconds until `take` would succeed; infinite if the bucket is too small for it."""
        if amount > self.limit.burst:
            return float("inf")
        full_at = max(self._full_at, now) + amount / self.limit.rate
        wait = full_at - now - self.limit.window
        return wait if wait > _ROUNDING else 0.0

    def is_full(self, now: float) -> bool:
        """Nothing was taken that has not come back: the same as a new one."""
        return self._full_at <= now


class Buckets(Generic[K]):
    """A bucket for each key, for at most `size` keys.

    When there are more, the one that was longest left alone is forgotten: whoever wants to
    empty a bucket's memory needs `size` other keys for each try.
    """

    __slots__ = ("_buckets", "limit", "size")

    def __init__(self, limit: Limit, size: int = 10_000) -> None:
        if size < 1:
            raise ValueError("a table holds one bucket at least")
        self.limit = limit
        self.size = size
        self._buckets: dict[K, Bucket] = {}  # the longest unused first

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: K, now: float, amount: float = 1.0) -> bool:
        """As `Bucket.take`, with the bucket of `key`."""
        return self._of(key, now).take(now, amount)

    def spend(self, key: K, now: float, amount: float) -> float:
        """As `Bucket.spend`, with the bucket of `key`."""
        return self._of(key, now).spend(now, amount)

    def delay(self, key: K, now: float, amount: float = 1.0) -> float:
        """As `Bucket.delay`, with the bucket of `key`; remembers nothing."""
        return (self._buckets.get(key) or Bucket(self.limit)).delay(now, amount)

    def forget(self, key: K) -> None:
        """Give `key` a full bucket, as after a success."""
        self._buckets.pop(key, None)

    def _of(self, key: K, now: float) -> Bucket:
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            self._make_room(now)
            bucket = Bucket(self.limit)
        self._buckets[key] = bucket
        return bucket

    def _make_room(self, now: float) -> None:
        """Drop two that are full again if the oldest are, and one more if that was not enough."""
        for _ in range(2):
            oldest = next(iter(self._buckets), None)
            if oldest is not None and self._buckets[oldest].is_full(now):
                del self._buckets[oldest]
        if len(self._buckets) >= self.size:
            del self._buckets[next(iter(self._buckets))]
