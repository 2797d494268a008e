"""A feature has one name and one specification, on the wire, in the server and in its stories."""

import importlib
from pathlib import Path

import pytest

from pyrite.server.hosts import built_in, find_module

SCRIPTS = sorted((Path(__file__).parent / "script").glob("*.xmpp"))

#: Modules that nothing on the wire stands for.
UNWRITTEN = {"rate"}

#: Stories of what is no module.
CORE = {"bind", "delivery", "iq", "message", "presence", "subscription"}


@pytest.mark.parametrize("name", sorted(set(built_in()) - UNWRITTEN))
def test_module_and_payloads_are_of_one_specification(name: str) -> None:
    assert find_module(name).spec == importlib.import_module(f"pyrite.wire.{name}").SPEC


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_story_is_named_for_what_it_is_about(path: Path) -> None:
    """``NAME.xmpp``, or ``NAME-more.xmpp`` where one is not enough."""
    assert path.stem.partition("-")[0] in CORE | set(built_in())
