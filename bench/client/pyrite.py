"""Our side of a figure."""

import asyncio
import sys
import time

from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.feature import Feature, MessageReceived
from pyrite.client.keeper import Entered
from pyrite.client.link import TcpLink
from pyrite.client.login import Resumable, Session
from pyrite.client.mod.muc import Muc
from pyrite.client.mod.roster import Roster
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.core.xml import Element, Name
from pyrite.wire.message import Body

from . import recorded


class Recorded(Client):
    """A client that is in a session from the beginning."""

    net: recorded.Net
    occupants = recorded.OCCUPANTS

    async def log_in(self, old: Resumable | None) -> Entered:
        link = TcpLink(None)

        def give(data: bytes) -> None:
            buffer = link.connection.get_buffer(len(data))
            buffer[: len(data)] = data
            link.connection.buffer_updated(len(data))

        self.net = recorded.Net(asyncio.get_running_loop(), give, self.occupants)
        link.connection.connection_made(self.net)  # type: ignore[arg-type]
        link.start()
        await asyncio.sleep(0)
        link.stream.open(to="bench.example")
        self.net.say(recorded.HEADER)
        await asyncio.sleep(0)
        return Session(JID.parse(recorded.JID), Element(Name("", "features")), "none"), link

    async def close(self) -> None:
        self._keeper._is_closing = True
        if self._keeper._link is not None:
            self._keeper._link._over("measured")  # type: ignore[attr-defined]
            self._keeper._link._running.cancel()  # type: ignore[attr-defined]
        await super().close()


def client(*features: type[Feature]) -> Recorded:
    return Recorded(recorded.JID, "", connector=Tcp(), features=features)


async def write() -> float:
    """Microseconds for each."""
    to = JID.parse("juliet@bench.example")
    begin = time.process_time()
    for number in range(recorded.MESSAGES):
        body = Body("What is said is neither long nor short.")
        Message("chat", to, id=f"m{number}").add(body).write().encode()
    return (time.process_time() - begin) / recorded.MESSAGES * 1e6


async def receive() -> float:
    """Microseconds for each."""
    done, octets, count = asyncio.Event(), recorded.messages(), 0
    async with client() as me:

        @me.on(MessageReceived)
        async def handle(event: MessageReceived) -> None:
            nonlocal count
            if event.message.body and event.message.sender is not None:
                count += 1
                if count == recorded.MESSAGES:
                    done.set()

        begin = time.process_time()
        me.net.say(octets)
        await done.wait()
        return (time.process_time() - begin) / recorded.MESSAGES * 1e6


async def roster(*, in_memory: bool) -> float:
    async with client() as me:
        await asyncio.sleep(0)
        before, begin = recorded.memory(), time.process_time()
        found = me[Roster]
        while len(found) < recorded.CONTACTS:  # noqa: ASYNC110
            await asyncio.sleep(0)
        took = time.process_time() - begin
        return recorded.memory() - before if in_memory else took * 1000


async def room(occupants: int, *, in_memory: bool) -> float:
    made = client(Muc)
    made.occupants = occupants
    async with made as me:
        await asyncio.sleep(0)
        before, begin = recorded.memory(), time.process_time()
        async with me[Muc].join(recorded.ROOM, recorded.NICK) as hall:
            while not hall.subject:  # noqa: ASYNC110
                await asyncio.sleep(0)
            took = time.process_time() - begin
            assert len(hall.occupants) == occupants
            return recorded.memory() - before if in_memory else took * 1000


async def main(scenario: str) -> float:
    match scenario:
        case "write":
            return await write()
        case "receive":
            return await receive()
        case "room-time":
            return await room(recorded.OCCUPANTS, in_memory=False)
        case "room-memory":
            return await room(recorded.CROWD, in_memory=True)
        case _:
            return await roster(in_memory=scenario == "roster-memory")


print(asyncio.run(main(sys.argv[1])))
