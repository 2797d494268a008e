"""Chatting clients whose messages the server has to acknowledge before they send more."""

from __future__ import annotations

import time
from array import array
from collections import deque

from .acks import ASK
from .chat import END, message, paired, quiet
from .client import Client
from .count import Counter
from .stream import LoadError


class Writer:
    """Keeps the same number of messages unacknowledged, and asks with each that it sends.

    The client has just enabled acknowledgements, and has sent nothing since.
    """

    def __init__(self, client: Client, peer: Client, window: int, took: array[float]) -> None:
        acks = client.stream.acks
        if acks is None:
            raise LoadError("the clients have to acknowledge: --with sm")
        one = message(peer.jid, f"to-{peer.jid.partition('@')[0]}")
        self.counter = Counter(END)
        self.sent = self.acknowledged = 0
        self._bursts = [one * n + ASK for n in range(window + 1)]
        self._under_way: deque[tuple[int, float]] = deque()  # the last of a burst, and when
        self._took, self._talks, self._write = took, True, client.stream.write
        client.stream.receive = self._receive
        acks.on_answer = self._answer

    def start(self, window: int) -> None:
        """Put the first messages under way."""
        self._say(window)

    def stop(self) -> None:
        """Send no more."""
        self._talks = False

    def _receive(self, data: bytes) -> None:
        self.counter.feed(data)

    def _answer(self, handled: int) -> None:
        done = handled - self.acknowledged
        if done <= 0:
            return
        self.acknowledged += done
        now = time.monotonic()
        while self._under_way and self._under_way[0][0] <= self.acknowledged:
            self._took.append(now - self._under_way.popleft()[1])
        if self._talks:
            self._say(done)

    def _say(self, count: int) -> None:
        self.sent += count
        self._under_way.append((self.sent, time.monotonic()))
        self._write(self._bursts[count])


class KeptChat:
    """Clients in pairs, each with the same number of messages unacknowledged."""

    def __init__(self, clients: list[Client], window: int) -> None:
        self.took = array("d")  # seconds until a burst was acknowledged
        self._writers = [
            Writer(mine, other, window, self.took)
            for mine, other in zip(clients, paired(clients), strict=True)
        ]
        self._window = window

    @property
    def acknowledged(self) -> int:
        return sum(each.acknowledged for each in self._writers)

    @property
    def lost(self) -> int:
        """How many were sent and not acknowledged, or have not arrived."""
        sent = sum(each.sent for each in self._writers)
        received = sum(each.counter.total for each in self._writers)
        return sent - min(self.acknowledged, received)

    def start(self) -> None:
        for each in self._writers:
            each.start(self._window)

    async def stop(self) -> None:
        """Send no more, and wait until nothing is under way any longer."""
        for each in self._writers:
            each.stop()
        await quiet(lambda: self.lost)
