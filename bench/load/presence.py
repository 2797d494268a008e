"""One client's presence, seen by many subscribers."""

import asyncio
import re

from .client import AT_ONCE, Client
from .count import Counter
from .stream import ANSWER, LoadError

END = b"</presence>"
SUBSCRIBE = re.compile(rb"<presence\b(?=[^>]*\btype=['\"]subscribe['\"])")
STATES = [
    b"<presence><show>away</show><status>back at five</status></presence>",
    b"<presence><show>dnd</show><status>in a meeting</status></presence>",
]


async def befriend(client: Client, contacts: list[Client]) -> None:
    """Each contact subscribes to the client's presence, and the client agrees."""
    for some in (contacts[n : n + AT_ONCE] for n in range(0, len(contacts), AT_ONCE)):
        for contact in some:
            contact.stream.write(f"<presence to='{client.bare}' type='subscribe'/>".encode())
        for _ in some:
            await client.stream.until(SUBSCRIBE)
        for contact in some:
            client.stream.write(f"<presence to='{contact.bare}' type='subscribed'/>".encode())
        await client.sync()
    for contact in contacts:
        await contact.sync()


class Audience:
    """Counts the presence that reaches the subscribers, and toggles it when all have it."""

    def __init__(self, client: Client, contacts: list[Client]) -> None:
        self.received = 0
        self._client = client
        self._size = len(contacts)
        self._toggles = 0
        self._all = asyncio.Event()
        for contact in contacts:
            self._listen(contact)
        client.stream.receive = lambda _: None  # its own presence comes back to it too

    async def run(self, seconds: float) -> None:
        """Toggle as often as it fits. Raises LoadError when a subscriber is left out."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await self.toggle()

    async def toggle(self) -> None:
        """Change presence once, and wait until all have it."""
        self._all.clear()
        self._client.stream.write(STATES[self._toggles % len(STATES)])
        self._toggles += 1
        try:
            async with asyncio.timeout(ANSWER):
                await self._all.wait()
        except TimeoutError:
            missing = self._toggles * self._size - self.received
            raise LoadError(f"presence did not reach {missing} subscribers") from None

    def _listen(self, contact: Client) -> None:
        feed = Counter(END).feed

        def receive(data: bytes) -> None:
            self.received += feed(data)
            if self.received >= self._toggles * self._size:
                self._all.set()

        contact.stream.receive = receive
