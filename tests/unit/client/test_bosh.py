"""BOSH with a server that does right, and with one that does not (XEP-0124)."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.client import bosh, framed, link
from pyrite.client.errors import ConnectionFailed, StreamError
from pyrite.client.link import Link, LinkEnded
from pyrite.core.errors import StanzaError
from pyrite.core.framing import unframe
from pyrite.core.payload import decode
from pyrite.core.xml import Limits
from pyrite.wire.bosh import NS, Body
from pyrite.wire.sasl import Auth

from .managers import CREATED, FEATURES, PATIENCE, Asked, Manager, Streamed, body, managing, opening

FIRST, SECOND, THIRD = ("<iq id='1'/>", "<message id='2'/>", "<presence id='3'/>")
STANZA = '<message xmlns="jabber:client"/>'
LONG = "x" * 2000

Respond = Callable[[Asked], None]


@pytest.fixture(autouse=True)
def _limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback, what was written has come soon."""
    monkeypatch.setattr(bosh, "SETTLING", 0.01)


@asynccontextmanager
async def connected(here: Manager) -> AsyncIterator[Link]:
    to = await here.connect()
    try:
        async with asyncio.timeout(PATIENCE):
            yield to
    finally:
        to.abort()
        await to.ended()


@asynccontextmanager
async def session(here: Manager) -> AsyncIterator[Streamed]:
    """One in which nothing was said yet."""
    async with connected(here) as to:
        features = opening(to)
        (await here.next()).answer(CREATED)
        await features
        stream = Streamed(to)
        await stream.begin()
        yield stream


async def ended(stream: Streamed) -> LinkEnded:
    async with asyncio.timeout(PATIENCE):
        return await stream.link.ended()


# --- what is asked -------------------------------------------------------------------


async def test_a_session_is_asked_for() -> None:
    """§7.1, XEP-0206 §3: the rest of the log-in goes step by step, and no request is in vain."""
    async with managing() as here, connected(here) as to:
        features = opening(to)
        first = await here.next()
        assert (first.body.to, first.body.hold, first.body.wait) == ("verona.lit", 1, 60)
        assert (first.body.xmpp, first.body.lang, first.body.sid) == ("1.0", "en", None)
        first.answer(CREATED)
        assert (await features).name.tag == "features"
        to.send(Auth("PLAIN", "AAAA"))
        second = await here.next()
        assert (second.said, second.body.sid) == (["auth"], "s1")
        assert second.body.rid == first.body.rid + 1  # type: ignore[operator]
        second.answer(body('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'))
        assert (await to.next()).name.tag == "success"
        features = opening(to)
        third = await here.next()
        assert (third.body.restart, third.body.to) == (True, "verona.lit")
        assert third.body.rid == first.body.rid + 2  # type: ignore[operator]
        third.answer(body())
        fourth = await here.next()  # the server owes us the features
        fourth.answer(body(FEATURES))
        assert (await features).name.tag == "features"
        assert here.asked.empty()


async def test_one_request_is_held() -> None:
    """§11: a second one only says something, and what is said at once is said with the next."""
    async with managing() as here, session(here) as stream:
        held = await here.next()
        assert held.said == []
        stream.say(FIRST)
        second = await here.next()
        assert second.said == ["iq"]
        stream.say(SECOND)
        held.answer(body())
        third = await here.next()
        assert third.said == ["message"]
        second.answer(body(STANZA))
        assert await stream.hear() == "message"
        stream.say(THIRD)
        fourth = await here.next()
        assert fourth.said == ["presence"]
        numbers = [one.body.rid or 0 for one in (held, second, third, fourth)]
        assert numbers == list(range(numbers[0], numbers[0] + 4))


async def test_an_answer_to_what_is_heard_goes_at_once() -> None:
    """The next request is not made empty, a moment before there is something to say."""
    async with managing() as here, session(here) as stream:
        (await here.next()).answer(body(STANZA))
        assert await stream.hear() == "message"
        stream.say(FIRST)
        assert (await here.next()).said == ["iq"]


async def test_answers_are_heard_in_order() -> None:
    """§13: whichever comes first."""
    async with managing() as here, session(here) as stream:
        held = await here.next()
        stream.say(FIRST)
        (await here.next()).answer(body(SECOND))
        held.answer(body(FIRST))
        assert [await stream.hear(), await stream.hear()] == ["iq", "message"]


async def test_large_requests() -> None:
    """More than HTTP libraries like to have in one piece."""
    async with managing() as here, session(here) as stream:
        held = await here.next()
        stream.say(f"<message><body>{'x' * (3 << 20)}</body></message>")
        large = await here.next()
        assert len(large.text) > 3 << 20
        held.answer(body())


async def test_the_end() -> None:
    """§13: what is still to be said goes with it."""
    async with managing() as here, session(here) as stream:
        held = await here.next()
        stream.say(FIRST)
        stream.link.close()
        last = await here.next()
        assert (last.body.type, last.said) == ("terminate", ["iq"])
        held.answer(body())
        last.answer(body(STANZA))
        assert await stream.hear() == "message"
        assert str(await ended(stream)) == "the connection was closed"


async def test_an_end_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framed, "GRACE", 0.5)
    async with managing() as here, session(here) as stream:
        await here.next()
        stream.link.close()
        assert str(await ended(stream)) == "given up"


# --- what breaks ---------------------------------------------------------------------


async def test_requests_that_break_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """§14.3: exact copies. The first one first, and the second when that has surely come."""
    monkeypatch.setattr(bosh, "SETTLING", 0.3)  # in which both are known to be broken
    async with managing() as here, session(here) as stream:
        held = await here.next()
        stream.say(FIRST)
        second = await here.next()
        second.hang_up()
        held.hang_up()
        again = [await here.next(), await here.next()]
        assert [one.text for one in again] == [held.text, second.text]
        again[0].answer(body(FIRST))
        again[1].answer(body(SECOND))
        assert [await stream.hear(), await stream.hear()] == ["iq", "message"]
        assert (await here.next()).said == []


async def test_nothing_is_asked_beside_what_may_not_have_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would come first, which servers do not put up with."""
    monkeypatch.setattr(bosh, "SETTLING", 0.3)  # in which the first is known to be broken
    async with managing() as here, session(here) as stream:
        held = await here.next()
        held.hang_up()
        stream.say(FIRST)
        again = await here.next()
        assert again.text == held.text
        assert (await here.next()).said == ["iq"]


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<bo"])
async def test_what_breaks_twice_is_over(part: bytes) -> None:
    """Another answer may have been given to the copy: only resuming tells (XEP-0198)."""
    async with managing() as here, session(here) as stream:
        held = await here.next()
        held.hang_up(part)
        (await here.next()).hang_up(part)
        assert isinstance(await ended(stream), ConnectionFailed)
        assert here.asked.empty()


async def test_what_is_asked_for_again() -> None:
    """§17.3: a recoverable error."""
    async with managing() as here, session(here) as stream:
        held = await here.next()
        held.answer(body(type="error"))
        again = await here.next()
        assert again.text == held.text
        again.answer(body(type="error"))
        assert isinstance(await ended(stream), ConnectionFailed)


async def test_more_is_held_than_was_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    """§11: the one before it has to be answered then. Something was lost, or has stuck."""
    monkeypatch.setattr(bosh, "OVERDUE", 0.5)
    async with managing() as here, session(here) as stream:
        await here.next()
        stream.say(FIRST)
        await here.next()
        assert "no answer" in str(await ended(stream))


async def test_no_answer_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bosh, "PATIENCE", 0.5)  # in which the server must have heard of it
    monkeypatch.setattr(bosh, "WAIT", 0)
    async with managing() as here, connected(here) as to:
        features = opening(to)
        first, again = await here.next(), await here.next()
        assert first.text == again.text
        with pytest.raises(ConnectionFailed):
            await features


async def test_no_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "PATIENCE", 0.05)
    async with managing() as here, connected(here) as to:
        features = opening(to)
        (await here.next()).answer(body(sid="s1"))
        with pytest.raises(TimeoutError):
            await features


async def test_a_server_that_holds_nothing_is_not_stormed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bosh, "POLLING", 0.5)
    async with managing() as here, session(here) as stream:
        first = await here.next()
        first.answer(body())
        second = await here.next()
        assert second.at - first.at > 0.4
        stream.say(FIRST)
        assert (await here.next()).said == ["iq"]  # who has something to say does not wait


# --- what cannot be ------------------------------------------------------------------

BAD_ANSWERS = {
    "nothing": "",
    "no XML": "hello?",
    "half of it": CREATED[:-20],
    "twice": CREATED * 2,
    "HTML": "<html><body/></html>",
    "another namespace": CREATED.replace(NS, "urn:x"),
    "a DTD": f"<!DOCTYPE body [<!ENTITY x 'y'>]>{CREATED}",
    "no UTF-8": b"\xff\xfe<\x00",
    "nonsense for a number": body(FEATURES, sid="s1", requests="many"),
    "no session": body(FEATURES),
    "no holding": body(FEATURES, sid="s1", hold=0),
    "no waiting": body(FEATURES, sid="s1", wait=0),
    "one request at a time": body(FEATURES, sid="s1", requests=1),
    "something else than features": body(STANZA, sid="s1"),
    "an error of the stream": body(
        '<error xmlns="http://etherx.jabber.org/streams">'
        '<host-unknown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></error>',
        sid="s1",
        type="terminate",
        condition="remote-stream-error",
    ),
    "a condition": body(type="terminate", condition="host-unknown"),
    "one that nobody knows": body(type="terminate", condition="dislike"),
}


@given(
    st.integers(0, len(CREATED)),
    st.integers(0, 40),
    st.text(alphabet="<>/='\"&;!?-[]: abodyxmlns10\0\u2028", max_size=20),
)
def test_answers_with_mistakes(at: int, size: int, put: str) -> None:
    """They are refused in words, or are answers: nothing else is ever raised."""
    text = CREATED[:at] + put + CREATED[at + size :]
    with suppress(StanzaError, StreamError):
        assert isinstance(decode(Body, unframe(text, bosh.BODY)), Body)


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_a_bad_answer_to_who_wants_a_session(answer: str | bytes) -> None:
    async with managing() as here, connected(here) as to:
        features = opening(to)
        (await here.next()).answer(answer)
        with pytest.raises(StreamError):
            await features


def redirected(asked: Asked) -> None:
    asked.answer(CREATED, 302, Location="/elsewhere")


def packed(asked: Asked) -> None:
    asked.answer(zlib.compress(b" " * (64 << 20)), Content_Encoding="deflate")


BAD_RESPONSES: dict[str, Respond] = {
    "not found": lambda asked: asked.answer(CREATED, 404),
    "an error": lambda asked: asked.answer(CREATED, 503),
    "elsewhere": redirected,
    "too much": lambda asked: asked.answer(body(FEATURES, LONG, sid="s1")),
    "too much in little": packed,
    "no HTTP": lambda asked: asked.hang_up(b"SSH-2.0-x\r\n"),
    "a bad length": lambda asked: asked.hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
}


@pytest.mark.parametrize("respond", BAD_RESPONSES.values(), ids=BAD_RESPONSES)
async def test_a_bad_response(respond: Respond, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of HTTP. What may be the net's fault is asked again."""
    monkeypatch.setattr(bosh, "BODY", Limits(octets=1000, elements=100))
    async with managing() as here, connected(here) as to:
        features = opening(to)
        responding = asyncio.ensure_future(responds(here, respond))
        try:
            with pytest.raises(ConnectionFailed):
                await features
        finally:
            responding.cancel()
            await asyncio.wait([responding])


async def responds(here: Manager, respond: Respond) -> None:
    while True:
        respond(await here.next())


BAD_NEWS = {
    "nothing": "",
    "half of it": body(STANZA)[:-9],
    "another session": body(STANZA, sid="s2"),
    "the end": body(type="terminate"),
    "the end of something": body(type="terminate", condition="item-not-found"),
    "a bad element": body("<a:b/>"),
    "something after an error": body(
        '<error xmlns="http://etherx.jabber.org/streams">'
        '<system-shutdown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></error>',
        STANZA,
        type="terminate",
    ),
}


@pytest.mark.parametrize("answer", BAD_NEWS.values(), ids=BAD_NEWS)
async def test_bad_news(answer: str) -> None:
    async with managing() as here, session(here) as stream:
        (await here.next()).answer(answer)
        end = await ended(stream)
        assert isinstance(end, ConnectionFailed)
        assert stream.heard.empty()
        assert here.asked.empty()


async def test_what_is_being_taken_when_it_is_aborted_is_taken() -> None:
    """Half of that is neither handled nor not, and would be handled again in a session that is
    resumed (XEP-0198 §5). What is behind it has not come."""
    async with managing() as here, session(here) as stream:
        stream.room.clear()
        (await here.next()).answer(body(STANZA, STANZA))
        await stream.is_aborted()
        assert len(stream.done) == 1


async def test_nobody_there() -> None:
    async with managing() as here:
        pass
    with pytest.raises(ConnectionFailed):
        await here.connect()
