"""Local delivery against RFC 6121 §8.5.4, table 1, and the text around it."""

import pytest

from pyrite.core.stanza import Iq, Message, Presence
from pyrite.core.xml import Element, Name
from pyrite.wire.delivery import KINDS, NS_ROOM_USER, TABLE, Action, Target, decide, kind_of, target

ALLOWED = {
    "S": {Action.IGNORE},
    "E": {Action.REFUSE},
    "O": {Action.STORE},
    "D": {Action.DELIVER, Action.DELIVER_WILLING},
    "M": {Action.DELIVER_WILLING},
    "A": {Action.DELIVER_WILLING},
}

#: What is there, is it a full address, and the allowed actions for normal, chat, groupchat and
#: headline. "Full match" is one row there and here: a match hides what else is connected.
TABLE_1 = [
    (Target.NO_ACCOUNT, False, "S/E", "S/E", "E", "S"),
    (Target.NO_ACCOUNT, True, "S/E", "S/E", "S/E", "S/E"),
    (Target.ABSENT, False, "O/E", "O/E", "E", "S"),
    (Target.ABSENT, True, "S/E", "O/E", "S/E", "S/E"),
    (Target.NEGATIVE, False, "O/E", "O/E", "E", "S"),
    (Target.NEGATIVE, True, "S/E", "O/E", "S/E", "S/E"),
    (Target.PRESENT, False, "M/A", "M/A", "E", "A"),
    (Target.PRESENT, True, "S/E", "M/A", "S/E", "S/E"),
    (Target.MATCH, True, "D", "D", "D", "D"),
]


@pytest.mark.parametrize("row", TABLE_1, ids=str)
def test_table_1(row: tuple) -> None:  # type: ignore[type-arg]
    there, is_full, *columns = row
    for kind, allowed in zip(("normal", "chat", "groupchat", "headline"), columns, strict=True):
        options = set().union(*(ALLOWED[letter] for letter in allowed.split("/")))
        assert decide(Message(kind), is_full, there) in options


def test_the_table_is_complete() -> None:
    for kind in KINDS:
        for there in Target:
            if there is not Target.MATCH:
                assert (kind, False, there) in TABLE
            assert (kind, True, there) in TABLE


def test_no_answer_tells_whether_an_account_exists() -> None:
    """Silence for nobody is silence for somebody who is away; so is an error."""
    silent = {Action.IGNORE, Action.STORE, Action.SUBSCRIPTION}
    for kind in KINDS - {"iq/request", "iq/answer", "presence/probe"}:
        for is_full in (False, True):
            nobody = TABLE[kind, is_full, Target.NO_ACCOUNT]
            away = TABLE[kind, is_full, Target.ABSENT]
            assert (nobody in silent) is (away in silent), (kind, is_full)


@pytest.mark.parametrize("there", list(Target))
@pytest.mark.parametrize("is_full", [False, True])
def test_errors_are_never_answered(there: Target, is_full: bool) -> None:
    if there is Target.MATCH and not is_full:
        return
    for stanza in (Message("error"), Presence("error"), Iq("error"), Iq("result")):
        assert decide(stanza, is_full, there) in (Action.IGNORE, Action.DELIVER, Action.SERVER)


ROWS = [
    # presence
    (Presence(), False, Target.NO_ACCOUNT, Action.IGNORE),
    (Presence(), False, Target.ABSENT, Action.IGNORE),
    (Presence(), False, Target.NEGATIVE, Action.DELIVER_AVAILABLE),
    (Presence("unavailable"), False, Target.PRESENT, Action.DELIVER_AVAILABLE),
    (Presence("unavailable"), True, Target.PRESENT, Action.IGNORE),
    (Presence("unavailable"), True, Target.MATCH, Action.DELIVER),
    (Presence("subscribe"), False, Target.NO_ACCOUNT, Action.IGNORE),
    (Presence("subscribe"), False, Target.ABSENT, Action.SUBSCRIPTION),
    (Presence("subscribe"), True, Target.ABSENT, Action.SUBSCRIPTION),
    (Presence("subscribe"), True, Target.MATCH, Action.SUBSCRIPTION),
    (Presence("unsubscribed"), True, Target.PRESENT, Action.IGNORE),
    (Presence("unsubscribed"), True, Target.MATCH, Action.SUBSCRIPTION),
    (Presence("probe"), False, Target.NO_ACCOUNT, Action.UNSUBSCRIBED),
    (Presence("probe"), False, Target.ABSENT, Action.PROBE),
    (Presence("probe"), True, Target.MATCH, Action.PROBE),
    (Presence("error"), True, Target.MATCH, Action.DELIVER),
    (Presence("error"), False, Target.PRESENT, Action.IGNORE),
    (Presence("odd"), False, Target.PRESENT, Action.IGNORE),
    # iq
    (Iq("get"), False, Target.NO_ACCOUNT, Action.REFUSE),
    (Iq("set"), True, Target.NO_ACCOUNT, Action.REFUSE),
    (Iq("get"), False, Target.PRESENT, Action.SERVER),
    (Iq("get"), True, Target.PRESENT, Action.REFUSE),
    (Iq("get"), True, Target.MATCH, Action.DELIVER),
    (Iq("result"), True, Target.MATCH, Action.DELIVER),
    (Iq("result"), True, Target.PRESENT, Action.IGNORE),
    (Iq("result"), False, Target.PRESENT, Action.SERVER),
    # messages
    (Message(), False, Target.PRESENT, Action.DELIVER_WILLING),
    (Message("odd"), False, Target.ABSENT, Action.STORE),
    (Message("error"), True, Target.MATCH, Action.DELIVER),
]


@pytest.mark.parametrize(("stanza", "is_full", "there", "action"), ROWS, ids=str)
def test_the_rest(stanza: object, is_full: bool, there: Target, action: Action) -> None:
    assert decide(stanza, is_full, there) is action  # type: ignore[arg-type]


def test_an_occupant_who_is_gone_is_told_of() -> None:
    mark = Element(Name(NS_ROOM_USER, "x"))
    private = Message("chat", payloads=[mark])
    assert kind_of(private) == "message/occupant"
    assert decide(private, True, Target.PRESENT) is Action.REFUSE
    assert decide(private, True, Target.MATCH) is Action.DELIVER
    assert decide(Message("chat"), True, Target.PRESENT) is Action.DELIVER_WILLING


@pytest.mark.parametrize(
    ("priorities", "there"),
    [
        ([], Target.ABSENT),
        ([-1], Target.NEGATIVE),
        ([-128, -1], Target.NEGATIVE),
        ([0], Target.PRESENT),
        ([-1, 127], Target.PRESENT),
    ],
)
def test_what_is_there(priorities: list[int], there: Target) -> None:
    assert target(priorities) is there


def test_only_stanzas_are_delivered() -> None:
    with pytest.raises(TypeError):
        kind_of("x")  # type: ignore[arg-type]
