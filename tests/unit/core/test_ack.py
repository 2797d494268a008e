"""Counts of what was handled, around the end of their range too (XEP-0198 §4, §5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pyrite.core.ack import MODULUS, Acks, WrongCountError

STARTS = st.sampled_from((0, 1, MODULUS - 3, MODULUS - 1)) | st.integers(0, MODULUS - 1)


def begun(at: int) -> Acks[int]:
    """As after `at` stanzas in each direction, all of them acknowledged."""
    acks: Acks[int] = Acks()
    acks.sent = acks.handled = at
    return acks


@given(STARTS, st.integers(0, 30), st.integers(0, MODULUS - 1))
def test_every_h_there_is(start: int, count: int, h: int) -> None:
    """Rule 62: exactly what was sent since the last one is acknowledged, or it is a mistake."""
    acks = begun(start)
    acks.send(range(count))
    good = [(start + n) % MODULUS for n in range(count + 1)]
    if h not in good:
        with pytest.raises(WrongCountError) as caught:
            acks.acknowledge(h)
        assert (caught.value.h, caught.value.sent) == (h, good[-1])
        assert list(acks.unacknowledged) == list(range(count))
    for number, each in enumerate(good):
        assert acks.acknowledge(each) == ([number - 1] if number else [])
    assert acks.acknowledged == acks.sent == good[-1]


@given(STARTS, st.lists(st.integers(1, 5)))
def test_what_is_handled(start: int, counts: list[int]) -> None:
    """§4: from 2**32 - 1 back to zero."""
    acks = begun(start)
    for count in counts:
        acks.handle(count)
    assert acks.handled == (start + sum(counts)) % MODULUS


def test_it_begins_at_zero() -> None:
    """Rule 62."""
    acks: Acks[str] = Acks()
    assert (acks.handled, acks.sent, acks.acknowledged) == (0, 0, 0)
    assert acks.acknowledge(0) == []


def test_a_peer_takes_nothing_back() -> None:
    """What was acknowledged is not here any more, so it cannot be sent again."""
    acks: Acks[str] = Acks()
    acks.send("abc")
    assert acks.acknowledge(2) == ["a", "b"]
    with pytest.raises(WrongCountError, match=r"acknowledged 1 .* where 2 .* and 3 sent"):
        acks.acknowledge(1)
    assert list(acks.unacknowledged) == ["c"]


class Broken(RuleBasedStateMachine):
    """Two ends, a way between them that breaks, and resumption: each stanza arrives once."""

    @initialize(start=STARTS)
    def begin(self, start: int) -> None:
        self.here: Acks[int] = begun(start)
        self.there: Acks[int] = begun(start)
        self.arrived: list[int] = []
        self.count = 0
        self.under_way: list[int] = []

    @rule(number=st.integers(1, 5))
    def send(self, number: int) -> None:
        stanzas = range(self.count, self.count + number)
        self.here.send(stanzas)
        self.under_way += stanzas
        self.count += number

    @rule(number=st.integers(0, 5))
    def arrive(self, number: int) -> None:
        arriving, self.under_way = self.under_way[:number], self.under_way[number:]
        self.arrived += arriving
        self.there.handle(len(arriving))

    @rule()
    def acknowledge(self) -> None:
        self.here.acknowledge(self.there.handled)

    @rule()
    def resume(self) -> None:
        """What was under way is lost; what is unacknowledged goes out again, in its order."""
        self.here.acknowledge(self.there.handled)
        self.under_way = self.here.rewind()
        self.here.send(self.under_way)

    @rule()
    def fail_to_resume(self) -> None:
        """As `resume`, but the new way breaks before anything is sent on it."""
        self.here.acknowledge(self.there.handled)
        again = self.here.rewind()
        with pytest.raises(WrongCountError):
            self.here.acknowledge((self.there.handled + 1) % MODULUS)
        self.here.send(again)
        self.under_way = again

    @invariant()
    def nothing_is_lost_or_comes_twice(self) -> None:
        if hasattr(self, "arrived"):
            assert self.arrived + self.under_way == list(range(self.count))


TestBroken = Broken.TestCase
