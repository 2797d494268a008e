"""The figures of a run become a table of the docs."""

from pathlib import Path

import pytest
from bench.record import Record, compared
from bench.report import BEGIN, END, filled, main

PEERS = [
    Record("chat", "prosody", "0.12.3", "tls", cpu_us_per_message=60.0),
    Record("chat", "ejabberd", "23.01", "tls", cpu_us_per_message=50.0),
]
OURS = Record(
    "chat", "pyrite", "1.0", "tls", cpu_us_per_message=20.04, date="2026-01-02", machine="a PC"
)


def test_a_run_on_a_page(tmp_path: Path) -> None:
    results, page = tmp_path / "results", tmp_path / "page.md"
    results.write_text("\n".join(each.line() for each in (compared(OURS, PEERS), *PEERS)))
    page.write_text(f"# Speed\n\n{BEGIN}\nold\n{END}\n\nMore.\n")
    main([str(results), str(page)])
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("# Speed\n")
    assert text.endswith(f"{END}\n\nMore.\n")
    assert "|  |  | Pyrite 1.0 | Prosody 0.12.3 | ejabberd 23.01 | of the better |" in text
    assert "| CPU of a chat message, µs | TLS | 20.0 | 60.0 | 50.0 | 0.40 |" in text
    assert "2026-01-02, a PC" in text


def test_a_page_without_a_place_for_it() -> None:
    with pytest.raises(ValueError, match="no <!-- figures -->"):
        filled("# Speed\n", "table")
