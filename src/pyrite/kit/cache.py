"""A bounded memory of what was expensive to find."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")


class Cache(Generic[K, V]):
    """Keeps `size` values, forgetting the longest unused, and none longer than `ttl` seconds.

    `monotonic` is the clock's; only a cache with a `ttl` needs it. `hits` and `misses` are
    plain numbers for a metric to read.
    """

    __slots__ = ("_entries", "_monotonic", "hits", "misses", "size", "ttl")

    def __init__(
        self,
        size: int,
        ttl: float | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        if size < 1:
            raise ValueError("a cache holds one value at least")
        if ttl is not None and monotonic is None:
            raise ValueError("a cache that forgets with time needs a clock")
        self.size, self.ttl = size, ttl
        self._monotonic = monotonic or _standing
        self._entries: dict[K, tuple[V, float]] = {}  # the longest unused first
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, default: D = None) -> V | D:  # type: ignore[assignment]
        """The value of `key`, or `default` if it is not known any more."""
        entry = self._entries.pop(key, None)
        if entry is None or (self.ttl is not None and entry[1] <= self._monotonic()):
            self.misses += 1
            return default
        self._entries[key] = entry
        self.hits += 1
        return entry[0]

    def peek(self, key: K) -> V | None:
        """The value of `key`, if it is known, in a fifth of the time: it does not count as used.

        For a cache without a `ttl` that is asked all the time, and has room for all who are there.
        """
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V) -> None:
        """Keep `value`, in place of any other for `key`."""
        self._entries.pop(key, None)
        if len(self._entries) >= self.size:
            del self._entries[next(iter(self._entries))]
        expiry = float("inf") if self.ttl is None else self._monotonic() + self.ttl
        self._entries[key] = value, expiry

    def pop(self, key: K) -> None:
        """Forget `key`."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


def _standing() -> float:
    return 0.0
