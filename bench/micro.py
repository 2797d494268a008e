"""``python -m bench.micro``: what the steps of a chat message cost, inside one process.

No sockets, no loop's turns and no peers: for seeing where time goes, not for comparing.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from pyrite.core.jid import JID
from pyrite.core.stanza import read
from pyrite.core.stream import Stream
from pyrite.core.xml import Element
from pyrite.server.app import Server
from pyrite.server.catalogue import Installed
from pyrite.server.session import Session
from pyrite.server.settings import load

from .load.chat import message

ROMEO, JULIET = JID.parse("romeo@bench.example/a"), JID.parse("juliet@bench.example/b")
HEADER = (
    b"<stream:stream xmlns='jabber:client' version='1.0' to='bench.example'"
    b" xmlns:stream='http://etherx.jabber.org/streams'>"
)
MESSAGE = message(str(JULIET), "m1")
BATCH = 8  # messages in one read, as in the chat scenario
SECONDS = 1.0  # of each step
SETTINGS = '[host."bench.example"]\n'


def parse() -> Callable[[], object]:
    """Bytes to elements."""
    stream, data = _stream(), MESSAGE * BATCH
    return lambda: stream.feed(data)


def stanzas() -> Callable[[], object]:
    """Elements to stanzas: addresses read from the cache."""
    elements = _elements()
    return lambda: [read(element) for element in elements]


def addresses() -> Callable[[], object]:
    """An address from its text, which is known already."""
    text = str(JULIET)
    return lambda: [JID.parse(text) for _ in range(BATCH)]


def new_addresses() -> Callable[[], object]:
    """An address from a text that is new: all of RFC 7622."""
    numbers: Iterator[int] = iter(range(sys.maxsize))
    return lambda: [JID.parse(f"user{next(numbers)}@bench.example/x") for _ in range(BATCH)]


def write() -> Callable[[], object]:
    """Stanzas to bytes."""
    elements, stream = _elements(), Stream()
    stream.open(sender="bench.example", id="x")

    def once() -> None:
        for element in elements:
            stream.send_stanza(read(element))
        stream.take()

    return once


def through(server: Server, romeo: Session, juliet: Session) -> Callable[[], Awaitable[None]]:
    """All of it: bytes of one client to bytes for another, every default module on."""
    inward, outward, data = _stream(), Stream(), MESSAGE * BATCH
    outward.open(sender="bench.example", id="x")

    async def once() -> None:
        for event in inward.feed(data):
            assert isinstance(event, Element)
            stanza = read(event)
            stanza.sender = romeo.jid
            romeo.handled += 1
            await server.router.receive(stanza, romeo)
            if romeo.debts is not None and romeo.debts.is_full:  # as `c2s` waits
                await romeo.debts.room()
        outward.send_text("".join([stanza.write() for stanza in juliet.take()]))
        assert outward.take().count(b"</message>") == BATCH

    return once


STEPS: dict[str, Callable[[], Callable[[], object]]] = {
    "parse": parse,
    "read the stanza": stanzas,
    "address, known": addresses,
    "address, new": new_addresses,
    "read and write": write,
}


async def main() -> None:
    """One JSON object a line: the step, and its CPU for one message."""
    for name, make in STEPS.items():
        _tell(name, _microseconds(make()))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        file = folder / "micro.toml"
        file.write_text(f'data = "{folder}/data"\n{SETTINGS}')
        server = Server(load(file, Installed()))
        await stack.enter_async_context(server.opened())
        for jid in (ROMEO, JULIET):  # the archive keeps what is theirs
            await server.accounts.create(jid.bare, "secret")
        bound = [await server.bind(jid.bare, jid.resource) for jid in (ROMEO, JULIET)]
        _tell("through the server", await _microseconds_of(through(server, *bound)))


def _stream() -> Stream:
    """A stream whose header has come."""
    stream = Stream()
    stream.feed(HEADER)
    return stream


def _elements() -> list[Element]:
    events = _stream().feed(MESSAGE * BATCH)
    return [event for event in events if isinstance(event, Element)]


def _microseconds(step: Callable[[], object]) -> float:
    begin, count = time.process_time(), 0
    while (used := time.process_time() - begin) < SECONDS:
        for _ in range(50):
            step()
        count += 50 * BATCH
    return used * 1e6 / count


async def _microseconds_of(step: Callable[[], Awaitable[None]]) -> float:
    begin, count = time.process_time(), 0
    while (used := time.process_time() - begin) < SECONDS:
        for _ in range(50):
            await step()
        count += 50 * BATCH
    return used * 1e6 / count


def _tell(step: str, microseconds: float) -> None:
    print(json.dumps({"step": step, "cpu_us_per_message": round(microseconds, 2)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
