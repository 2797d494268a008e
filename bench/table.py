"""The results for a reader: a table, and the budget."""

from collections.abc import Callable, Iterable, Sequence

from .record import Record

BUDGET: dict[tuple[str, str], tuple[str, Callable[[Record], bool]]] = {
    ("chat", "plain"): (
        "at most 0.6 of the better peer, 35 µs",
        lambda r: r.ratio.get("better", 0) <= 0.6 and (r.cpu_us_per_message or 0) <= 35,
    ),
    ("chat", "tls"): (
        "at most 0.6 of the better peer, 42 µs",
        lambda r: r.ratio.get("better", 0) <= 0.6 and (r.cpu_us_per_message or 0) <= 42,
    ),
    ("chat-archive", "plain"): (
        "at most 60 µs, at least 8,000 a second, none lost",
        lambda r: (r.cpu_us_per_message or 0) <= 60 and (r.per_second or 0) >= 8000 and not r.lost,
    ),
    ("resume", "plain"): (
        "at most 1 ms",
        lambda r: (r.cpu_ms_per_resume or 0) <= 1,
    ),
    ("login-fast", "tls"): (
        "less than a login by SCRAM",
        lambda r: (r.of_scram or 0) < 1,
    ),
    ("paging", "plain"): (
        "at most 0.5 of the better peer",
        lambda r: r.ratio.get("better", 0) <= 0.5,
    ),
    ("paging-large", "plain"): (
        "95 % of the pages within 20 ms",
        lambda r: (r.p95_ms or 0) < 20,
    ),
    ("idle", "tls"): ("at most 40 KB a session", lambda r: (r.kb_per_session or 0) <= 40),
    ("soak", "plain"): (
        "memory grows by less than 2 % of itself",
        lambda r: (r.growth_kb or 0) < (r.base_kb or 0) / 50,
    ),
}
COLUMNS: tuple[tuple[str, Callable[[Record], str]], ...] = (
    ("scenario", lambda r: f"{r.scenario} {r.transport}"),
    ("server", lambda r: f"{r.server} {r.version}"),
    ("CPU µs/msg", lambda r: number(r.cpu_us_per_message)),
    ("CPU ms/login", lambda r: number(r.cpu_ms_per_login, 2)),
    ("of SCRAM", lambda r: number(r.of_scram, 2)),
    ("CPU ms/resume", lambda r: number(r.cpu_ms_per_resume, 2)),
    ("all back s", lambda r: number(r.back_s, 2)),
    ("CPU ms/page", lambda r: number(r.cpu_ms_per_page, 2)),
    ("p50 ms", lambda r: number(r.p50_ms, 2)),
    ("p95 ms", lambda r: number(r.p95_ms, 2)),
    ("p99 ms", lambda r: number(r.p99_ms, 2)),
    ("KB/session", lambda r: number(r.kb_per_session)),
    ("KB/min", lambda r: number(r.slope_kb_per_minute)),
    ("counted", lambda r: str(r.messages or "")),
    ("per s", lambda r: number(r.per_second, 0)),
    ("lost", lambda r: str(r.lost or "")),
    ("load µs", lambda r: number(r.load_cpu_us)),
    ("others %", lambda r: number(r.others and r.others * 100, 0)),
    ("± %", lambda r: number(r.spread and r.spread * 50, 0)),
    ("of prosody", lambda r: number(r.ratio.get("prosody"), 2)),
    ("of ejabberd", lambda r: number(r.ratio.get("ejabberd"), 2)),
    ("of better", lambda r: number(r.ratio.get("better"), 2)),
)


def table(records: Sequence[Record]) -> str:
    """All records, one a line; a column that says nothing is left out."""
    rows = [[show(record) for _, show in COLUMNS] for record in records]
    used = [n for n in range(len(COLUMNS)) if any(row[n] for row in rows)]
    lines = [[COLUMNS[n][0] for n in used], *([row[n] for n in used] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if n < 2 else text.rjust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def budget(records: Iterable[Record], server: str) -> list[tuple[bool, str]]:
    """For each budget that was measured whether the server keeps it, and a sentence."""
    return [
        (kept, f"{'kept' if kept else 'MISSED'}: {record.scenario} {record.transport}: {text}")
        for record in records
        if record.server == server and (record.scenario, record.transport) in BUDGET
        for text, keeps in [BUDGET[record.scenario, record.transport]]
        for kept in [keeps(record)]
    ]


def number(value: float | None, digits: int = 1) -> str:
    """A figure, or nothing where there is none."""
    return "" if value is None else f"{value:.{digits}f}"
