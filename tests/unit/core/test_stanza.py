"""Stanzas: what is read of an element, what is refused, what an answer looks like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.core.errors import TYPE_OF, StanzaError, StreamError
from pyrite.core.jid import JID
from pyrite.core.payload import payload, text
from pyrite.core.stanza import NS, Iq, Message, Presence, Stanza, check_iq, read, read_unaddressed
from pyrite.core.xml import Element, Name, parse, write

ROMEO = JID.parse("romeo@verona.lit/orchard")
JULIET = JID.parse("juliet@verona.lit")
NS_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"


@payload("urn:example", "note")
class Note:
    """What somebody wrote."""

    text: str = text()


def stanza(xml: str) -> Stanza:
    return read(parse(xml, NS))


# --- reading ---------------------------------------------------------------------------


def test_an_envelope_is_read() -> None:
    message = stanza(
        "<message type='chat' to='juliet@verona.lit' from='romeo@verona.lit/orchard' id='1'"
        " xml:lang='en' unknown='x'> <body>hi</body> <note xmlns='urn:example'>x</note></message>"
    )
    assert isinstance(message, Message)
    assert (message.type, message.to, message.sender) == ("chat", JULIET, ROMEO)
    assert (message.id, message.lang, message.body) == ("1", "en", "hi")
    assert message.get(Note) == Note("x")
    assert message.has(Note)
    assert [e.name.tag for e in message.payloads] == ["body", "note"]
    assert message.child(NS, "subject") is None


@pytest.mark.parametrize("xml", ["<query/>", "<message xmlns='jabber:server'/>", "<iq xmlns=''/>"])
def test_what_is_no_stanza(xml: str) -> None:
    """RFC 6120 §4.9.3.24."""
    for reading in (read, read_unaddressed):
        with pytest.raises(StreamError) as caught:
            reading(parse(xml, NS))
        assert caught.value.condition == "unsupported-stanza-type"


@pytest.mark.parametrize("address", ["", "@", "a@", "/x", "a@b/", "a b@c", "a@b@c", "\u200b@b"])
@pytest.mark.parametrize("attribute", ["to", "from"])
def test_what_is_no_address(attribute: str, address: str) -> None:
    element = parse(f"<iq type='get' id='1' {attribute}='{address}'><x/></iq>", NS)
    with pytest.raises(StanzaError) as caught:
        read(element)
    assert caught.value.condition == "jid-malformed"
    refused = read_unaddressed(element)
    assert (refused.to, refused.sender, refused.id) == (None, None, "1")


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
attributes = st.dictionaries(
    st.sampled_from(["to", "from", "id", "type", "xml:lang", "x"]),
    words.filter(lambda w: not set(w) & {"\ufffe", "\uffff"}),
)
elements = st.builds(
    Element,
    st.builds(Name, st.sampled_from([NS, "urn:x"]), st.sampled_from(["iq", "message", "presence"])),
    attributes,
    st.lists(st.sampled_from([Element(Name(NS, "body"), {}, ("x",)), "text"]), max_size=3),
)


@given(elements)
@settings(max_examples=150)
def test_reading_raises_nothing_else(element: Element) -> None:
    try:
        found = read(element)
    except (StanzaError, StreamError):
        return
    assert read(parse(found.write(), NS)) == found


# --- writing ---------------------------------------------------------------------------


def test_both_ways_of_writing_are_one() -> None:
    for tag in ("message", "presence", "iq"):
        xml = (
            f'<{tag} type="&lt;&quot;" to="juliet@verona.lit" from="romeo@verona.lit/orchard"'
            f' id="&amp;&#10;" xml:lang="&gt;"><x xmlns="urn:x"/></{tag}>'
        )
        assert stanza(xml).write() == xml
        assert write(stanza(xml).to_element(), NS) == xml
        assert repr(stanza(xml)) == xml
    assert Presence().write() == "<presence/>"


def test_a_changed_stanza_is_another() -> None:
    message = Message("chat", JULIET, ROMEO, "1", (), "en")
    written = message.write()
    added = message.add(Note("x"), Element(Name("urn:y", "y")))
    assert [e.name.tag for e in added.payloads] == ["note", "y"]
    assert added.strip(Note).payloads == [Element(Name("urn:y", "y"))]
    assert message.write() == written
    assert added.write() == message.with_payloads(added.payloads).write()
    twice = added.add(Note("<&>"))  # of what was written, only the rest is written anew
    assert twice.write() == message.with_payloads(twice.payloads).write()
    assert "<&>" not in twice.write()
    moved = message.routed(sender=JULIET, to=ROMEO)
    assert (moved.sender, moved.to, moved.id, moved.lang) == (JULIET, ROMEO, "1", "en")
    assert message.routed() == message
    assert hash(message.routed()) == hash(message)
    assert message != Presence("chat", JULIET, ROMEO, "1", (), "en")
    assert message != "message"


# --- errors ----------------------------------------------------------------------------


@pytest.mark.parametrize("condition", sorted(TYPE_OF))
def test_a_refusal_goes_back_and_says_why(condition: str) -> None:
    """RFC 6120 §8.3.1, §8.3.2."""
    app = Element(Name("urn:app", "too-many"))
    iq = Iq("get", JULIET, ROMEO, "7", (Element(Name("urn:x", "x")),))
    refusal = iq.refuse(StanzaError(condition, "so <it> is", app=app))
    assert (refusal.type, refusal.to, refusal.sender, refusal.id) == ("error", ROMEO, JULIET, "7")
    told = read(parse(refusal.write(), NS)).error
    assert told is not None
    assert (told.condition, told.type, told.text) == (condition, TYPE_OF[condition], "so <it> is")
    assert told.app == app


@pytest.mark.parametrize(
    ("inside", "condition", "kind"),
    [
        ("", "undefined-condition", "cancel"),
        ("<error/>", "undefined-condition", "cancel"),
        ("<error type='wait'/>", "undefined-condition", "wait"),
        (f"<error><gone xmlns='{NS_ERRORS}'>x</gone></error>", "gone", "cancel"),
        (f"<error type='odd'><gone xmlns='{NS_ERRORS}'/></error>", "gone", "cancel"),
        (f"<error><brand-new xmlns='{NS_ERRORS}'/></error>", "undefined-condition", "cancel"),
        ("<error><gone xmlns='urn:x'/></error>", "undefined-condition", "cancel"),
    ],
)
def test_errors_are_read_leniently(inside: str, condition: str, kind: str) -> None:
    error = stanza(f"<message type='error'>{inside}</message>").error
    assert error is not None
    assert (error.condition, error.type) == (condition, kind)


def test_only_an_error_has_an_error() -> None:
    assert stanza("<message><error/></message>").error is None


# --- iq --------------------------------------------------------------------------------

ONE, TWO = "<x xmlns='u'/>", "<x xmlns='u'/><y xmlns='u'/>"
IQS: list[tuple[str, bool]] = [
    (f"<iq type='get' id='1'>{ONE}</iq>", True),
    (f"<iq type='set' id='1'>{ONE}</iq>", True),
    ("<iq type='result' id='1'/>", True),
    (f"<iq type='result' id='1'>{ONE}</iq>", True),
    (f"<iq type='error' id='1'>{TWO}</iq>", True),
    (f"<iq type='error' id=''>{TWO}</iq>", True),
    ("<iq type='get' id='1'/>", False),
    ("<iq type='set' id='1'>text</iq>", False),
    (f"<iq type='get' id='1'>{TWO}</iq>", False),
    (f"<iq type='result' id='1'>{TWO}</iq>", False),
    (f"<iq type='get'>{ONE}</iq>", False),
    ("<iq type='result'/>", False),
    (f"<iq id='1'>{ONE}</iq>", False),
    (f"<iq type='chat' id='1'>{ONE}</iq>", False),
    (f"<iq type='GET' id='1'>{ONE}</iq>", False),
]


@pytest.mark.parametrize(("xml", "is_fine"), IQS)
def test_what_an_iq_may_be(xml: str, is_fine: bool) -> None:
    """RFC 6120 §8.2.3."""
    iq: Any = stanza(xml)
    if is_fine:
        check_iq(iq)
        return
    with pytest.raises(StanzaError) as caught:
        check_iq(iq)
    assert caught.value.condition == "bad-request"


def test_an_answer_goes_back_with_the_id() -> None:
    iq = Iq("get", JULIET, ROMEO, "7", (Element(Name("urn:x", "x")),), "en")
    for value, payloads in (
        (None, []),
        (Note("x"), [Element(Name("urn:example", "note"), {}, ("x",))]),
        (Element(Name("u", "y")), [Element(Name("u", "y"))]),
    ):
        answer = iq.answer(value)
        assert (answer.type, answer.to, answer.sender, answer.id) == ("result", ROMEO, JULIET, "7")
        assert list(answer.payloads) == payloads
        check_iq(answer)
