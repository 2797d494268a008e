"""Attack 6: too many connections, and TLS as it was never safe."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import NS_TLS, VERONA, Client, old_client, serving, until

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


async def knock(port: int) -> bool:
    """Whether a connection is served: it gets a header for its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            b"<stream:stream xmlns='jabber:client' to='verona.lit' version='1.0'"
            b" xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        async with asyncio.timeout(PATIENCE):
            return bool(await reader.read(100))
    except ConnectionError:
        return False
    finally:
        writer.transport.abort()


async def test_connections_come_no_faster_than_allowed(tmp_path: Path) -> None:
    limits = "connection-rate = 0.001\nconnection-burst = 40"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        other = await service.online("romeo@verona.lit/a")
        served = await asyncio.gather(*(knock(service.port) for _ in range(300)))
        assert served.count(True) == 39
        await other.is_served()
        await service.until_alone(1)


@pytest.mark.parametrize("key", ["connections", "connections-per-address"])
async def test_no_more_connections_than_allowed(key: str, tmp_path: Path) -> None:
    limits = f"{key} = 20\nconnection-burst = 1000"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        other = await service.online("romeo@verona.lit/a")
        for _ in range(19):
            await (await service.connect()).open(VERONA)
        assert await asyncio.gather(*(knock(service.port) for _ in range(200))) == [False] * 200
        assert len(service.server.listeners.connections) == 20
        await other.is_served()
        gone = service.peers.pop()
        await gone.abort()
        await service.until_alone(19)
        assert await knock(service.port)


async def test_connections_that_come_and_go_leave_nothing(tmp_path: Path) -> None:
    limits = "connection-rate = 100000.0\nconnection-burst = 100000"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        for _ in range(5):
            assert all(await asyncio.gather(*(knock(service.port) for _ in range(100))))
        await service.until_alone()
        assert len(service.server.scope) <= 5


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_old_tls_is_refused(version: ssl.TLSVersion, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        with pytest.raises(OSError):
            await handshake(service.server.listeners.ports["c2s-tls"], old_client(version))
        await service.until_alone()


@pytest.mark.parametrize(
    "ciphers", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256", "eNULL", "aNULL"]
)
async def test_weak_ciphers_are_refused(ciphers: str, tmp_path: Path) -> None:
    """Forward secrecy and authenticated encryption, or nothing (RFC 9325 §4.2)."""
    async with serving(tmp_path) as service:
        old = old_client(ssl.TLSVersion.TLSv1_2, ciphers)
        with pytest.raises(OSError):
            await handshake(service.server.listeners.ports["c2s-tls"], old)
        await service.until_alone()


async def handshake(port: int, context: ssl.SSLContext) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.transport.abort()


async def test_broken_handshakes_are_no_news(tmp_path: Path) -> None:
    """Hundreds of them: nothing is logged that an operator would have to read."""
    async with serving(tmp_path, limits="connection-burst = 10000") as service:
        other = await service.secured()

        async def bother(number: int) -> None:
            client = Client(*await asyncio.open_connection("127.0.0.1", service.port))
            await client.open(VERONA)
            await client.ask(f"<starttls xmlns='{NS_TLS}'/>")
            client.writer.write(bytes((number % 256,)) * number)
            client.writer.transport.abort()

        await asyncio.gather(*(bother(number) for number in range(200)))
        await until(lambda: len(service.server.listeners.connections) == 1)
        assert (await other.scram("romeo")).name.tag == "success"


async def test_handshakes_in_a_crowd(tmp_path: Path) -> None:
    async with serving(tmp_path, limits="connection-burst = 10000") as service:
        clients = await asyncio.gather(*(service.secured() for _ in range(50)))
        assert all(client.mechanisms for client in clients)
