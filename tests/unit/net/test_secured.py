"""Connections over TLS: direct and STARTTLS, both back ends, over real sockets."""

import asyncio
import ssl
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.net import flow
from pyrite.net.connection import ConnectionEndedError, connect
from pyrite.net.tls import (
    Backend,
    ClientTls,
    Identity,
    ServerTls,
    TlsContext,
    TlsError,
    client_context,
    server_context,
)

from .ends import BACKENDS, LIMIT, PAIR_IDS, PAIRS, End, Files, eventually, running, serving

each_pair = pytest.mark.parametrize(("server", "client"), PAIRS, ids=PAIR_IDS)
each_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(scope="session")
def verona(files: Files) -> Identity:
    return files.issue("verona.example", "localhost")


def serve(identity: Identity, backend: Backend, **options: Any) -> TlsContext:
    return server_context(ServerTls(identity, **options), backend)


def trusting(files: Files, backend: Backend, domain: str = "verona.example") -> TlsContext:
    return client_context(ClientTls(domain, authorities=files.authorities), backend)


async def echo(end: End, event: bytes) -> None:
    end.say(event)


@each_pair
async def test_direct_tls(files: Files, verona: Identity, server: Backend, client: Backend) -> None:
    ours, theirs = serve(verona, server), trusting(files, client)
    async with (
        serving(lambda: End(echo, tls=ours)) as (port, ends),
        running(End(tls=theirs), port) as end,
    ):
        for size in (1, 200, 100_000):
            end.events.clear()
            end.queue.append(b"x" * size)
            end.connection.wake()
            assert await end.read(size) == b"x" * size
        bindings = [each.connection.tls.channel_bindings() for each in (ends[0], end)]  # type: ignore[union-attr]
        name = "tls-server-end-point"
        assert bindings[0][name] == bindings[1][name]
    await eventually(lambda: ends[0].connection._is_lost)
    assert ends[0].connection.error is end.connection.error is None


@each_pair
async def test_starttls(files: Files, verona: Identity, server: Backend, client: Backend) -> None:
    ours, theirs = serve(verona, server), trusting(files, client)

    async def upgrade(end: End, event: bytes) -> None:
        if event == b"starttls":
            end.queue.append(b"proceed")
            end.connection.start_tls(ours)
        else:
            end.say(b"heard " + event)

    async def proceed(end: End, event: bytes) -> None:
        if event == b"proceed":
            end.connection.start_tls(theirs)
            end.say(b"hello")  # waits for the handshake

    async with serving(lambda: End(upgrade)) as (port, ends), running(End(proceed), port) as end:
        end.say(b"starttls")
        assert await end.read(18) == b"proceedheard hello"
        assert end.connection.tls is not None
        assert end.connection.tls.version == "TLSv1.3"
        assert ends[0].events == [b"starttls", b"hello"]


@each_backend
@pytest.mark.parametrize("waits", [False, True])
async def test_what_is_sent_ahead_of_tls_is_dropped(
    files: Files, verona: Identity, backend: Backend, waits: bool
) -> None:
    """RFC 6120 §5.4.3.3: an attacker on the way may have put it there."""
    context = serve(verona, backend)

    async def upgrade(end: End, event: bytes) -> None:
        if event == b"starttls":
            if waits:
                await asyncio.sleep(0.01)
            end.queue.append(b"proceed")
            end.connection.start_tls(context)

    async with serving(lambda: End(upgrade, feed=lambda data: data.splitlines())) as (port, ends):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"starttls\ninjected\nmore\n")
        assert await asyncio.wait_for(reader.readexactly(7), LIMIT) == b"proceed"
        plain = ssl.create_default_context(cafile=files.authorities)
        async with asyncio.timeout(LIMIT):
            await writer.start_tls(plain, server_hostname="verona.example")
            writer.write(b"secret\n")
        await ends[0].until(lambda: b"secret" in ends[0].events)
        assert ends[0].events == [b"starttls", b"secret"]
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), LIMIT)


@each_backend
async def test_what_follows_in_plain_text_is_refused(verona: Identity, backend: Backend) -> None:
    context = serve(verona, backend)

    async def upgrade(end: End, event: bytes) -> None:
        end.queue.append(b"proceed")
        end.connection.start_tls(context)

    async with serving(lambda: End(upgrade)) as (port, ends):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"starttls")
        assert await asyncio.wait_for(reader.readexactly(7), LIMIT) == b"proceed"
        writer.write(b"<message>not encrypted</message>")
        await asyncio.wait_for(reader.read(), LIMIT)
        assert ends[0].events == [b"starttls"]
        assert isinstance(ends[0].connection.error, TlsError)
        writer.close()


@each_backend
async def test_one_octet_at_a_time(files: Files, verona: Identity, backend: Backend) -> None:
    context, theirs = serve(verona, backend), trusting(files, backend)
    session = theirs.session()
    async with serving(lambda: End(echo, tls=context)) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        got = b""
        async with asyncio.timeout(LIMIT):
            outgoing = session.take()
            while got != b"hello":
                for octet in outgoing:
                    writer.write(bytes((octet,)))
                    await asyncio.sleep(0)
                was_done = session.handshake_done
                got += session.receive(await reader.read(1))
                outgoing = session.take()
                if session.handshake_done and not was_done:
                    outgoing += session.send(b"hello")
        writer.close()


@each_backend
@settings(max_examples=15, deadline=None)
@given(after=st.integers(0, 2500), is_reset=st.booleans())
def test_a_handshake_cut_off_anywhere(
    files: Files, verona: Identity, backend: Backend, after: int, is_reset: bool
) -> None:
    """The connection ends, in silence; nothing hangs."""

    async def cut() -> None:
        context, session = serve(verona, backend), trusting(files, backend).session()
        async with serving(lambda: End(tls=context)) as (port, ends):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            left = after
            while left > 0 and not session.handshake_done:
                data = session.take()[:left]
                left -= len(data)
                writer.write(data)
                if not left or not data:
                    break
                session.receive(await asyncio.wait_for(reader.read(16384), LIMIT))
            if is_reset:
                writer.transport.abort()
            else:
                writer.close()
            await eventually(lambda: ends and ends[0].connection._is_lost)
            assert ends[0].events == []

    asyncio.run(cut())


@each_backend
@pytest.mark.parametrize(
    "rubbish", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(99)]
)
async def test_rubbish_instead_of_a_hello(
    verona: Identity, backend: Backend, rubbish: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    context = serve(verona, backend)
    async with serving(lambda: End(tls=context)) as (port, ends):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(rubbish)
        await asyncio.wait_for(reader.read(), LIMIT)
        writer.close()
        await eventually(lambda: ends[0].connection._is_lost)
        assert isinstance(ends[0].connection.error, TlsError)
    assert not [record for record in caplog.records if record.name.startswith("pyrite")]


async def test_a_deadline_covers_the_handshake(verona: Identity) -> None:
    context = serve(verona, Backend.PYOPENSSL)

    class Slow(End):
        async def run(self) -> None:
            self.connection.set_deadline(0.1, self.connection.close)
            await super().run()

    async with serving(lambda: Slow(tls=context)) as (port, ends):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(LIMIT):
            hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
            while not (ends and ends[0].connection.is_closing):
                writer.write(hello[:1])
                hello = hello[1:] + b"\x00"
                await asyncio.sleep(0.01)
        writer.close()


@each_pair
async def test_the_wrong_server_is_found_out(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    ours, theirs = serve(verona, server), trusting(files, client, "mantua.example")
    async with serving(lambda: End(tls=ours)) as (port, ends):
        with pytest.raises(TlsError, match=r"mantua\.example"):
            await connect(End(tls=theirs).connection, "127.0.0.1", port, within=LIMIT)
        await eventually(lambda: ends[0].connection._is_lost)


async def test_a_server_that_hangs_up_in_the_handshake(files: Files) -> None:
    async def hang_up(end: End, event: bytes) -> None:
        end.connection.close()

    async with serving(lambda: End(hang_up)) as (port, _):
        end = End(tls=trusting(files, Backend.PYOPENSSL))
        with pytest.raises(ConnectionEndedError, match="before TLS"):
            await connect(end.connection, "127.0.0.1", port, within=LIMIT)


async def test_a_server_that_says_nothing(files: Files) -> None:
    async with serving(End) as (port, _):
        end = End(tls=trusting(files, Backend.PYOPENSSL))
        with pytest.raises(TimeoutError):
            await connect(end.connection, "127.0.0.1", port, within=0.05)


@each_pair
async def test_a_new_certificate_does_not_touch_live_sessions(
    files: Files, server: Backend, client: Backend
) -> None:
    identity = files.issue("renewed.example", "verona.example")
    ours, theirs = serve(identity, server), trusting(files, client)
    async with (
        serving(lambda: End(echo, tls=ours)) as (port, _),
        running(End(tls=theirs), port) as before,
    ):
        before.say(b"hello")
        await before.read(5)
        files.issue("renewed.example", "verona.example")
        ours.reload()
        async with running(End(tls=theirs), port) as after:
            after.say(b"hello")
            await after.read(5)
            before.say(b" again")
            assert await before.read(11) == b"hello again"
            shown = [end.connection.tls.peer_certificate for end in (before, after)]  # type: ignore[union-attr]
            assert shown[0] != shown[1]


@each_backend
async def test_a_peer_that_stops_reading_is_left(
    files: Files, verona: Identity, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "STALL", 0.05)
    context = serve(verona, backend)

    async def pour(end: End, event: bytes) -> None:
        end.queue += [b"x" * 16384] * 1000
        end.connection.wake()

    async with serving(lambda: End(pour, tls=context)) as (port, ends):
        plain = ssl.create_default_context(cafile=files.authorities)
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=plain, server_hostname="verona.example", limit=1
        )
        writer.write(b"pour")
        await eventually(lambda: ends[0].connection._is_lost)
        assert str(ends[0].connection.error) == "the peer stopped reading"
        assert len(ends[0].queue) > 100
        writer.transport.abort()


@each_backend
async def test_the_end_of_tls_is_an_end(files: Files, verona: Identity, backend: Backend) -> None:
    """Close_notify alone, without a FIN, closes; and what came with it is handled."""
    context = serve(verona, backend)
    session = trusting(files, backend).session()
    async with serving(lambda: End(tls=context)) as (port, ends):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(LIMIT):
            while not session.handshake_done:
                writer.write(session.take())
                if not session.handshake_done:
                    session.receive(await reader.read(16384))
            data = session.take() + session.send(b"last words")
            session.close()
            writer.write(data + session.take())
            while data := await reader.read(16384):
                session.receive(data)
        assert session.is_over
        assert ends[0].events == [b"last words"]
        writer.close()
