"""One stream: its two sides, their order, and what headers and errors say."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.core.errors import STREAM_CONDITIONS, StreamError
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.core.stream import MOVES, NS_STREAM, State, Stream, read_error
from pyrite.core.xml import Closed, Element, Limits, Name, Opened, parse

HEADER = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" to='verona.lit' version='1.0'>"
)
FOOTER = b"</stream:stream>"
WIDE = Limits()


def opened(**more: Any) -> Stream:
    """A stream whose peer has opened its side."""
    stream = Stream(limits=WIDE, **more)
    (event,) = stream.feed(HEADER)
    assert isinstance(event, Opened)
    return stream


def conditions(events: list[Any]) -> list[object]:
    return [e.condition if isinstance(e, StreamError) else type(e).__name__ for e in events]


# --- what the peer says ----------------------------------------------------------------


def test_a_stream_from_header_to_footer() -> None:
    stream = Stream(limits=WIDE)
    assert (stream.ours, stream.theirs) == (State.IDLE, State.IDLE)
    events = stream.feed(b"<?xml version='1.0'?>" + HEADER + b" <iq/> <message/>" + FOOTER)
    assert conditions(events) == ["Opened", "Element", "Element", "Closed"]
    assert stream.theirs is State.CLOSED
    assert not stream.is_over
    stream.close()
    assert stream.is_over


def test_nothing_is_heard_after_the_footer() -> None:
    for junk in (b"<iq/>", b"\xff", b"  ", b"<!-- -->"):
        whole, split = opened(), opened()
        assert conditions(whole.feed(FOOTER + junk)) == ["Closed"]
        assert conditions(split.feed(FOOTER)) + conditions(split.feed(junk)) == ["Closed"]


def test_a_mistake_is_the_last_event_and_comes_once() -> None:
    stream = opened()
    assert conditions(stream.feed(b"<iq/><a></b><iq/>")) == ["Element", "not-well-formed"]
    assert stream.feed(b"<iq/>") == []
    assert stream.theirs is State.CLOSED


HEADERS = {
    "<stream:stream xmlns='jabber:client' xmlns:stream='urn:x'>": "invalid-namespace",
    "<stream xmlns='jabber:client'>": "invalid-namespace",
    "<stream>": "invalid-namespace",
    "<s:flow xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>": "bad-format",
    "<s:stream xmlns='jabber:server' xmlns:s='http://etherx.jabber.org/streams'>": (
        "invalid-namespace"
    ),
    "<s:stream xmlns:s='http://etherx.jabber.org/streams'>": "invalid-namespace",
    "<s:stream xmlns='' xmlns:s='http://etherx.jabber.org/streams'>": "invalid-namespace",
    "<s:stream xmlns='http://jabber.org/protocol/httpbind' xmlns:s='http://etherx.jabber.org/streams'>": (  # noqa: E501
        "invalid-namespace"
    ),
}


@pytest.mark.parametrize(("header", "condition"), HEADERS.items())
def test_headers_that_open_nothing(header: str, condition: str) -> None:
    """RFC 6120 §4.8.1, §4.9.3.10."""
    assert conditions(Stream().feed(header.encode())) == [condition]


@pytest.mark.parametrize(
    "header",
    [
        "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>",
        "<_:stream xmlns='jabber:client' xmlns:_='http://etherx.jabber.org/streams' xmlns:x='u'>",
        "<stream xmlns='http://etherx.jabber.org/streams'>",
    ],
)
def test_prefixes_are_free(header: str) -> None:
    """§4.8.2: prefixes are free, and so is the default namespace of what is not a stanza."""
    stream = Stream()
    events = stream.feed(header.encode() + b"<message xmlns='jabber:client'/>")
    assert conditions(events) == ["Opened", "Element"]
    assert isinstance(events[1], Element)
    assert events[1].name == ("jabber:client", "message")


@pytest.mark.parametrize("content", ["jabber:server", "jabber:component:accept"])
def test_each_kind_of_stream_has_its_content(content: str) -> None:
    header = HEADER.replace(b"jabber:client", content.encode())
    assert conditions(Stream(content).feed(header)) == ["Opened"]
    assert conditions(Stream(content).feed(HEADER)) == ["invalid-namespace"]


@given(st.binary(max_size=40), st.booleans(), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_feed_never_raises(data: bytes, is_open: bool, size: int) -> None:
    stream = opened() if is_open else Stream()
    events = [e for n in range(0, len(data), size) for e in stream.feed(data[n : n + size])]
    errors = [e for e in events if isinstance(e, StreamError)]
    assert errors in ([], events[-1:])


# --- what we say -----------------------------------------------------------------------


def test_our_header_says_who_and_which() -> None:
    stream = Stream()
    stream.open(to="romeo@verona.lit", sender="verona.lit", id="a&b", lang="en")
    header = stream.take().decode()
    assert header.startswith("<?xml version=")
    (event,) = Stream().feed(header.encode())
    assert isinstance(event, Opened)
    assert event.root.attrs == {
        "version": "1.0",
        "to": "romeo@verona.lit",
        "from": "verona.lit",
        "id": "a&b",
        "xml:lang": "en",
    }
    assert stream.take() == b""


@given(st.text(st.characters(codec=None), max_size=8))
@settings(max_examples=50)
def test_no_value_breaks_our_header(value: str) -> None:
    stream = Stream()
    stream.open(to=value, sender=value, id=value, lang=value)
    stream.close(StreamError("bad-format", value))
    assert conditions(Stream().feed(stream.take())) == ["Opened", "Element", "Closed"]


def test_an_error_without_a_stream_opens_one_first() -> None:
    """§4.9.1.2."""
    stream = Stream()
    stream.sender, stream.id = "verona.lit", "some-id"
    stream.close(StreamError("not-well-formed", "why"))
    (header, error, footer) = Stream().feed(stream.take())
    assert isinstance(header, Opened)
    assert header.root.attrs["from"] == "verona.lit"
    assert header.root.attrs["id"] == "some-id"
    assert isinstance(error, Element)
    assert isinstance(footer, Closed)
    assert read_error(error).condition == "not-well-formed"
    assert read_error(error).text == "why"


def test_closing_twice_says_it_once() -> None:
    stream = opened()
    stream.open()
    stream.close()
    stream.close(StreamError("reset"))
    assert stream.take().count(b"</stream:stream>") == 1
    assert stream.is_closed


def test_what_is_said_out_of_order_is_our_mistake() -> None:
    element = Element(Name("urn:x", "x"))
    stream = Stream()
    for mistake in (lambda: stream.send(element), lambda: stream.send_text(" ")):
        with pytest.raises(RuntimeError):
            mistake()
    stream.open()
    with pytest.raises(RuntimeError):
        stream.open()
    stream.close()
    for mistake in (lambda: stream.send(element), lambda: stream.send_text(" ")):
        with pytest.raises(RuntimeError):
            mistake()


def test_a_restart_begins_anew() -> None:
    stream = opened()
    stream.open(sender="verona.lit")
    stream.feed(b"<auth xmlns='x'><never-ended ")
    stream.restart()
    assert (stream.ours, stream.theirs) == (State.IDLE, State.IDLE)
    assert conditions(stream.feed(HEADER + b"<iq/>")) == ["Opened", "Element"]
    stream.open()
    assert stream.take().count(b"<?xml") == 2


def test_limits_follow_the_stream() -> None:
    stream = Stream(limits=Limits(octets=100))
    stream.feed(HEADER)
    stream.limit(Limits(octets=1000))
    assert conditions(stream.feed(b"<a>" + b"x" * 900 + b"</a>")) == ["Element"]
    stream.restart()
    stream.feed(HEADER)
    assert conditions(stream.feed(b"<a>" + b"x" * 1100 + b"</a>")) == ["policy-violation"]
    stream.restart(Limits(octets=100))
    stream.feed(HEADER)
    assert conditions(stream.feed(b"<a>" + b"x" * 900 + b"</a>")) == ["policy-violation"]


def test_elements_and_stanzas_are_written_for_the_stream() -> None:
    stream = opened()
    stream.open()
    stream.take()
    stream.send(Element(Name("urn:x", "x"), {}, (Element(Name("urn:x", "y")),)))
    stream.send(Element(Name(NS_STREAM, "features"), {}, (Element(Name("urn:x", "x")),)))
    message = Message(
        "chat", JID.parse("a@b"), payloads=[parse("<body>hi</body>", "jabber:client")]
    )
    stream.send_stanza(message)
    assert stream.take().decode() == (
        '<x xmlns="urn:x"><y/></x>'
        '<stream:features><x xmlns="urn:x"/></stream:features>'
        '<message type="chat" to="a@b"><body>hi</body></message>'
    )


# --- errors ----------------------------------------------------------------------------


@pytest.mark.parametrize("condition", sorted(STREAM_CONDITIONS))
def test_every_condition_is_told_and_understood(condition: str) -> None:
    app = Element(Name("urn:app", "why"))
    stream = Stream()
    stream.close(StreamError(condition, "because", app=app))
    error = Stream().feed(stream.take())[1]
    assert isinstance(error, Element)
    told = read_error(error)
    assert (told.condition, told.text, told.app) == (condition, "because", app)


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("", "undefined-condition"),
        ("<xml-not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", "not-well-formed"),
        ("<brand-new xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", "undefined-condition"),
        ("<conflict xmlns='urn:other'/>", "undefined-condition"),
    ],
)
def test_errors_of_other_times_and_places(inside: str, condition: str) -> None:
    assert read_error(parse(f"<error>{inside}</error>", NS_STREAM)).condition == condition


def test_a_stream_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        stream = opened()
        stream.restart()
        assert conditions(stream.feed(HEADER + b"<iq/><message><body>half")) == [
            "Opened",
            "Element",
        ]
        del stream
        parse("<a/>")
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_table_of_moves_is_a_way_forward() -> None:
    order = list(State)
    assert all(order.index(to) >= order.index(start) for (start, _), to in MOVES.items())
    assert set(MOVES.values()) == {State.OPEN, State.CLOSED}
