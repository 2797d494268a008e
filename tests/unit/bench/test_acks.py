"""The load answers for exactly what it got, however the bytes are split."""

import pytest
from bench.load.acks import ENABLED, Acks

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
