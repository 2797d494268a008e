"""The errors of the protocol: each has a name that is defined, and a text that is bounded."""

from __future__ import annotations

import pytest

from pyrite.core.errors import (
    MAX_ERROR_TEXT,
    SASL_CONDITIONS,
    STREAM_CONDITIONS,
    TYPE_OF,
    SaslError,
    StanzaError,
    StreamError,
)

CASES = [
    (StanzaError, frozenset(TYPE_OF)),
    (StreamError, STREAM_CONDITIONS),
    (SaslError, SASL_CONDITIONS),
]


@pytest.mark.parametrize(("kind", "conditions"), CASES)
def test_only_defined_conditions(kind: type, conditions: frozenset[str]) -> None:
    for condition in conditions:
        error = kind(condition, "why")
        assert (error.condition, error.text) == (condition, "why")
        assert str(error) == f"{condition}: why"
    assert str(kind(next(iter(conditions)))) in conditions
    with pytest.raises(KeyError):
        kind("no-such-condition")


@pytest.mark.parametrize(("kind", "conditions"), CASES)
def test_the_text_is_bounded(kind: type, conditions: frozenset[str]) -> None:
    assert len(kind(next(iter(conditions)), "x" * 10_000).text) == MAX_ERROR_TEXT


def test_the_counts_are_those_of_the_specification() -> None:
    """RFC 6120 §8.3.3 with §4.9.3 and §6.5."""
    assert (len(TYPE_OF), len(STREAM_CONDITIONS), len(SASL_CONDITIONS)) == (22, 25, 11)


def test_a_stanza_error_has_the_type_of_its_condition_unless_told() -> None:
    assert StanzaError("item-not-found").type == "cancel"
    assert StanzaError("item-not-found", type="wait").type == "wait"
