"""What programs rely on does not change unseen."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from tests.surface import surface

from pyrite.client import api, homes
from pyrite.client.entity import Entity

KEPT = Path(__file__).parent / "data" / f"api-{api.VERSION}.txt"
NAMES = {name: getattr(api, name) for name in api.__all__}
DEEP = [v for v in NAMES.values() if inspect.isclass(v) and issubclass(v, api.Feature | Entity)]


def test_the_interface_is_as_its_version_says() -> None:
    """To add to it: raise the minor VERSION in `client/api.py`; to change it: the major one.

    Then keep what this test shows in a new file beside the old ones.
    """
    now = surface(NAMES, DEEP)
    assert KEPT.exists(), f"{KEPT.name} is missing; it is to be:\n{now}"
    assert now == KEPT.read_text(), "the interface has changed, and its version has not"


def test_everything_that_is_public_has_words() -> None:
    calls = {n: v for n, v in NAMES.items() if inspect.isclass(v) or inspect.isfunction(v)}
    assert [name for name, value in calls.items() if not inspect.getdoc(value)] == []


def test_what_is_loaded_is_what_type_checkers_read() -> None:
    """Add the words of the import to `IMPORTS` in `client/homes.py`, and the name to `__all__`."""
    told: dict[str, tuple[str, str]] = {}
    for node in ast.walk(ast.parse(Path(api.__file__).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level and node.module != "homes":
            module = "." * node.level + (node.module or "")
            told |= {one.asname or one.name: (module, one.name) for one in node.names}
    assert told == homes.HOMES
    assert sorted([*told, "VERSION"]) == sorted(api.__all__)


def test_only_what_is_taken_is_loaded() -> None:
    """And of libraries none that takes long; those come when there is something to do for them."""
    program = """
import sys
LONG = ("cryptography", "OpenSSL", "service_identity", "aiohttp", "dns", "idna", "precis_i18n")
def loaded(*names):
    return [name for name in sys.modules if name.startswith(names)]
from pyrite.client.api import Client
assert not loaded("pyrite.client.mod", "pyrite.wire.disco", *LONG), loaded("pyrite.")
from pyrite.client.api import Roster
assert loaded("pyrite.client.mod.roster") and not loaded("pyrite.client.mod.muc", *LONG)
from pyrite.client.api import *
assert Roster is globals()["Roster"] and rooms is sys.modules["pyrite.client.mod.muc"]
assert not loaded(*LONG)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_is_no_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        api.Clinet  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Clinet'"):
        exec("from pyrite.client.api import Clinet")
    assert set(api.__all__) <= set(dir(api))
