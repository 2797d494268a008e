"""The page that Prometheus reads, and what else may come to its port."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.peer import PATIENCE

from pyrite.core.jid import JID
from pyrite.kit.config import Address
from pyrite.kit.meter import Meter
from pyrite.server import metrics
from pyrite.server.app import Server
from pyrite.server.settings import load

from ..service import ROMEO, VERONA, serving

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


async def answers(*requests: bytes) -> list[bytes]:
    """What each request is answered, on a connection of its own."""
    meter = Meter("pyrite_")
    meter.counter("messages", "Messages.").value = 3
    async with (
        asyncio.timeout(PATIENCE),
        metrics.serving([Address("127.0.0.1", 0)], meter) as (port,),
    ):
        return [await ask(port, request) for request in requests]


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    except ConnectionResetError:  # it was closed before all that we said had come
        return b""
    finally:
        writer.close()


async def test_numbers_are_read() -> None:
    (answer,) = await answers(GET)
    header, _, body = answer.partition(b"\r\n\r\n")
    assert header.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in header
    (family,) = text_string_to_metric_families(body.decode())
    assert [(one.name, one.value) for one in family.samples] == [("pyrite_messages_total", 3)]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics/../../etc HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"GET /metrics HTTP/2.0\r\n\r\n", b"400"),
        (b"<stream:stream>\r\n\r\n", b"400"),
        (b"\x16\x03\x01\r\n\r\n", b"400"),
        (b"x" * metrics.MAX_REQUEST, b"400"),
    ],
)
async def test_what_else_is_asked_is_refused(request_: bytes, status: bytes) -> None:
    (answer,) = await answers(request_)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"pyrite_messages_total" not in answer or request_.startswith(b"GET /metrics")


async def test_who_asks_slowly_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "ASKING", 0.01)
    assert await answers(b"GET /met") == [b""]


async def test_who_leaves_disturbs_nobody() -> None:
    meter = Meter()
    async with (
        asyncio.timeout(PATIENCE),
        metrics.serving([Address("127.0.0.1", 0)], meter) as (port,),
    ):
        for _ in range(3 * metrics.MAX_CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET")
            writer.transport.abort()
        assert (await ask(port, GET)).startswith(b"HTTP/1.1 200")


async def test_a_taken_address_is_named() -> None:
    async with metrics.serving([Address("127.0.0.1", 0)], Meter()) as (port,):
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: Address already"):
            async with metrics.serving([Address("127.0.0.1", port)], Meter()):
                raise AssertionError


async def test_without_an_address_nothing_is_listened_on() -> None:
    async with metrics.serving([], Meter()) as ports:
        assert ports == []


async def test_ipv6_is_served() -> None:
    async with asyncio.timeout(PATIENCE), metrics.serving([Address("::1", 0)], Meter()) as (port,):
        reader, writer = await asyncio.open_connection("::1", port)
        writer.write(GET)
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_server_counts_what_it_does(tmp_path: Path) -> None:
    (tmp_path / "pyrite.toml").write_text('data = "data"\n[host."verona.lit"]\nmodules = []\n')
    server = Server(load(tmp_path / "pyrite.toml", {}))
    async with server.opened():
        await server.bind(JID.parse("romeo@verona.lit"), "garden")
        numbers = {one.name: one.value for one in server.meter.samples()}
    assert (numbers["sessions"], numbers["hosts"], numbers["connections"]) == (1, 1, 0)
    assert numbers["resident_octets"] > 1e6
    assert numbers["cpu_seconds"] > 0
    assert {"store_writes", "store_groups", "store_failures"} <= numbers.keys()


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_what_clients_do_is_counted(tmp_path: Path) -> None:
    """And can be read by Prometheus, module by module and host by host."""
    limits = "connection-burst = 3\nconnection-rate = 0.001"
    auth = 'mechanisms = ["PLAIN"]'
    async with serving(tmp_path, clear=True, auth=auth, limits=limits) as service:
        romeo = await service.online(ROMEO, available=True)
        for to in ("romeo@verona.lit", "juliet@verona.lit", "x@elsewhere.lit"):
            await romeo.send(f"<message to='{to}' type='chat'><body>hi</body></message>")
        await romeo.send("<message to='@'/>")
        await romeo.barrier()
        other = await service.connect()
        await other.open(VERONA)
        await other.plain("romeo", "wrong")
        await other.auth("X-UNKNOWN")
        await other.send("<!-- -->")
        await other.ends_with("restricted-xml")
        for _ in range(2):
            peer = await service.connect()
        assert await peer.rest() == []
        text = service.server.meter.render().decode()
    seen = {
        one.name.removeprefix("pyrite_")
        + "".join(f" {value}" for _, value in sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }
    wanted = {
        "stanzas_received_total message": 3,
        "stanzas_received_total presence": 1,
        "stanzas_received_total iq": 2,  # by which the test waits
        "stanzas_refused_total remote-server-not-found message": 1,
        "stanzas_refused_total jid-malformed message": 1,
        "authentications_total PLAIN ok": 1,
        "authentications_total PLAIN not-authorized": 1,
        "authentications_total other invalid-mechanism": 1,
        "stream_errors_total restricted-xml": 1,
        "connections_accepted_total": 3,
        "connections_refused_total": 1,
        "offline_stored_total verona.lit": 1,
        "offline_stored_total mantua.lit": 0,
        "stanza_seconds_count": 1,
        "sessions": 1,
    }
    assert {name: seen.get(name) for name in wanted} == wanted
    assert seen["stanzas_delivered_total message"] >= 1
    assert seen["store_writes_total"] >= 1
