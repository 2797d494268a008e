"""Expat gives a token as soon as it is whole, whatever Expat and whatever Python it is."""

import itertools
from xml.parsers import expat

from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.xml.deferral import give_at_once


@given(st.integers(0, 2000), st.lists(st.integers(0, 2100), max_size=5))
def test_a_tag_in_pieces_is_not_held_back(length: int, cuts: list[int]) -> None:
    parser = expat.ParserCreate("UTF-8", "\n")
    give_at_once(parser)
    seen: list[str] = []
    parser.StartElementHandler = lambda name, _: seen.append(name)
    tag = f'<stanza to="{"x" * length}">'.encode()
    parser.Parse(b"<stream>")
    places = sorted({0, len(tag), *(cut for cut in cuts if cut < len(tag))})
    for start, end in itertools.pairwise(places):
        parser.Parse(tag[start:end])
    assert seen == ["stream", "stanza"]


def test_octet_by_octet() -> None:
    parser = expat.ParserCreate("UTF-8", "\n")
    give_at_once(parser)
    seen: list[str] = []
    parser.EndElementHandler = seen.append
    for octet in b"<s><message><body>hello</body></message>":
        parser.Parse(bytes((octet,)))
    assert seen == ["body", "message"]
