"""Stanzas are counted alike however the bytes are split."""

import pytest
from bench.load.count import Counter
from hypothesis import given, settings
from hypothesis import strategies as st

END = b"</message>"


@given(
    st.lists(st.sampled_from([END, b"</mess", b"age>", b"<", b"x"]), max_size=12),
    st.lists(st.integers(1, 15), max_size=30),
)
@settings(max_examples=300, deadline=None)
def test_any_split(parts: list[bytes], sizes: list[int]) -> None:
    data = b"".join(parts)
    counter, at = Counter(END), 0
    for size in [*sizes, len(data) + 1]:
        counter.feed(data[at : at + size])
        at += size
    assert counter.total == data.count(END)


@pytest.mark.parametrize("cut", range(len(END) + 1))
def test_cut_in_two(cut: int) -> None:
    counter = Counter(END)
    assert counter.feed(END + END[:cut]) == 1 + (cut == len(END))
    assert counter.feed(END[cut:]) == (cut < len(END))
    assert counter.total == 2
