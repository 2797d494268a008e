"""WebSocket with a server that does right, and with one that does not (RFC 7395, RFC 6455)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tests.service import VERONA

from pyrite.client import framed, link, websocket
from pyrite.client.errors import ConnectionFailed, StreamError
from pyrite.client.link import LIMITS, Link, LinkEnded
from pyrite.client.websocket import WebSocket
from pyrite.core.xml import parse
from pyrite.wire.framing import NS

from .managers import (
    ACCOUNT,
    FEATURES,
    PATIENCE,
    Sockets,
    Streamed,
    Talk,
    opening,
    serving,
    socketing,
)

OPENED = f'<open xmlns="{NS}" from="{VERONA}" id="s1" version="1.0"/>'
CLOSED = f'<close xmlns="{NS}"/>'
STANZA = '<message xmlns="jabber:client"/>'


@asynccontextmanager
async def connected(here: Sockets) -> AsyncIterator[tuple[Link, Talk]]:
    to = await here.connect()
    talk = await here.next()
    try:
        async with asyncio.timeout(PATIENCE):
            yield to, talk
    finally:
        talk.over.set()
        to.abort()
        await to.ended()


@asynccontextmanager
async def session(*, is_deaf: bool = False) -> AsyncIterator[tuple[Streamed, Talk]]:
    async with socketing("xmpp") as here:
        here.is_deaf = is_deaf
        async with connected(here) as (to, talk):
            features = opening(to)
            if not is_deaf:
                await talk.hear()
            await talk.say(OPENED, FEATURES)
            await features
            stream = Streamed(to)
            await stream.begin()
            yield stream, talk


async def ended(stream: Streamed) -> LinkEnded:
    async with asyncio.timeout(PATIENCE):
        return await stream.link.ended()


async def test_a_stream() -> None:
    """§3.3, §3.4: one message, one element, which says its own namespace."""
    async with session() as (stream, talk):
        stream.say("<message/>", '<r xmlns="urn:xmpp:sm:3"/>')
        assert [await talk.hear(), await talk.hear()] == [STANZA, '<r xmlns="urn:xmpp:sm:3"/>']
        await talk.say(STANZA)
        assert await stream.hear() == "message"


async def test_we_say_goodbye() -> None:
    """§3.6: what is still to be said goes first, and what is said to it is heard."""
    async with session() as (stream, talk):
        stream.say("<message/>")
        stream.link.close()
        assert [await talk.hear(), await talk.hear()] == [STANZA, CLOSED]
        await talk.say(STANZA, CLOSED)
        assert str(await ended(stream)) == "the connection was closed"
        assert await stream.hear() == "message"


async def test_the_server_says_goodbye() -> None:
    async with session() as (stream, talk):
        await talk.say(CLOSED)
        assert await talk.hear() == CLOSED
        assert isinstance(await ended(stream), ConnectionFailed)


async def test_the_server_is_elsewhere() -> None:
    """§3.6.1: it is said, and not followed."""
    async with session() as (stream, talk):
        await talk.say(f'<close xmlns="{NS}" see-other-uri="wss://mantua.lit/ws"/>')
        cause = (await ended(stream)).cause
        assert cause is not None
        assert (cause.condition, cause.text) == ("see-other-host", "wss://mantua.lit/ws")


async def test_a_server_that_says_no_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framed, "GRACE", 0.5)
    async with session() as (stream, talk):
        stream.link.close()
        assert await talk.hear() == CLOSED
        assert str(await ended(stream)) == "given up"


async def test_what_is_being_taken_when_it_is_aborted_is_taken() -> None:
    """Half of that is neither handled nor not, and would be handled again in a session that is
    resumed (XEP-0198 §5). What is behind it has not come."""
    async with session() as (stream, talk):
        stream.room.clear()
        await talk.say(STANZA, STANZA)
        await stream.is_aborted()
        assert len(stream.done) == 1


async def test_a_server_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "STALL", 0.05)
    async with session(is_deaf=True) as (stream, _):
        while not stream.link._end:  # type: ignore[attr-defined]
            if not stream.left:
                stream.say(f"<message><body>{'x' * (1 << 20)}</body></message>")
            await asyncio.sleep(0)
        assert isinstance(await ended(stream), ConnectionFailed)


BAD_MESSAGES = {
    "nothing": "",
    "no XML": "hello?",
    "half an element": "<message xmlns='jabber:client'>",
    "two elements": STANZA * 2,
    "an element and text": f"{STANZA}x",
    "a header of TCP": "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
    "a DTD": f"<!DOCTYPE a [<!ENTITY x 'y'>]>{STANZA}",
    "too deep": "<a xmlns='x'>" * 1000 + "</a>" * 1000,
    "a second stream": OPENED,
    "what framing does not know": f'<pause xmlns="{NS}"/>',
    "an error of the stream": '<error xmlns="http://etherx.jabber.org/streams">'
    '<system-shutdown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></error>',
}


@pytest.mark.parametrize("text", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
async def test_a_bad_message(text: str) -> None:
    """It ends the stream, and the server is told so."""
    async with session() as (stream, talk):
        await talk.say(text, STANZA)
        end = await ended(stream)
        assert isinstance(end.cause, StreamError)
        said = await talk.hear()
        if "shutdown" not in text:
            assert parse(said).name.tag == "error"
            said = await talk.hear()
        assert said == CLOSED
        assert stream.heard.empty()


@pytest.mark.parametrize("text", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
async def test_a_bad_message_to_who_opens(text: str) -> None:
    async with socketing("xmpp") as here, connected(here) as (to, talk):
        features = opening(to)
        await talk.hear()
        await talk.say(OPENED, text)
        with pytest.raises(StreamError):
            await features


Do = Callable[[Talk], Awaitable[None]]


async def octets(talk: Talk) -> None:
    await talk.say_octets(STANZA.encode())


def raw(data: bytes, *, then_gone: bool = True) -> Do:
    async def do(talk: Talk) -> None:
        talk.raw(data)
        if then_gone:
            talk.hang_up()

    return do


async def gone(talk: Talk) -> None:
    talk.hang_up()


async def too_much(talk: Talk) -> None:
    talk.raw(b"\x81\x7f" + (LIMITS.octets + 1).to_bytes(8, "big") + b"<a>")


BAD_FRAMES: dict[str, Do] = {
    "no text": octets,
    "no UTF-8": raw(b"\x81\x02\xff\xff", then_gone=False),
    "of no kind": raw(b"\x83\x01x", then_gone=False),
    "with a mask": raw(b"\x81\x81\x00\x00\x00\x00x"),
    "packed, which was not agreed": raw(b"\xc1\x01x", then_gone=False),
    "what goes on has not begun": raw(b"\x80\x01x", then_gone=False),
    "half a frame": raw(b"\x81\x7e\x01\x00<mess"),
    "half a header": raw(b"\x81\x7f\x00"),
    "half a message": raw(b"\x01\x05<mess"),
    "too much": too_much,
    "gone": gone,
    "closed": Talk.close,
}


@pytest.mark.parametrize("do", BAD_FRAMES.values(), ids=BAD_FRAMES)
async def test_a_bad_frame(do: Do) -> None:
    async with session() as (stream, talk):
        doing = asyncio.ensure_future(do(talk))
        assert isinstance(await ended(stream), ConnectionFailed)
        assert stream.heard.empty()
        await doing


@pytest.mark.parametrize("do", BAD_FRAMES.values(), ids=BAD_FRAMES)
async def test_a_bad_frame_to_who_opens(do: Do) -> None:
    async with socketing("xmpp") as here, connected(here) as (to, talk):
        features = opening(to)
        await talk.hear()
        doing = asyncio.ensure_future(do(talk))
        with pytest.raises((ConnectionFailed, StreamError)):
            await features
        await doing


@pytest.mark.parametrize("said", [[], [OPENED], ["half"]], ids=["nothing", "open", "half"])
async def test_silence(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "PATIENCE", 0.05)
    async with socketing("xmpp") as here, connected(here) as (to, talk):
        features = opening(to)
        await talk.hear()
        if said == ["half"]:
            talk.raw(b"\x81\x7e\x01\x00<mess")
        else:
            await talk.say(*said)
        with pytest.raises(TimeoutError):
            await features


async def test_it_speaks_something_else(caplog: pytest.LogCaptureFixture) -> None:
    """§3.1: the subprotocol is agreed upon."""
    async with socketing("mqtt") as here:
        with pytest.raises(ConnectionFailed, match="does not speak XMPP"):
            await here.connect()
    assert "overlap" in caplog.text  # the library of the test's server says so too
    caplog.clear()


@pytest.mark.parametrize("status", [200, 302, 403, 404, 503])
async def test_it_is_no_websocket(status: int) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/other"})

    async with serving(handle) as port:
        with pytest.raises(ConnectionFailed):
            await WebSocket(f"ws://127.0.0.1:{port}/ws").connect(ACCOUNT)


async def test_it_does_not_answer() -> None:
    over = asyncio.Event()

    async def silent(request: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with serving(silent) as port:
        with pytest.raises(TimeoutError):
            await WebSocket(f"ws://127.0.0.1:{port}/ws", within=0.05).connect(ACCOUNT)
        over.set()
