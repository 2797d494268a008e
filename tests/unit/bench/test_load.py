"""The load generator against a server that only echoes, plain and through TLS."""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from bench import certificate
from bench.load import stream as streams
from bench.load.chat import Chat, Paced, check, message, paired
from bench.load.client import Client
from bench.load.stream import LoadError, Stream, TLSStream
from tests.peer import PATIENCE

DOMAIN = "bench.example"
NOTE = re.compile(rb"note(\d)")


class Relay(asyncio.Protocol):
    """Gives a connection's bytes to the other of its pair, or back to itself."""

    def __init__(
        self, peers: list["Relay"], accepted: asyncio.Queue["Relay"], *, alone: bool
    ) -> None:
        self._peers, self._accepted, self._alone = peers, accepted, alone
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._peers.append(self)
        self._accepted.put_nowait(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        number = self._peers.index(self)
        peer = self if self._alone else self._peers[number ^ 1]
        peer.transport.write(data)


@asynccontextmanager
async def relay(
    kind: type[Stream], count: int, folder: Path, *, alone: bool
) -> AsyncIterator[list[Client]]:
    context = None
    if kind is TLSStream:
        certificate.write(DOMAIN, folder / "cert.pem", folder / "key.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    accepted = asyncio.Queue[Relay]()
    loop, peers, clients = asyncio.get_running_loop(), list[Relay](), list[Client]()
    server = await loop.create_server(
        lambda: Relay(peers, accepted, alone=alone), "127.0.0.1", 0, ssl=context
    )
    port = server.sockets[0].getsockname()[1]
    try:
        for number in range(count):
            _, stream = await loop.create_connection(kind, "127.0.0.1", port)
            await stream.ready()
            await accepted.get()
            clients.append(Client(stream, f"user{number}@{DOMAIN}/bench", DOMAIN))
        yield clients
    finally:
        for client, peer in zip(clients, peers, strict=True):
            client.stream.close()
            await client.stream.closed
            await peer.lost.wait()
        server.close()


@pytest.fixture(params=[Stream, TLSStream])
def kind(request: pytest.FixtureRequest) -> type[Stream]:
    chosen: type[Stream] = request.param
    return chosen


async def test_until_takes_what_matches_and_keeps_the_rest(
    kind: type[Stream], tmp_path: Path
) -> None:
    async with relay(kind, 1, tmp_path, alone=True) as [client]:
        client.stream.write(b"note1 note2 ")
        assert (await client.stream.until(NOTE))[1] == b"1"
        assert (await client.stream.until(NOTE))[1] == b"2"
        assert client.stream.cipher.startswith("TLSv1.3") == (kind is TLSStream)


async def test_much_arrives_whole(kind: type[Stream], tmp_path: Path) -> None:
    async with relay(kind, 1, tmp_path, alone=True) as [client]:
        arrived, full = bytearray(), asyncio.Event()

        def receive(data: bytes) -> None:
            arrived.extend(data)
            if len(arrived) >= 300_000:
                full.set()

        client.stream.receive = receive
        client.stream.write(b"0123456789" * 30_000)
        async with asyncio.timeout(PATIENCE):
            await full.wait()
        assert bytes(arrived) == b"0123456789" * 30_000


async def test_silence_is_an_error(
    kind: type[Stream], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ANSWER", 0.05)
    async with relay(kind, 1, tmp_path, alone=True) as [client]:
        client.stream.write(b"other")
        with pytest.raises(LoadError, match="no b'note"):
            await client.stream.until(NOTE)


async def test_a_chat_keeps_its_window_and_loses_nothing(
    kind: type[Stream], tmp_path: Path
) -> None:
    async with relay(kind, 4, tmp_path, alone=False) as clients:
        chat = Chat(clients, 3)
        chat.start()
        async with asyncio.timeout(PATIENCE):
            while chat.received < 500:
                assert chat.lost <= 4 * 3
                await asyncio.sleep(0)
        await chat.stop()
        assert chat.lost == 0
        assert chat.received >= 500


async def test_paced_messages_know_when_they_were_sent(kind: type[Stream], tmp_path: Path) -> None:
    async with relay(kind, 2, tmp_path, alone=False) as clients:
        paced, began = Paced(clients, 1000), time.monotonic_ns()
        await paced.run(0.2)
        await paced.drain()
        assert paced.received == paced.sent == len(paced.latencies)
        assert 0 < paced.sent <= 200
        assert all(0 < took < time.monotonic_ns() - began for took in paced.latencies)
        paced.forget()
        assert not paced.latencies


async def test_a_server_that_only_echoes_is_found_out(tmp_path: Path) -> None:
    async with relay(Stream, 1, tmp_path, alone=True) as clients:
        with pytest.raises(LoadError, match="no 'user0@bench"):  # it does not stamp `from`
            await check(clients)


def test_a_message_has_a_body_of_120_octets() -> None:
    body = re.search(rb"<body>(.*)</body>", message("a@b/c", "1"))
    assert body is not None
    assert len(body[1]) == 120


def test_pairs() -> None:
    assert paired(list("abcd")) == list("badc")  # type: ignore[arg-type]
