"""Stream management (XEP-0198): both sides count what they have handled, and say so when asked."""

import re
from collections.abc import Callable

from .stream import LoadError, Stream

ENABLE = b"<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
ENABLED = re.compile(rb"(<enabled\b[^>]*>)|<failed\b.*?</failed>|<failed\b[^>]*/>")
RESUMED = re.compile(rb"(<resumed\b[^>]*>)|<failed\b.*?</failed>|<failed\b[^>]*/>")
ASK = b"<r xmlns='urn:xmpp:sm:3'/>"
STANZAS = (b"<message ", b"<presence ", b"<iq ")
ANSWER = re.compile(rb"<a\b[^>]*\bh=['\"](\d+)['\"]")
ID = re.compile(rb"\bid=['\"]([^'\"]+)['\"]")


class Acks:
    """Counts stanzas by how their tags begin, from ``<enabled`` on; no copies are unwrapped.

    `on_answer` is told how many of ours the server has handled, as often as it says so.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.handled = 0  # the server's stanzas
        self.answered = 0  # what the server says of ours
        self.on_answer: Callable[[int], None] = _ignore
        self._write = write
        self._begin = b"<enabled"
        self._counts = False  # whether the stream has come so far
        self._rest = b""  # a tag that is not complete yet

    def go_on(self, write: Callable[[bytes], None]) -> None:
        """On another stream, from ``<resumed`` on."""
        self._write, self._begin = write, b"<resumed"
        self._counts, self._rest = False, b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        end = data.rfind(b"<")
        if end < 0 or data.find(b">", end) >= 0:
            end = len(data)
        data, self._rest = data[:end], data[end:]
        if not self._counts:
            _, begin, data = data.partition(self._begin)
            self._counts = bool(begin)
        if data and self._counts:
            self._count(data)

    def _count(self, data: bytes) -> None:
        for tag in STANZAS:
            self.handled += data.count(tag)
        if b"<r " in data:
            self._write(b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % self.handled)
        for answer in ANSWER.findall(data):
            self.answered = int(answer)
            self.on_answer(self.answered)


async def enable(stream: Stream) -> bytes:
    """Acknowledgements from now on; the id by which the session is resumed. Raises LoadError."""
    stream.acks = Acks(stream.write)
    stream.write(ENABLE)
    answer = await stream.until(ENABLED)
    id = ID.search(answer[1] or b"")
    if id is None:
        raise LoadError(f"no acknowledgements: {answer[0]!r}")
    return id[1]


async def resume(stream: Stream, acks: Acks, id: bytes) -> None:
    """Go on with a session on another stream, which has authenticated. Raises LoadError."""
    acks.go_on(stream.write)
    stream.acks = acks
    stream.write(b"<resume xmlns='urn:xmpp:sm:3' h='%d' previd='%s'/>" % (acks.handled, id))
    if (answer := await stream.until(RESUMED))[1] is None:
        raise LoadError(f"not resumed: {answer[0]!r}")


def _ignore(_: int) -> None:
    pass
