"""The subscription machine against the eight tables of RFC 6121 appendix A, row by row."""

import pytest

from pyrite.wire.subscription import KINDS, MOVES, State, move, removal, state_of

N, NO, NI, NOI = "none", "none+out", "none+in", "none+out+in"
T, TI, F, FO, B = "to", "to+in", "from", "from+out", "both"
NAMES = dict(zip((N, NO, NI, NOI, T, TI, F, FO, B), State, strict=True))
SAME = None

#: (state, does the stanza go on, new state), as the tables have them: Y is MUST, n is M.N. or S.N.
A_2_1 = [(N, "Y", NO), (NO, "Y", SAME), (NI, "Y", NOI), (NOI, "Y", SAME), (T, "Y", SAME),
         (TI, "Y", SAME), (F, "Y", FO), (FO, "Y", SAME), (B, "Y", SAME)]  # fmt: skip
A_2_2 = [(N, "Y", SAME), (NO, "Y", N), (NI, "Y", SAME), (NOI, "Y", NI), (T, "Y", N),
         (TI, "Y", NI), (F, "Y", SAME), (FO, "Y", F), (B, "Y", F)]  # fmt: skip
A_2_3 = [(N, "n", SAME), (NO, "n", SAME), (NI, "Y", F), (NOI, "Y", FO), (T, "n", SAME),
         (TI, "Y", B), (F, "n", SAME), (FO, "n", SAME), (B, "n", SAME)]  # fmt: skip
A_2_4 = [(N, "n", SAME), (NO, "n", SAME), (NI, "Y", N), (NOI, "Y", NO), (T, "n", SAME),
         (TI, "Y", T), (F, "Y", N), (FO, "Y", NO), (B, "Y", T)]  # fmt: skip
A_3_1 = [(N, "Y", NI), (NO, "Y", NOI), (NI, "n", SAME), (NOI, "n", SAME), (T, "Y", TI),
         (TI, "n", SAME), (F, "n", SAME), (FO, "n", SAME), (B, "n", SAME)]  # fmt: skip
A_3_2 = [(N, "n", SAME), (NO, "n", SAME), (NI, "Y", N), (NOI, "Y", NO), (T, "n", SAME),
         (TI, "Y", T), (F, "Y", N), (FO, "Y", NO), (B, "Y", T)]  # fmt: skip
A_3_3 = [(N, "n", SAME), (NO, "Y", T), (NI, "n", SAME), (NOI, "Y", TI), (T, "n", SAME),
         (TI, "n", SAME), (F, "n", SAME), (FO, "Y", B), (B, "n", SAME)]  # fmt: skip
A_3_4 = [(N, "n", SAME), (NO, "Y", N), (NI, "n", SAME), (NOI, "Y", NI), (T, "Y", N),
         (TI, "Y", NI), (F, "n", SAME), (FO, "Y", F), (B, "Y", F)]  # fmt: skip

TABLES = {
    ("out", "subscribe"): A_2_1,
    ("out", "unsubscribe"): A_2_2,
    ("out", "subscribed"): A_2_3,
    ("out", "unsubscribed"): A_2_4,
    ("in", "subscribe"): A_3_1,
    ("in", "unsubscribe"): A_3_2,
    ("in", "subscribed"): A_3_3,
    ("in", "unsubscribed"): A_3_4,
}

ROWS = [
    (NAMES[old], direction, kind, goes_on == "Y", NAMES[new or old])
    for (direction, kind), table in TABLES.items()
    for old, goes_on, new in table
]


def test_there_are_eight_times_nine_rows() -> None:
    assert len(ROWS) == 72
    assert len(MOVES) == 72 * 2  # with and without approval in advance


@pytest.mark.parametrize(("state", "direction", "kind", "goes_on", "new"), ROWS)
def test_appendix_a(state: State, direction: str, kind: str, goes_on: bool, new: State) -> None:
    done = move(state, direction, kind)  # type: ignore[arg-type]
    assert done.state is new
    assert (done.route if direction == "out" else done.deliver) is goes_on
    assert not (done.deliver if direction == "out" else done.route)


@pytest.mark.parametrize("row", MOVES.items(), ids=str)
def test_every_move(row: tuple) -> None:  # type: ignore[type-arg]
    (state, direction, _kind, approved), done = row
    shown = (state.subscription, state.ask, approved)
    assert done.push is ((done.state.subscription, done.state.ask, done.approved) != shown)
    gains, loses = (
        done.state.shares_presence and not state.shares_presence,
        state.shares_presence and not done.state.shares_presence,
    )
    assert done.presence == ("available" if gains else "unavailable" if loses else None)
    if direction == "out":
        assert done.reply is None


@pytest.mark.parametrize("state", [State.FROM, State.FROM_PENDING_OUT, State.BOTH])
def test_a_request_already_granted_is_answered_by_the_server(state: State) -> None:
    done = move(state, "in", "subscribe")
    assert (done.reply, done.deliver, done.push) == ("subscribed", False, False)


@pytest.mark.parametrize("state", list(State))
def test_unsubscribe_is_answered_when_it_changed_something(state: State) -> None:
    done = move(state, "in", "unsubscribe")
    assert (done.reply == "unsubscribed") is (done.state is not state)


def test_a_pending_request_is_no_push() -> None:
    """What waits for an answer is not in the roster (rule: never show None + Pending In)."""
    assert not move(State.NONE, "in", "subscribe").push
    assert not move(State.NONE_PENDING_IN, "in", "unsubscribe").push
    assert not move(State.NONE_PENDING_IN, "out", "unsubscribed").push


PRE_APPROVAL = [
    (State.NONE, State.FROM),
    (State.NONE_PENDING_OUT, State.FROM_PENDING_OUT),
    (State.TO, State.BOTH),
]


@pytest.mark.parametrize(("state", "granted"), PRE_APPROVAL)
def test_pre_approval(state: State, granted: State) -> None:
    """§3.4.2: noted and pushed, not routed; a request is then answered, and not delivered."""
    noted = move(state, "out", "subscribed")
    assert (noted.state, noted.approved, noted.push, noted.route) == (state, True, True, False)
    again = move(state, "out", "subscribed", approved=True)
    assert (again.approved, again.push, again.route) == (True, False, False)
    asked = move(state, "in", "subscribe", approved=True)
    assert asked.state is granted
    assert (asked.reply, asked.deliver, asked.push) == ("subscribed", False, True)
    assert asked.presence == "available"


@pytest.mark.parametrize("state", [s for s, _ in PRE_APPROVAL])
def test_pre_approval_is_taken_back(state: State) -> None:
    """§3.2.2: removed and pushed; the contact, who never knew, is told nothing."""
    done = move(state, "out", "unsubscribed", approved=True)
    assert (done.approved, done.push, done.route, done.presence) == (False, True, False, None)


def test_unsubscribed_ends_the_approval_too() -> None:
    done = move(State.BOTH, "out", "unsubscribed", approved=True)
    assert (done.state, done.approved, done.route) == (State.TO, False, True)
    assert done.presence == "unavailable"


def test_stored_facts_and_states_agree() -> None:
    for state in State:
        assert state_of(state.subscription, state.ask, state.is_pending_in) is state
    with pytest.raises(ValueError):
        state_of("both", "subscribe", False)
    assert len(KINDS) == 4


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        (State.NONE, ()),
        (State.NONE_PENDING_OUT, ("unsubscribe",)),
        (State.NONE_PENDING_IN, ("unsubscribed",)),
        (State.TO, ("unsubscribe",)),
        (State.FROM, ("unsubscribed",)),
        (State.BOTH, ("unsubscribe", "unsubscribed")),
    ],
)
def test_removal_ends_what_there_was(state: State, sent: tuple[str, ...]) -> None:
    assert removal(state) == sent
    for kind in sent:
        state = move(state, "out", kind).state  # type: ignore[arg-type]
    assert state is State.NONE


def test_two_servers_agree_in_the_end() -> None:
    """Whatever two users do, one after the other, each one's ``to`` is the other's ``from``."""
    seen = set()
    todo = [(State.NONE, State.NONE)]
    while todo:
        pair = todo.pop()
        if pair in seen:
            continue
        seen.add(pair)
        for kind in KINDS:
            todo.append(_play(pair, kind))
            todo.append(_play(pair[::-1], kind)[::-1])
    for one, other in seen:
        assert one.sees_presence == other.shares_presence
        assert one.shares_presence == other.sees_presence


def _play(pair: tuple[State, State], kind: str) -> tuple[State, State]:
    """The first user sends `kind`; what servers answer is played too."""
    mine = move(pair[0], "out", kind)  # type: ignore[arg-type]
    if not mine.route:
        return mine.state, pair[1]
    theirs = move(pair[1], "in", kind)  # type: ignore[arg-type]
    state = mine.state
    if theirs.reply:
        state = move(state, "in", theirs.reply).state
    return state, theirs.state
