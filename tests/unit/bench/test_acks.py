"""The load answers for exactly what it got, however the bytes are split."""

import pytest
from bench.load.acks import ENABLED, RESUMED, Acks

BEFORE = b"<iq type='result' id='sync'/>"
STREAM = (
    BEFORE + b"<enabled xmlns='urn:xmpp:sm:3' id='1'/><message to='a'><body>x</body></message>"
    b"<presence from='b'/><r xmlns='urn:xmpp:sm:3'/>"
    b"<iq type='get' id='1'/><r xmlns='urn:xmpp:sm:3'/>"
)


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_any_split(size: int) -> None:
    told: list[bytes] = []
    acks = Acks(told.append)
    for at in range(0, len(STREAM), size):
        acks.feed(STREAM[at : at + size])
    assert acks.handled == 3
    assert told[-1] == b"<a xmlns='urn:xmpp:sm:3' h='3'/>"
    if size == 1:
        assert told[0] == b"<a xmlns='urn:xmpp:sm:3' h='2'/>"


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_the_server_says_of_ours(size: int) -> None:
    heard: list[int] = []
    acks = Acks([].append)
    acks.on_answer = heard.append
    stream = b"<enabled id='1'/><a xmlns='urn:xmpp:sm:3' h='3'/><message to='a'/><a h=\"12\"/>"
    for at in range(0, len(stream), size):
        acks.feed(stream[at : at + size])
    assert heard == [3, 12]
    assert acks.answered == 12
    assert acks.handled == 1


def test_it_goes_on_counting_on_another_stream() -> None:
    told: list[bytes] = []
    acks = Acks([].append)
    acks.feed(b"<enabled id='1'/><message to='a'/><iq type='result'/><mess")
    acks.go_on(told.append)
    acks.feed(b"<iq id='bind'/><resumed h='1' previd='1'/><message to='a'/><r xmlns='x'/>")
    assert told == [b"<a xmlns='urn:xmpp:sm:3' h='3'/>"]


@pytest.mark.parametrize(
    ("answer", "is_enabled"),
    [
        (b"<enabled xmlns='urn:xmpp:sm:3'/>", True),
        (b"<failed xmlns='urn:xmpp:sm:3'><unexpected-request/></failed>", False),
        (b"<failed xmlns='urn:xmpp:sm:3'/>", False),
    ],
)
def test_what_the_server_says(answer: bytes, is_enabled: bool) -> None:
    found = ENABLED.search(answer)
    assert found is not None
    assert (found[1] is not None) is is_enabled


@pytest.mark.parametrize(
    ("answer", "is_resumed"),
    [
        (b"<resumed xmlns='urn:xmpp:sm:3' h='1' previd='x'/>", True),
        (b"<failed xmlns='urn:xmpp:sm:3' h='1'><item-not-found/></failed>", False),
    ],
)
def test_whether_a_session_goes_on(answer: bytes, is_resumed: bool) -> None:
    found = RESUMED.search(answer)
    assert found is not None
    assert (found[1] is not None) is is_resumed
