"""The reference in docs/ says what the code declares."""

from pathlib import Path

import pytest

from pyrite.cli.reference import PAGES, all_commands, all_metrics

DOCS = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run tools/reference.py"


def test_every_command_is_documented() -> None:
    page = (DOCS / "commands.md").read_text()
    found = list(all_commands())
    assert len(found) > 15
    for command in found:
        assert command.help
        assert f"## `{command.name}`" in page


def test_every_metric_is_documented() -> None:
    found = all_metrics()
    page = (DOCS / "metrics.md").read_text()
    assert len(found) > 20
    for metric in found:
        assert metric.doc.endswith(".")
        assert f"`pyrite_{metric.name}" in page
