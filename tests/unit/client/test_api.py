"""What programs rely on does not change unseen."""

import inspect
from pathlib import Path

from tests.surface import surface

from pyrite.client import api
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
