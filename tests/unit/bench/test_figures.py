"""Quantiles, slopes, medians of runs, ratios, the table and the budget."""

import json

import pytest
from bench.record import Record, compared, merged
from bench.stats import quantile, slope, spread
from bench.table import budget, table
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.lists(st.floats(0, 1e6), min_size=1, max_size=50).map(sorted)


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([7], 0.5, 7),
        ([7], 0.99, 7),
        ([1, 2, 3, 4], 0.5, 2),
        ([1, 2, 3, 4, 5], 0.5, 3),
        (range(1, 101), 0.99, 99),
        (range(1, 201), 0.99, 198),
        (range(1, 11), 1.0, 10),
    ],
)
def test_quantile(values: list[float], q: float, expected: float) -> None:
    assert quantile(list(values), q) == expected


@given(NUMBERS, st.floats(0.01, 1.0))
def test_as_many_as_it_says_are_not_above_a_quantile(values: list[float], q: float) -> None:
    chosen = quantile(values, q)
    assert chosen in values
    assert sum(value <= chosen for value in values) >= q * len(values) - 1e-9


def test_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_slope_of_a_line(rise: float, start: float) -> None:
    points = [(x, start + rise * x) for x in range(10)]
    assert slope(points) == pytest.approx(rise, abs=1e-6)


def test_spread() -> None:
    assert spread([9, 10, 12]) == pytest.approx(0.3)
    assert spread([0, 0]) == 0


def chat(server: str, cpu: float, transport: str = "plain", messages: int = 100) -> Record:
    return Record("chat", server, "1", transport, cpu_us_per_message=cpu, messages=messages)


def test_the_median_of_several_runs() -> None:
    record = merged([chat("prosody", cpu, messages=int(cpu)) for cpu in (60.0, 50.0, 58.0)])
    assert (record.cpu_us_per_message, record.messages, record.repeat) == (58.0, 58, 3)
    assert record.spread == pytest.approx(10 / 58)
    assert record.p50_ms is None


def test_one_run_is_itself() -> None:
    record = chat("prosody", 60.0)
    assert merged([record]) is record


def test_ratio_to_each_peer_and_to_the_better() -> None:
    peers = [chat("prosody", 60.0), chat("ejabberd", 80.0), chat("ejabberd", 1.0, "tls")]
    assert compared(chat("pyrite", 30.0), peers).ratio == {
        "prosody": 0.5,
        "ejabberd": 0.375,
        "better": 0.5,
    }
    assert compared(peers[0], peers).ratio == {"ejabberd": 0.75, "better": 0.75}


def test_no_ratio_without_peers() -> None:
    assert compared(chat("pyrite", 30.0), []).ratio == {}


def test_a_record_is_one_line_of_json() -> None:
    line = compared(chat("pyrite", 30.12345), [chat("prosody", 60.0)]).line()
    assert "\n" not in line
    read = json.loads(line)
    assert (read["scenario"], read["server"], read["cpu_us_per_message"]) == (
        "chat",
        "pyrite",
        30.123,
    )
    assert read["ratio"] == {"prosody": 0.502, "better": 0.502}


def test_the_table_leaves_out_what_nothing_fills() -> None:
    lines = table([chat("pyrite", 30.0), chat("prosody", 60.0)]).splitlines()
    assert lines[0].split() == ["scenario", "server", "CPU", "µs/msg", "counted"]
    assert lines[1].split() == ["chat", "plain", "pyrite", "1", "30.0", "100"]


@pytest.mark.parametrize(
    ("cpu", "kept"), [(30.0, True), (36.0, True), (36.1, False), (42.1, False)]
)
def test_the_budget_of_a_message(cpu: float, kept: bool) -> None:
    records = [compared(chat("pyrite", cpu, "tls"), [chat("prosody", 60.0, "tls")])]
    assert [verdict for verdict, _ in budget(records, "pyrite")] == [kept]


def test_the_budget_of_a_session_and_of_a_soak() -> None:
    records = [
        Record("idle", "pyrite", "1", "tls", kb_per_session=41.0),
        Record("idle", "pyrite", "1", "plain", kb_per_session=99.0),
        Record("soak", "pyrite", "1", "plain", base_kb=50_000, growth_kb=400),
        Record("idle", "prosody", "1", "tls", kb_per_session=99.0),
    ]
    assert [verdict for verdict, _ in budget(records, "pyrite")] == [False, True]


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (Record("chat-archive", "pyrite", "1", "plain", 59.0, per_second=9000, lost=0), True),
        (Record("chat-archive", "pyrite", "1", "plain", 61.0, per_second=9000, lost=0), False),
        (Record("chat-archive", "pyrite", "1", "plain", 59.0, per_second=7000, lost=0), False),
        (Record("chat-archive", "pyrite", "1", "plain", 59.0, per_second=9000, lost=1), False),
        (Record("resume", "pyrite", "1", "plain", cpu_ms_per_resume=1.1), False),
        (Record("login-fast", "pyrite", "1", "tls", of_scram=0.9), True),
        (Record("login-fast", "pyrite", "1", "tls", of_scram=1.1), False),
        (Record("paging", "pyrite", "1", "plain", ratio={"better": 0.6}), False),
        (Record("paging-large", "pyrite", "1", "plain", p95_ms=19.9), True),
        (Record("paging-large", "pyrite", "1", "plain", p95_ms=20.1), False),
    ],
)
def test_the_budgets_of_what_is_kept(record: Record, kept: bool) -> None:
    assert [verdict for verdict, _ in budget([record], "pyrite")] == [kept]
