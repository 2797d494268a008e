"""Sessions whose connections all break at once, and go on (XEP-0198 §5)."""

import asyncio
import re
from dataclasses import replace

from .acks import Acks, enable, resume
from .chat import message
from .client import AT_ONCE, Client, Target, authenticated
from .stream import LoadError

MISSED = re.compile(rb"<message\b[^>]*\bid=['\"]missed['\"].*?</message>", re.S)


class Resumable:
    """A session with the id by which it is resumed, on one connection after the other."""

    def __init__(self, target: Target, user: str, transport: str, client: Client) -> None:
        self.client = client
        self._target, self._user, self._transport = target, user, transport
        self._id = b""

    async def enable(self) -> None:
        """Have the server keep the session. Raises LoadError."""
        self._id = await enable(self.client.stream)

    @property
    def _acks(self) -> Acks:
        if self.client.stream.acks is None:
            raise LoadError("not enabled")
        return self.client.stream.acks

    async def cut(self) -> None:
        """Let the connection break without a word."""
        self.client.stream.abort()
        await self.client.stream.closed

    async def resume(self) -> None:
        """Go on with a new connection, and get what was missed. Raises LoadError."""
        async with authenticated(self._target, self._user, self._transport) as stream:
            await resume(stream, self._acks, self._id)
            await stream.until(MISSED)
        self.client = replace(self.client, stream=stream)


async def write_to(client: Client, sessions: list[Resumable]) -> None:
    """What each of them misses: a message."""
    for some in (sessions[n : n + AT_ONCE] for n in range(0, len(sessions), AT_ONCE)):
        client.stream.write(b"".join(message(each.client.jid, "missed") for each in some))
        await client.sync()


async def resume_all(sessions: list[Resumable], at_once: int) -> None:
    """All of them, so many at a time. Raises LoadError if one is not taken back."""
    gate = asyncio.Semaphore(at_once)

    async def one(session: Resumable) -> None:
        async with gate:
            await session.resume()

    async with asyncio.TaskGroup() as tasks:
        for session in sessions:
            tasks.create_task(one(session))
