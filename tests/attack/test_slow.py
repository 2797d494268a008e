"""Attack 5: clients that take all the time there is, in each phase before they are bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.service import NS_SASL, NS_TLS, VERONA, Client, Service, serving

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

LIMITS = "negotiation = '300ms'"
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


@pytest.mark.parametrize(
    "begin", [silent, header, white_space, element, after_tls, amid_an_exchange, before_binding]
)
async def test_slow_streams(
    begin: Callable[[Service], Awaitable[tuple[Client, bytes]]], tmp_path: Path
) -> None:
    """An octet now and then does not buy more time."""
    async with serving(tmp_path, limits=LIMITS) as service:
        began = time.monotonic()
        client, drops = await begin(service)

        async def drip() -> None:
            for octet in drops:
                await client.write(bytes((octet,)))
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        await client.ends_with("connection-timeout")
        assert time.monotonic() - began < 3
        dripping.cancel()
        await service.until_alone()


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize(
    "drops", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300)]
)
async def test_handshakes_that_stall(drops: bytes, direct: bool, tmp_path: Path) -> None:
    async with serving(tmp_path, limits=LIMITS) as service:
        if direct:
            port = service.server.listeners.ports["c2s-tls"]
            client = Client(*await asyncio.open_connection("127.0.0.1", port))
            service.peers.append(client)
        else:
            client = await service.connect()
            await client.open(VERONA)
            await client.ask(f"<starttls xmlns='{NS_TLS}'/>")

        async def drip() -> None:
            for octet in drops:
                await client.write(bytes((octet,)))
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        assert await client.rest() == []
        dripping.cancel()
        client.writer.close()
        await service.until_alone()


async def test_many_slow_ones_hold_up_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path, limits="negotiation = '2s'") as service:
        for _ in range(100):
            await (await service.connect()).write(HEADER[:50])
        began = time.monotonic()
        client = await service.secured()
        assert (await client.scram("romeo")).name.tag == "success"
        assert time.monotonic() - began < 1.5
