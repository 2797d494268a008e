"""What plugins rely on does not change unseen."""

import inspect
from pathlib import Path

import pytest
from tests.surface import surface

from pyrite.server import api

KEPT = Path(__file__).parent / "data" / f"api-{api.VERSION}.txt"
DEEP = (*api.MEMBERS, api.Request, api.Key, api.Stanza, api.KeyValues, api.Log, api.Part, api.Scope)


def now() -> str:
    names = {name: getattr(api, name) for name in api.__all__}
    return surface(names, DEEP, api.MEMBERS)


def test_the_interface_is_as_its_version_says() -> None:
    """To add to it: raise the minor VERSION in `server/api.py`; to change it: the major one.

    Then keep what this test shows in a new file beside the old ones.
    """
    assert KEPT.exists(), f"{KEPT.name} is missing; it is to be:\n{now()}"
    assert now() == KEPT.read_text(), "the interface has changed, and its version has not"


def test_everything_that_is_public_has_words() -> None:
    found = {name: getattr(api, name) for name in api.__all__}
    calls = {n: v for n, v in found.items() if inspect.isclass(v) or inspect.isfunction(v)}
    assert [name for name, value in calls.items() if not inspect.getdoc(value)] == []


@pytest.mark.parametrize("cls", api.MEMBERS, ids=lambda cls: cls.__name__)
def test_public_members_are_there(cls: type) -> None:
    source = inspect.getsource(cls)
    missing = [
        name for name in api.MEMBERS[cls] if not hasattr(cls, name) and f"self.{name}" not in source
    ]
    assert missing == ["spec"] * (cls is api.Module)  # only declared: a plugin need not have one
