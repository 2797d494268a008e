"""``python -m bench.report RESULTS PAGE``: the figures of a run, put into a page of the docs.

RESULTS is what ``--json`` wrote. The page has two comments that say where the figures go.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
SERVERS = {"pyrite": "Pyrite", "prosody": "Prosody", "ejabberd": "ejabberd"}
PER_MESSAGE = ("cpu_us_per_message", 1)
MORE_IS_BETTER = {"per_second"}
ROWS: tuple[tuple[str, str, str, int], ...] = (  # scenario, what it says, figure, digits
    ("chat", "CPU of a chat message, µs", "cpu_us_per_message", 1),
    ("chat-single", "the same, one under way, µs", "cpu_us_per_message", 1),
    ("chat-archive", "CPU of a message that is archived and acknowledged, µs", *PER_MESSAGE),
    ("chat-archive", "such messages a second", "per_second", 0),
    ("chat-archive", "half are acknowledged within, ms", "p50_ms", 0),
    ("presence", "CPU of a presence to one of 500 contacts, µs", "cpu_us_per_message", 1),
    ("login", "CPU of a login, ms", "cpu_ms_per_login", 2),
    ("login-fast", "CPU of a login by token, ms", "cpu_ms_per_login", 2),
    ("login-fast", "the same, divided by that of a login by SCRAM", "of_scram", 2),
    ("resume", "CPU of a resumption, ms", "cpu_ms_per_resume", 2),
    ("resume", "until 1,000 sessions are back, s", "back_s", 2),
    ("paging", "CPU of a page of 5,000 messages, ms", "cpu_ms_per_page", 2),
    ("paging", "half of these pages are there within, ms", "p50_ms", 1),
    ("paging", "95 % of these pages are there within, ms", "p95_ms", 1),
    ("paging-large", "CPU of a page of a large archive, ms", "cpu_ms_per_page", 2),
    ("paging-large", "95 % of these pages are there within, ms", "p95_ms", 1),
    ("idle", "memory of an idle session, KB", "kb_per_session", 1),
    ("latency", "at 2,000 messages/s: half arrive within, ms", "p50_ms", 2),
    ("latency", "at 2,000 messages/s: 99 % arrive within, ms", "p99_ms", 2),
    ("latency", "at 2,000 messages/s: CPU of a message, µs", "cpu_us_per_message", 1),
)
Line = dict[str, Any]


def main(words: Sequence[str]) -> int:
    """Put the figures of the first file into the second."""
    results, page = map(Path, words)
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    page.write_text(filled(page.read_text(), figures(lines)))
    return 0


def filled(page: str, text: str) -> str:
    """The page with `text` between its comments. Raises ValueError where there are none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def figures(lines: Sequence[Line]) -> str:
    """A table in Markdown, and what it was measured with."""
    names = [name for name in SERVERS if any(line["server"] == name for line in lines)]
    head = [
        "",
        "",
        *(f"{SERVERS[name]} {_version(lines, name)}" for name in names),
        "of the better",
    ]
    rows = [
        row
        for scenario, title, figure, digits in ROWS
        for transport in ("plain", "tls")
        if (row := _row(lines, names, (scenario, transport, title, figure, digits)))
    ]
    ruler = ["---", "---", *("--:" for _ in head[2:])]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ruler, *rows))
    return f"{table}\n\n{_circumstances(lines)}"


def _row(lines: Sequence[Line], names: Sequence[str], what: tuple[str, str, str, str, int]) -> Any:
    """The cells of one figure; nothing if it was not measured."""
    scenario, transport, title, figure, digits = what
    values = {
        line["server"]: line[figure]
        for line in lines
        if (line["scenario"], line["transport"]) == (scenario, transport)
    }
    if any(value is None for value in values.values()) or not values:
        return None
    peers = [value for name, value in values.items() if name != "pyrite"]
    best = max if figure in MORE_IS_BETTER else min
    share = f"{values['pyrite'] / best(peers):.2f}" if peers and "pyrite" in values else ""
    shown = (f"{values[name]:,.{digits}f}" if name in values else "" for name in names)
    return [title, {"tls": "TLS"}.get(transport, transport), *shown, share]


def _circumstances(lines: Sequence[Line]) -> str:
    first = lines[0]
    runs = f"median of {first['repeat']} runs" if first["repeat"] > 1 else "one run"
    features = f", with {', '.join(first['features'])}" if first["features"] else ""
    others = max((line["others"] or 0 for line in lines), default=0)
    busy = f"Other programs used up to {others * 100:.0f} % of a core meanwhile"
    return f"{first['date']}, {first['machine']}; {first['mechanism']}{features}; {runs}. {busy}."


def _version(lines: Sequence[Line], name: str) -> str:
    return next(str(line["version"]) for line in lines if line["server"] == name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
