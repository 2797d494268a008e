"""Stream management (XEP-0198): what arrives is counted, and the server told when it asks."""

import re
from collections.abc import Callable

from .count import Counter

ENABLE = b"<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
ENABLED = re.compile(rb"(<enabled\b[^>]*>)|<failed\b.*?</failed>|<failed\b[^>]*/>")


class Acks:
    """Counts stanzas by how their tags begin, from ``<enabled`` on; no copies are unwrapped."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._head: bytes | None = b""  # before it is enabled
        self._stanzas = [Counter(tag) for tag in (b"<message ", b"<presence ", b"<iq ")]
        self._asked = Counter(b"<r ")

    @property
    def handled(self) -> int:
        return sum(each.total for each in self._stanzas)

    def feed(self, data: bytes) -> None:
        if self._head is not None:
            self._head, enabled, data = (self._head + data).partition(b"<enabled")
            if not enabled:
                return
            self._head = None
        for each in self._stanzas:
            each.feed(data)
        if self._asked.feed(data):
            self._write(b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % self.handled)
