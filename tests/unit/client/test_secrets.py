"""What is secret is in nothing that is shown or logged, and what a server says is shown."""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.peer import PATIENCE

from pyrite.client import api
from pyrite.client.api import (
    JID,
    Account,
    AuthenticationFailed,
    Client,
    Component,
    Memory,
    Proxy,
    Token,
    VolatileStore,
)
from pyrite.client.testing import MemoryServer
from pyrite.core.errors import SaslError, StanzaError, StreamError
from pyrite.core.sasl import Credentials
from pyrite.core.stream import Stream

SECRET = "hunter-two-and-a-half"
ROMEO = JID.parse("romeo@example.org")
TOKEN = Token("HT-SHA-256-NONE", SECRET, datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "thing",
    [
        Account(ROMEO, SECRET),
        Credentials("romeo", SECRET),
        TOKEN,
        Memory("device", TOKEN),
        Client(ROMEO, SECRET),
        Client(ROMEO, account=Account(ROMEO, SECRET)),
        Component("echo.example.org", SECRET),
        Proxy.parse(f"socks5://name:{SECRET}@localhost:1080"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_nothing_shows_a_secret(thing: object) -> None:
    assert SECRET not in repr(thing)
    assert SECRET not in str(thing)
    assert SECRET not in f"{vars(type(thing)).keys()} {thing!r:>200}"


async def test_nothing_logs_a_secret(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Of a whole life: log-in by password and by token, a cut, a wrong password, the end."""
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)  # which logs what runs, and
    loop.slow_callback_duration = 60.0  # not how long
    store = VolatileStore()
    async with asyncio.timeout(PATIENCE), MemoryServer([]) as srv:
        await srv.add("romeo", SECRET)
        for _ in range(2):
            async with srv.client("romeo", password=SECRET, tokens=store) as me:
                srv.cut("romeo")
                await srv.advance(60)
                await me.send(me.jid, "said in private")
        memory = await store.load(ROMEO)
        assert memory is not None
        assert memory.token is not None
        with pytest.raises(AuthenticationFailed) as refused:
            async with srv.client("romeo", password="wrong " + SECRET):
                pass
        shown = f"{caplog.text} {refused.value!r} {refused.value} {memory!r}"
    for secret in (SECRET, memory.token.secret, "said in private"):
        assert secret not in shown


def test_a_servers_words_are_shown() -> None:
    """Wherever an error is printed, without a look at its fields."""
    words = "the operator is at lunch"
    for error in (
        AuthenticationFailed(SaslError("temporary-auth-failure", words)),
        StreamError("system-shutdown", words),
        StanzaError("service-unavailable", words),
        api.TlsError(words),
        api.DnsError(words),
        api.ConnectionFailed(words),
    ):
        assert words in str(error)


async def test_a_stream_that_a_server_ends_says_why() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = Stream()
        await reader.readuntil(b">")
        stream.open(sender="example.org", id="1")
        stream.close(StreamError("system-shutdown", "back at noon"))
        writer.write(stream.take())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    at = api.Target("127.0.0.1", server.sockets[0].getsockname()[1])
    async with server, asyncio.timeout(PATIENCE):
        with pytest.raises(StreamError, match="system-shutdown: back at noon"):
            async with Client(ROMEO, SECRET, connector=api.Tcp([at])):
                pass
