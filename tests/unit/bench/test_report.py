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


def test_what_only_one_server_does_has_its_row(tmp_path: Path) -> None:
    lines = [
        Record("login-fast", "pyrite", "1.0", "tls", cpu_ms_per_login=0.9, of_scram=0.8),
        Record("chat-archive", "pyrite", "1.0", "plain", per_second=12_000.0),
        Record("chat-archive", "prosody", "0.12.3", "plain", per_second=1_000.0),
        Record("chat-archive", "ejabberd", "23.01", "plain", per_second=3_000.0),
    ]
    results, page = tmp_path / "results", tmp_path / "page.md"
    results.write_text("\n".join(each.line() for each in lines))
    page.write_text(f"{BEGIN}{END}")
    main([str(results), str(page)])
    text = page.read_text()
    assert "| CPU of a login by token, ms | TLS | 0.90 |  |  |  |" in text
    assert "| such messages a second | plain | 12,000 | 1,000 | 3,000 | 4.00 |" in text
