"""Both ends of a connection, for tests: certificates, TLS in memory, and a peer that records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from pyrite.kit.rate import Limit
from pyrite.net.connection import BATCH, Connection, connect
from pyrite.net.listener import Gate, Limits, listening
from pyrite.net.tls import Backend, Identity, TlsContext, TlsError, TlsSession

LIMIT = 20.0  # seconds that a test may wait for what must come, on a busy machine
BACKENDS = [Backend.PYOPENSSL, Backend.STDLIB]
PAIRS = [(server, client) for server in BACKENDS for client in BACKENDS]
PAIR_IDS = [f"{server.value}-{client.value}" for server, client in PAIRS]
FREELY = Limits(100_000, 100_000, Limit(1e6, 1e6))


@dataclass(frozen=True)
class Files:
    """An authority, and what it has issued."""

    folder: Path
    authority: trustme.CA = field(
        default_factory=lambda: trustme.CA(key_type=trustme.KeyType.ECDSA)
    )

    @property
    def authorities(self) -> Path:
        path = self.folder / "authority.pem"
        self.authority.cert_pem.write_to_path(path)
        return path

    def issue(self, *names: str, file: str = "", **options: Any) -> Identity:
        issued = self.authority.issue_cert(*names, key_type=trustme.KeyType.ECDSA, **options)
        file = file or names[0]
        identity = Identity(self.folder / f"{file}.crt", self.folder / f"{file}.key")
        issued.private_key_pem.write_to_path(identity.key)
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        identity.certificate.write_bytes(chain)
        return identity


class Wire:
    """Two TLS sessions and nothing between them but lists of bytes."""

    def __init__(self, server: TlsSession, client: TlsSession, *, piece: int = 0) -> None:
        self.server, self.client = server, client
        self.piece = piece  # octets given at once; 0: all there are
        self.got: dict[TlsSession, bytes] = {server: b"", client: b""}

    def carry(self) -> None:
        """Until neither has anything to say. Raises what `receive` raises."""
        while any([self._give(self.client, self.server), self._give(self.server, self.client)]):
            pass

    def _give(self, giver: TlsSession, taker: TlsSession) -> bool:
        data = giver.take()
        for start in range(0, len(data), self.piece or len(data) or 1):
            self.got[taker] += taker.receive(data[start : start + (self.piece or len(data))])
        return bool(data)

    def say(self, giver: TlsSession, plaintext: bytes) -> bytes:
        """What the other end makes of it."""
        taker = self.server if giver is self.client else self.client
        ciphertext = giver.send(plaintext)
        step = self.piece or len(ciphertext)
        pieces = [ciphertext[start : start + step] for start in range(0, len(ciphertext), step)]
        return b"".join(taker.receive(piece) for piece in pieces)


def shake_hands(server: TlsContext, client: TlsContext, *, piece: int = 0) -> Wire:
    wire = Wire(server.session(), client.session(), piece=piece)
    wire.carry()
    return wire


Script = Callable[["End", bytes], Coroutine[Any, Any, None]]


async def _nothing(end: End, event: bytes) -> None:
    return


class End:
    """The owner of one connection: what it reads are events, what it says is written.

    `script` is run for each event; what it `say`s is written.
    """

    def __init__(
        self,
        script: Script = _nothing,
        *,
        feed: Callable[[bytes], list[bytes]] = lambda data: [data],
        tls: TlsContext | None = None,
        rate: Limit | None = None,
    ) -> None:
        self.script = script
        self.events: list[bytes] = []
        self.queue: list[bytes] = []
        self.fills = 0
        self.changed = asyncio.Event()
        self.connection: Connection[bytes] = Connection(
            feed, self._handle, self._fill, tls=tls, rate=rate
        )
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        self.task = asyncio.current_task()
        try:
            await self.connection.run()
        finally:
            self.changed.set()

    def say(self, data: bytes) -> None:
        self.queue.append(data)
        self.connection.wake()

    async def until(self, is_there: Callable[[], bool]) -> None:
        """Wait until `is_there` holds, looking whenever something was read."""
        async with asyncio.timeout(LIMIT):
            while not is_there():
                self.changed.clear()
                await self.changed.wait()

    async def read(self, size: int) -> bytes:
        """Wait for `size` octets in all; gives all there are."""
        await self.until(lambda: sum(map(len, self.events)) >= size)
        return b"".join(self.events)

    async def _handle(self, event: bytes) -> None:
        self.events.append(event)
        self.changed.set()
        await self.script(self, event)

    def _fill(self) -> bytes:
        self.fills += 1
        data = b""
        while self.queue and len(data) < BATCH:
            data += self.queue.pop(0)
        return data


@asynccontextmanager
async def serving(
    make: Callable[[], End], *, gate: Gate | None = None, stop: float = 1.0
) -> AsyncIterator[tuple[int, list[End]]]:
    """A listener on a free port; gives the port, and the list of its ends as they come."""
    ends: list[End] = []

    def accept() -> End:
        ends.append(make())
        return ends[-1]

    async with listening(accept, "127.0.0.1", gate=gate or Gate(FREELY), stop=stop) as port:
        yield port, ends


@asynccontextmanager
async def running(end: End, port: int) -> AsyncIterator[End]:
    """`end` connected to `port`, and run; closed at last."""
    await connect(end.connection, "127.0.0.1", port, within=LIMIT)
    task = asyncio.create_task(end.run())
    try:
        yield end
    finally:
        end.connection.close()
        await asyncio.wait([task], timeout=LIMIT)
        if not task.done():
            task.cancel()
            raise TimeoutError("the connection did not end")
        task.result()


def reason_of(error: BaseException | None) -> str:
    assert isinstance(error, TlsError), error
    return str(error)


async def eventually(is_there: Callable[[], object]) -> None:
    """For what happens in another task of this loop, and tells nobody."""
    async with asyncio.timeout(LIMIT):
        while not is_there():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)
