"""Chatting clients: pairs that answer each message, and pairs that keep to a rate."""

import asyncio
import re
import time
from array import array
from collections.abc import Callable, Iterable
from functools import partial

from .client import Client
from .count import Counter
from .stream import LoadError

END = b"</message>"
BODY = ("The quick brown fox jumps over the lazy dog. " * 3)[:120]
STATE = "<active xmlns='http://jabber.org/protocol/chatstates'/>"
TICK = 0.001  # seconds between two looks at what is due
QUIET = 0.5  # seconds without a message after which no more are expected
STAMP = re.compile(rb"id=['\"]at-(\d+)['\"]")


def message(to: str, id: str) -> bytes:
    """A chat message with a body of 120 octets and a chat state."""
    text = f"<message to='{to}' type='chat' id='{id}'><body>{BODY}</body>{STATE}</message>"
    return text.encode()


class Chatter:
    """Answers each message with one, so that what is under way stays the same."""

    def __init__(self, client: Client, peer: Client, window: int) -> None:
        one = message(peer.jid, f"to-{peer.jid.partition('@')[0]}")
        self.counter = Counter(END)
        self.sent = 0
        self._answers = [one * n for n in range(2 * window + 1)]
        self._write = client.stream.write
        self._talks = True
        client.stream.receive = self.receive

    def start(self, window: int) -> None:
        """Put the first messages under way."""
        self._say(window)

    def stop(self) -> None:
        """Answer no more."""
        self._talks = False

    def receive(self, data: bytes) -> None:
        count = self.counter.feed(data)
        if count and self._talks:
            self._say(count)

    def _say(self, count: int) -> None:
        self.sent += count
        self._write(self._answers[count])


class Chat:
    """Clients in pairs, each with the same number of messages under way."""

    def __init__(self, clients: list[Client], window: int) -> None:
        self._chatters = [
            Chatter(mine, other, window)
            for mine, other in zip(clients, paired(clients), strict=True)
        ]
        self._window = window

    @property
    def received(self) -> int:
        return sum(each.counter.total for each in self._chatters)

    @property
    def lost(self) -> int:
        """How many were sent and have not arrived."""
        return sum(each.sent for each in self._chatters) - self.received

    def start(self) -> None:
        for each in self._chatters:
            each.start(self._window)

    async def stop(self) -> None:
        """Answer no more, and wait until nothing is under way any longer."""
        for each in self._chatters:
            each.stop()
        await quiet(lambda: self.lost)


class Paced:
    """Clients in pairs that together send at a rate; the id tells when each was sent."""

    def __init__(self, clients: list[Client], rate: int) -> None:
        self.sent = 0
        self.received = 0
        self.latencies = array("q")  # nanoseconds
        self._rate = rate
        self._senders = [
            (mine.stream.write, message(other.jid, "at-STAMP").partition(b"STAMP"))
            for mine, other in zip(clients, paired(clients), strict=True)
        ]
        self._rests = [b""] * len(clients)
        for number, client in enumerate(clients):
            client.stream.receive = partial(self._receive, number)

    def forget(self) -> None:
        """Drop what has been measured so far: it was the warm-up."""
        self.latencies = array("q")

    async def run(self, seconds: float) -> None:
        """Send at the rate for so long."""
        begin, sent = time.monotonic(), 0
        while (passed := time.monotonic() - begin) < seconds:
            for _ in range(int(passed * self._rate) - sent):
                self._send()
                sent += 1
            await asyncio.sleep(TICK)

    async def drain(self) -> None:
        """Wait until nothing is under way any longer."""
        await quiet(lambda: self.sent - self.received)

    def _send(self) -> None:
        write, (head, _, tail) = self._senders[self.sent % len(self._senders)]
        self.sent += 1
        write(head + str(time.monotonic_ns()).encode() + tail)

    def _receive(self, number: int, data: bytes) -> None:
        now = time.monotonic_ns()
        done, end, rest = (self._rests[number] + data).rpartition(END)
        self._rests[number] = rest
        if not end:
            return
        for stamp in STAMP.findall(done):
            self.received += 1
            self.latencies.append(now - int(stamp))


async def check(clients: Iterable[Client]) -> None:
    """Each client writes to itself; the message must come back whole and from it.

    Raises LoadError for a server that loses or changes what it must not.
    """
    for client in clients:
        client.stream.buffered()
        client.stream.write(message(client.jid, "check"))
        arrived = (await client.stream.until(re.compile(rb"<message.*?</message>", re.S)))[0]
        for part in (client.jid, "check", BODY, "http://jabber.org/protocol/chatstates"):
            if arrived.count(part.encode()) < 1 + (part == client.jid):
                raise LoadError(f"no {part!r} in {arrived!r}")


async def quiet(left: Callable[[], int]) -> None:
    """Wait until nothing is left, or that does not change any more."""
    before = -1
    while (now := left()) and now != before:
        before = now
        await asyncio.sleep(QUIET)


def paired(clients: list[Client]) -> list[Client]:
    """For each client the other of its pair."""
    return [clients[number ^ 1] for number in range(len(clients))]
