"""Elements that travel alone: what is written is read back, and nothing else is read."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import StreamError
from pyrite.core.framing import alone, frame, unframe
from pyrite.core.jid import JID
from pyrite.core.stanza import NS, Iq, Message, Presence
from pyrite.core.xml import Element, Limits, Name
from pyrite.wire.message import Body


@pytest.mark.parametrize(
    "stanza",
    [Message("chat", JID.parse("a@b")).add(Body("<&>")), Presence(), Iq("result", id="1")],
)
def test_stanzas_say_whose_they_are(stanza: Message | Presence | Iq) -> None:
    """RFC 7395 §3.3.3: each has its namespace."""
    element = unframe(alone(stanza.write()), Limits())
    assert element == stanza.to_element()
    assert element.name.ns == NS


def test_others_have_said_it() -> None:
    text = '<r xmlns="urn:xmpp:sm:3"/>'
    assert alone(text) == text
    assert alone('<iqx xmlns="u"/>') == '<iqx xmlns="u"/>'
    element = Element(Name("u", "x"), {"a": "<"}, ("é",))
    assert unframe(frame(element), Limits()) == element


def test_what_servers_write_before_it() -> None:
    for before in ("\ufeff", "\n ", "<?xml version='1.0'?>\n"):
        assert unframe(f"{before}<a xmlns='u'/>", Limits()).name == ("u", "a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "<a",
        "<a/><b/>",
        "<a/>x",
        "</a>",
        "<!DOCTYPE a><a/>",
        "<!-- x --><a/>",
        "<?x",
        "&a;",
    ],
)
def test_what_is_not_one_element(text: str) -> None:
    with pytest.raises(StreamError):
        unframe(text, Limits())


def test_what_is_too_large() -> None:
    with pytest.raises(StreamError):
        unframe(f"<a>{'x' * 2000}</a>", Limits(octets=1000))


@given(st.text())
def test_nothing_else_is_raised(text: str) -> None:
    for given_text in (text, f"<a>{text}</a>", f"<a xmlns='{text}'/>"):
        with suppress(StreamError):
            unframe(given_text, Limits())
