"""Counting stanzas in a byte stream without parsing it."""


class Counter:
    """Counts how often a closing tag has passed, however the bytes are split."""

    __slots__ = ("_end", "_keep", "_tail", "total")

    def __init__(self, end: bytes) -> None:
        self._end = end
        self._keep = len(end) - 1
        self._tail = b""
        self.total = 0

    def feed(self, data: bytes) -> int:
        """How many are complete with these bytes."""
        count = data.count(self._end)
        if self._tail:
            count += (self._tail + data[: self._keep]).count(self._end)
        if data.endswith(self._end):
            self._tail = b""
        else:
            self._tail = (self._tail + data[-self._keep :])[-self._keep :]
        self.total += count
        return count
