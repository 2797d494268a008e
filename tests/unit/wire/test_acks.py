"""What says that something went wrong with acknowledgements, in both directions."""

import pytest

from pyrite.core.ack import Acks, WrongCountError
from pyrite.core.errors import TYPE_OF, StanzaError
from pyrite.core.payload import decode, encode
from pyrite.core.stream import Stream, read_error
from pyrite.core.xml import Element, parse
from pyrite.wire import acks

NS = acks.NS
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


@pytest.mark.parametrize("condition", sorted(TYPE_OF))
@pytest.mark.parametrize("h", [None, 0, 2**32 - 1])
def test_a_failure_is_a_stanza_error(condition: str, h: int | None) -> None:
    """Rule 63, §6: not that of a stream."""
    element = encode(acks.failed(StanzaError(condition), h))
    assert [child.name for child in element.elements] == [(STANZAS, condition)]
    read = decode(acks.Failed, element)
    assert (read.error.condition, read.h) == (condition, h)


@pytest.mark.parametrize(
    "inside",
    ["", f"<unheard-of xmlns='{STANZAS}'/>", "<item-not-found/>", f"<text xmlns='{STANZAS}'/>"],
)
def test_a_failure_that_says_nothing(inside: str) -> None:
    read = decode(acks.Failed, parse(f"<failed xmlns='{NS}'>{inside}</failed>"))
    assert read.error.condition == "undefined-condition"


@pytest.mark.parametrize(
    ("cls", "xml"),
    [
        (acks.Ack, "<a xmlns='urn:xmpp:sm:3'/>"),
        (acks.Ack, "<a xmlns='urn:xmpp:sm:3' h='-1'/>"),
        (acks.Ack, "<a xmlns='urn:xmpp:sm:3' h='4294967296'/>"),
        (acks.Ack, "<a xmlns='urn:xmpp:sm:3' h='1e3'/>"),
        (acks.Resumed, "<resumed xmlns='urn:xmpp:sm:3' h='1'/>"),
        (acks.Resumed, "<resumed xmlns='urn:xmpp:sm:3' previd='1'/>"),
    ],
)
def test_what_is_no_such_thing(cls: type, xml: str) -> None:
    with pytest.raises(StanzaError, match="bad-request"):
        decode(cls, parse(xml))


@pytest.mark.parametrize("wish", ["", "max='0'", "max='1e9'", "max='-1'", "resume='yes'"])
def test_what_a_client_asks_for_wrongly(wish: str) -> None:
    """§6: that is no reason to end its stream."""
    read = decode(acks.Enable, parse(f"<enable xmlns='{NS}' {wish}/>"))
    assert not read.resume
    assert read.max is None


@pytest.mark.parametrize("attributes", ["", "h='-1' previd=''", "h='4294967296'", "h='one'"])
def test_what_is_to_be_resumed_wrongly(attributes: str) -> None:
    """§6."""
    assert decode(acks.Resume, parse(f"<resume xmlns='{NS}' {attributes}/>")) == acks.Resume()


def test_a_count_that_is_too_high_ends_the_stream() -> None:
    """Rule 62, §6: with what was acknowledged and what was sent, both times as counts."""
    counted: Acks[str] = Acks()
    counted.send(["8"] * 8)
    with pytest.raises(WrongCountError) as caught:
        counted.acknowledge(10)
    stream = Stream()
    stream.open()
    stream.close(acks.stream_error(caught.value))
    *_, error, _ = Stream().feed(stream.take())
    assert isinstance(error, Element)
    said = read_error(error)
    assert said.condition == "undefined-condition"
    assert "10" in said.text
    assert said.app is not None
    assert decode(acks.HandledCountTooHigh, said.app) == acks.HandledCountTooHigh(10, 8)
