"""Attack 5: clients that take all the time there is, in each phase before they are bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.service import NS_SASL, NS_TLS, VERONA, Client, Service, serving

from pyrite.net.flow import Flow

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

SOON = 0.1  # seconds
HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    b" xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='verona.lit'>"
)


async def silent(service: Service) -> tuple[Client, bytes]:
    return await service.connect(), b""


async def header(service: Service) -> tuple[Client, bytes]:
    return await service.connect(), HEADER


async def white_space(service: Service) -> tuple[Client, bytes]:
    client = await service.connect()
    await client.open(VERONA)
    return client, b" " * 1000


async def element(service: Service) -> tuple[Client, bytes]:
    client = await service.connect()
    await client.open(VERONA)
    return client, f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{'A' * 5000}</auth>".encode()


async def after_tls(service: Service) -> tuple[Client, bytes]:
    return await service.secured(), b" " * 1000


async def amid_an_exchange(service: Service) -> tuple[Client, bytes]:
    client = await service.secured()
    await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
    return client, b" " * 1000


async def before_binding(service: Service) -> tuple[Client, bytes]:
    client = await service.secured()
    await client.scram("romeo")
    await client.open(VERONA)
    return client, b" " * 1000


BEGINNINGS: list[Callable[[Service], Awaitable[tuple[Client, bytes]]]] = [
    silent, header, white_space, element, after_tls, amid_an_exchange, before_binding,
]  # fmt: skip


class Deadlines:
    """The one of each connection; they come when the test says so.

    How far a client gets within any number of seconds would be a matter of the machine.
    """

    def __init__(self) -> None:
        self._set_deadline = Flow.set_deadline
        self._known: dict[Flow, Callable[[], None] | None] = {}

    def note(
        self, connection: Flow, seconds: float, on_expiry: Callable[[], None] | None = None
    ) -> None:
        assert connection not in self._known, "more time for who is slow"
        self._known[connection] = on_expiry
        self._set_deadline(connection, seconds, on_expiry)

    def come(self) -> None:
        for connection, on_expiry in self._known.items():
            self._set_deadline(connection, SOON, on_expiry)


@pytest.fixture
def deadlines(monkeypatch: pytest.MonkeyPatch) -> Deadlines:
    known = Deadlines()
    monkeypatch.setattr(Flow, "set_deadline", lambda *args: known.note(*args))
    return known


async def drip(client: Client, drops: bytes) -> None:
    """Octet by octet, for as long as the server listens."""
    for octet in drops:
        await asyncio.sleep(0.02)
        if client.writer.transport.is_closing():
            return
        with suppress(ConnectionError):
            await client.write(bytes((octet,)))
    assert not drops, "the server has waited for all of it"


async def test_slow_streams(tmp_path: Path, deadlines: Deadlines) -> None:
    """An octet now and then does not buy more time, however far a client has come."""
    async with serving(tmp_path) as service:
        slow = [await begin(service) for begin in BEGINNINGS]
        deadlines.come()
        async with asyncio.TaskGroup() as dripping:
            for client, drops in slow:
                dripping.create_task(drip(client, drops))
            for client, _ in slow:
                await client.ends_with("connection-timeout")
        await service.until_alone()


HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300)


async def test_handshakes_that_stall(tmp_path: Path, deadlines: Deadlines) -> None:
    """Nothing, or a bit of a handshake, behind STARTTLS and with direct TLS."""
    async with serving(tmp_path) as service:
        slow: list[tuple[Client, bytes]] = []
        for drops in (b"", HELLO):
            port = service.server.listeners.ports["c2s-tls"]
            direct = Client(*await asyncio.open_connection("127.0.0.1", port))
            service.peers.append(direct)
            client = await service.connect()
            await client.open(VERONA)
            await client.ask(f"<starttls xmlns='{NS_TLS}'/>")
            slow += [(direct, drops), (client, drops)]
        deadlines.come()
        async with asyncio.TaskGroup() as dripping:
            for client, drops in slow:
                dripping.create_task(drip(client, drops))
            for client, _ in slow:
                assert await client.rest() == []
                client.writer.close()
        await service.until_alone()


async def test_many_slow_ones_hold_up_nobody(tmp_path: Path) -> None:
    """They are all still there when another is served."""
    async with serving(tmp_path) as service:
        for _ in range(100):
            await (await service.connect()).write(HEADER[:50])
        client = await service.secured()
        assert (await client.scram("romeo")).name.tag == "success"
        assert len(service.server.listeners.connections) == 101
