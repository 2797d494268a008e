"""The judge itself: it finds each fault that is put into a fair history, and no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .history import History, Said, Session, numbers

TEN = [Said("romeo", "juliet", number) for number in range(10)]
BACK = [Said("juliet", "romeo", number) for number in range(10)]


def history() -> History:
    """A conversation that was broken off in its middle, which cost nothing."""
    made = History()
    for said in (*TEN, *BACK, TEN[5]):  # the last was sent once more in a new session
        made.say(said)
    made.acknowledged |= {*TEN[:9], *BACK}
    made.sessions = [
        Session("juliet", TEN[:6]),
        Session("juliet", TEN[3:]),  # what it had not acknowledged comes again
        Session("romeo", list(BACK)),
    ]
    both = [said for pair in zip(TEN, BACK, strict=True) for said in pair]
    made.archives = {"romeo": [*both, TEN[5]], "juliet": [*both]}
    return made


def found(made: History) -> list[tuple[str, str, str]]:
    return [(fault.kind, fault.said.id, fault.where) for fault in made.faults()]


def test_nothing_is_wrong_with_a_fair_history() -> None:
    assert found(history()) == []


def test_what_only_reached_its_receiver_is_not_lost() -> None:
    made = history()
    made.archives.clear()
    assert found(made) == []


def lose(made: History) -> None:
    """From the receiver's archive and from all of its sessions."""
    made.archives["juliet"].remove(TEN[4])
    for session in made.sessions:
        if TEN[4] in session.heard:
            session.heard.remove(TEN[4])


def leave_out_of_archive(made: History) -> None:
    made.archives["romeo"].remove(TEN[4])


def skip_in_a_session(made: History) -> None:
    made.sessions[1].heard.remove(TEN[4])


def double_in_a_session(made: History) -> None:
    made.sessions[1].heard.insert(3, TEN[4])


def double_in_an_archive(made: History) -> None:
    made.archives["juliet"].append(BACK[9])


def swap_in_a_session(made: History) -> None:
    heard = made.sessions[0].heard
    heard[1], heard[2] = heard[2], heard[1]


def swap_in_an_archive(made: History) -> None:
    archive = made.archives["juliet"]
    archive[0], archive[2] = archive[2], archive[0]


def invent(made: History) -> None:
    made.sessions[1].heard.append(Said("romeo", "juliet", 10))


def refuse(made: History) -> None:
    made.refused.add(TEN[4])


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            lose,
            [
                ("lost", "romeo>juliet>4", "all that juliet got"),
                ("not archived", "romeo>juliet>4", "archive of juliet"),
                ("skipped", "romeo>juliet>4", "session 0 of juliet"),
                ("skipped", "romeo>juliet>4", "session 1 of juliet"),
                ("skipped", "romeo>juliet>4", "archive of juliet"),
            ],
        ),
        (
            leave_out_of_archive,
            [
                ("not archived", "romeo>juliet>4", "archive of romeo"),
                ("skipped", "romeo>juliet>4", "archive of romeo"),
            ],
        ),
        (skip_in_a_session, [("skipped", "romeo>juliet>4", "session 1 of juliet")]),
        (double_in_a_session, [("doubled", "romeo>juliet>4", "session 1 of juliet")]),
        (double_in_an_archive, [("doubled", "juliet>romeo>9", "archive of juliet")]),
        (swap_in_a_session, [("out of order", "romeo>juliet>1", "session 0 of juliet")]),
        (swap_in_an_archive, [("out of order", "romeo>juliet>0", "archive of juliet")]),
        (invent, [("never said", "romeo>juliet>10", "session 1 of juliet")]),
        (refuse, [("refused", "romeo>juliet>4", "the sender's stream")]),
    ],
)
def test_a_fault_is_found(
    spoil: Callable[[History], None], expected: list[tuple[str, str, str]]
) -> None:
    made = history()
    spoil(made)
    assert found(made) == expected


def test_somebody_elses_copy_does_not_count() -> None:
    """What the sender has of it does not make up for what the receiver has not."""
    made = history()
    made.archives.clear()
    made.sessions = [Session("romeo", [*TEN, *BACK])]
    assert [fault.said for fault in made.faults()] == TEN[:9]


def test_a_message_sent_in_two_sessions_may_come_twice_but_not_three_times() -> None:
    made = history()
    made.sessions[1].heard.append(TEN[5])
    assert found(made) == []
    made.sessions[1].heard.append(TEN[5])
    assert found(made) == [("doubled", "romeo>juliet>5", "session 1 of juliet")]


def test_a_message_that_was_sent_again_may_come_late_but_not_in_an_archive() -> None:
    made = history()
    for heard in (made.sessions[1].heard, made.archives["juliet"]):
        heard.remove(TEN[5])
        heard.insert(heard.index(TEN[7]) + 1, TEN[5])
    assert found(made) == [("out of order", "romeo>juliet>5", "archive of juliet")]


def test_what_was_on_its_way_when_the_server_died_may_be_missing_in_the_next_life() -> None:
    made = history()
    made.sessions[1].life = 1
    made.sessions[1].heard.remove(TEN[6])
    assert found(made) == []
    made.born[TEN[6]] = 1
    assert found(made) == [("skipped", "romeo>juliet>6", "session 1 of juliet")]


def test_what_was_never_acknowledged_may_be_gone() -> None:
    made = history()
    for heard in (*(session.heard for session in made.sessions), *made.archives.values()):
        while TEN[9] in heard:
            heard.remove(TEN[9])
    assert found(made) == []


def test_the_conversation_is_told() -> None:
    made = history()
    lose(made)
    assert made.tell(made.faults(), most=1).split("\n") == [
        "5 faults: {'lost': 1, 'not archived': 1, 'skipped': 3}",
        "lost: romeo>juliet>4: all that juliet got",
        "  sent 0-9",
        "  acknowledged: 0-8",
        "  session 0 of juliet: 0-3 5",
        "  session 1 of juliet: 3 5-9",
        "  archive of romeo: 0-9 5",
        "  archive of juliet: 0-3 5-9",
    ]


def test_numbers_are_told_short() -> None:
    assert numbers([]) == ""
    assert numbers([TEN[1], *TEN[3:6], TEN[2], TEN[2]]) == "1 3-5 2 2"
