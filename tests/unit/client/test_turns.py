"""The loop is the program's: no step of connecting holds it for long."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE

import msgspec
import pytest
from aiohttp import web
from tests.peer import PASSWORD, PATIENCE
from tests.service import ROMEO, VERONA, Service, serving

from .test_connecting import Zone, srv

TURN = 5.0  # milliseconds of the processor that one turn of the loop may take
RUNS = 3  # of which the quietest counts: a machine with much to do takes longer for the same
ITERATIONS = 300_000  # which take some hundred milliseconds


async def run(way: str, port: int, folder: Path) -> tuple[list[str], list[str]]:
    """The turns that were too long, and what had to be waited for; see `holding`."""
    program = ("-m", "tests.unit.client.holding", way, str(port), str(folder), PASSWORD)
    process = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=PIPE)
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    assert process.returncode == 0
    found = json.loads(out)
    assert len(found["took"]) > 10, "nothing was measured"
    return [f"{ms:.1f} ms: {what}" for ms, what in found["took"] if ms > TURN], found["waited"]


async def check(way: str, port: int, folder: Path) -> None:
    slow: list[str] = []
    for _ in range(RUNS):
        slow, waited = await run(way, port, folder)
        assert "\n".join(waited) == ""
        if not slow:
            return
    assert slow == []


@pytest.mark.parametrize("way", ["starttls", "direct"])
async def test_connecting(tmp_path: Path, way: str) -> None:
    """With a password whose proof takes long, and a chat program's features."""
    async with serving(tmp_path) as service:
        await harden(service)
        port = service.server.listeners.ports["c2s-tls" if way == "direct" else "c2s"]
        await check(way, port, tmp_path)


async def test_connecting_where_records_say(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    transport, zone = await loop.create_datagram_endpoint(Zone, ("127.0.0.1", 0))
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    try:
        async with serving(tmp_path) as service:
            port = service.server.listeners.ports["c2s"]
            zone.records[f"_xmpp-client._tcp.{VERONA}"] = [srv(1, port)]
            await check("records", transport.get_extra_info("sockname")[1], tmp_path)
            assert f"_xmpp-client._tcp.{VERONA}" in zone.asked
    finally:
        transport.close()


@pytest.mark.parametrize("way", ["websocket", "bosh"])
async def test_connecting_by_the_web(tmp_path: Path, way: str) -> None:
    async with serving(tmp_path), on_the_web(tmp_path) as port:
        await check(way, port, tmp_path)


async def harden(service: Service) -> None:
    """Let the password be one of many iterations."""
    accounts = service.server.accounts
    accounts.settings = msgspec.structs.replace(accounts.settings, iterations=ITERATIONS)
    await accounts.set_password(ROMEO, PASSWORD)


@asynccontextmanager
async def on_the_web(folder: Path) -> AsyncIterator[int]:
    """A server that takes a WebSocket and says nothing; its port."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("xmpp",))
        await socket.prepare(request)
        await socket.receive()
        return socket

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
