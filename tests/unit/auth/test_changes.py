"""What was proven before a change is void after it."""

import pytest

from pyrite.core.jid import JID
from pyrite.server.auth.changes import Changes

ROMEO, JULIET, TYBALT = (JID.parse(f"{name}@verona.lit") for name in ("romeo", "juliet", "tybalt"))


def test_before_while_and_after() -> None:
    changes = Changes()
    before = changes.mark()
    assert not changes.is_void(ROMEO, before)
    with changes.changing(ROMEO):
        meanwhile = changes.mark()
        assert changes.is_void(ROMEO, before)
        assert changes.is_void(ROMEO, meanwhile)
    assert changes.is_void(ROMEO, before)
    assert changes.is_void(ROMEO, meanwhile)
    assert not changes.is_void(ROMEO, changes.mark())
    assert not changes.is_void(JULIET, before)


def test_two_changes_at_once() -> None:
    changes = Changes()
    with changes.changing(ROMEO):
        with changes.changing(ROMEO):
            pass
        assert changes.is_void(ROMEO, changes.mark())
    assert not changes.is_void(ROMEO, changes.mark())


def test_a_change_that_fails_counts_too() -> None:
    changes = Changes()
    before = changes.mark()
    with pytest.raises(OSError), changes.changing(ROMEO):
        raise OSError
    assert changes.is_void(ROMEO, before)


def test_what_is_forgotten_is_taken_for_changed() -> None:
    changes = Changes(size=1)
    before = changes.mark()
    with changes.changing(ROMEO):
        pass
    between = changes.mark()
    with changes.changing(JULIET):
        pass
    assert changes.is_void(ROMEO, before)
    assert changes.is_void(TYBALT, before)  # for all that is known
    assert not changes.is_void(TYBALT, between)
    assert changes.is_void(JULIET, between)
