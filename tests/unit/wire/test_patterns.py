"""Patterns that a peer chooses mean what POSIX says, and none of them takes long."""

import re
from contextlib import suppress
from itertools import product
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.wire import dataforms
from pyrite.wire.dataforms import Field, Validate, Value
from pyrite.wire.dataforms.pattern import Pattern, TooMuch, understood


def one(rule: Validate, text: str) -> Value:
    return dataforms.typed(Field("x", "text-single", validate=rule), (text,))


FITS = [
    ("([0-9]{3})-([0-9]{2})-([0-9]{4})", ["123-12-1234"], ["123-12-12345", "x123-12-1234", ""]),
    ("", [""], ["a"]),
    ("a|b|", ["a", "b", ""], ["ab"]),
    ("(ab)+c?", ["ab", "ababc"], ["c", "aba"]),
    ("a{2}", ["aa"], ["a", "aaa"]),
    ("a{1,2}b{0,}", ["a", "aabbb"], ["aaa", "b"]),
    ("(a|bc){2,3}", ["aa", "bcabc"], ["a", "aaaa"]),
    ("^a$", ["a"], ["ba"]),
    ("a^b", [], ["ab", "a^b"]),
    ("(^a|b$)+", ["a", "b", "ab"], ["ba"]),
    ("[]a]+", ["]a]"], ["b"]),
    ("[^]a]", ["b"], ["]", "a"]),
    ("[a-cx-]+", ["abcx-"], ["d"]),
    ("[-a]+", ["-a"], ["b"]),
    ("[[:alpha:][:digit:]_]+", ["aé1_"], ["-", "\u0661 "]),
    ("[[:upper:]][[:lower:]]*", ["Ärger"], ["ärger"]),
    ("[[.-.]a[=b=]]+", ["-ab"], ["c"]),
    (r"\.\*\\", [".*\\"], ["a"]),
    (r"\d+\s\w\D", ["12 x-"], ["12 x1"]),
    (".", ["\U0001f600", "\n"], ["ab"]),
    ("a]}", ["a]}"], ["a"]),
    ("(a*)*", ["", "aaa"], ["b"]),
    ("()", [""], ["a"]),
    ("((a{0,2}){0,2}b)?", ["", "aaaab"], ["aaaaab"]),
]
NOT_UNDERSTOOD = [
    "(", ")", "a)", "[a", "[", "*a", "a**", "a*?", "a++", "(?:a)", "(?=a)", r"\1", r"\b", "a{x}",
    "a{", "a{2,1}", "a{256}", "a{,2}", "{1}", r"[\w]", "[z-a]", "[[:nope:]]", "[[.ab.]]", "^*",
    "a" * 1001, "(" * 41 + ")" * 41, "((((a{99}){99}){99}){99}){99}", "\\", "[a-[:alpha:]]",
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "fits", "fails"), FITS)
def test_patterns(pattern: str, fits: list[str], fails: list[str]) -> None:
    compiled = Pattern(pattern)
    assert [text for text in fits if not compiled.fits(text)] == []
    assert [text for text in fails if compiled.fits(text)] == []


@pytest.mark.parametrize("pattern", NOT_UNDERSTOOD)
def test_patterns_that_are_not_understood(pattern: str) -> None:
    """§4: what is not understood is as if it were not there."""
    with pytest.raises(ValueError):
        Pattern(pattern)
    assert understood(pattern) is None
    assert one(Validate(regex=pattern), "anything") == "anything"
    with pytest.raises(ValueError):  # and what is understood still counts
        one(Validate("xs:integer", regex=pattern), "anything")


PARTS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", ""]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, st.sampled_from("*+?")).map(lambda two: f"({two[0]}){two[1]}"),
        st.tuples(inner, st.sampled_from(["{2}", "{1,2}", "{0,}"])).map(
            lambda two: f"({two[0]}){two[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(PARTS)
def test_patterns_mean_what_they_mean_elsewhere(pattern: str) -> None:
    """Compared on all short texts with an engine that goes back."""
    ours, other = Pattern(pattern), re.compile(pattern, re.S)
    for size in range(5):
        for text in map("".join, product("ab", repeat=size)):
            assert ours.fits(text) == bool(other.fullmatch(text)), text


@settings(deadline=None)
@given(st.text("ab()[]{}^$|*+?.\\-:,12", max_size=30), st.text("ab-1", max_size=20))
def test_any_pattern_is_understood_or_not(pattern: str, text: str) -> None:
    with suppress(ValueError):
        assert one(Validate(regex=pattern), text) == text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+", "a" * 5000 + "b"),
        ("(a|a)*", "a" * 5000 + "b"),
        ("(a*)*" * 20, "a" * 3000 + "b"),
        ("(((a{0,6}){0,6}){0,6})*b", "a" * 200_000),
        ("(.*a){20}", "a" * 200_000),
        ("a?" * 300 + "a" * 300, "a" * 299),
    ],
)
def test_no_pattern_takes_long(pattern: str, text: str) -> None:
    """An engine that goes back would not come to an end with any of these."""
    before = process_time()
    for _ in range(2):
        with pytest.raises(ValueError):
            one(Validate(regex=pattern), text)
    assert process_time() - before < 2.0  # some 50 ms each, on a slow machine


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(TooMuch):
        Pattern("(a|b)*").fits("a" * 1_000_000)
