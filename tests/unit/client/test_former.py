"""What was called otherwise still works, and says so, to where it is written."""

import asyncio

import pytest

from pyrite.client import api, former


def test_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(former.NAMES, "XmppClient", "Client")
    with pytest.warns(DeprecationWarning, match=r"XmppClient is called Client now") as warned:
        from pyrite.client.api import XmppClient  # type: ignore[attr-defined]
    assert XmppClient is api.Client
    assert warned[0].filename == __file__
    with pytest.raises(AttributeError, match="has no attribute"):
        _ = api.NeverThere  # type: ignore[attr-defined]


@former.renamed(within="t")
def wait(*, t: float = 1.0) -> float:
    return t


@former.renamed(seconds="t")
async def later(*, t: float = 1.0) -> float:
    return t


def test_an_argument() -> None:
    assert wait(t=2.0) == 2.0
    with pytest.warns(DeprecationWarning, match="within= of wait is called t= now") as warned:
        assert wait(within=3.0) == 3.0  # type: ignore[call-arg]
    assert warned[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="seconds= of later"):
        assert asyncio.run(later(seconds=4.0)) == 4.0  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="say the same"):
        wait(within=1.0, t=1.0)  # type: ignore[call-arg]


def test_what_goes_is_named_and_what_takes_its_place_is_there() -> None:
    assert not [now for now in former.NAMES.values() if now not in api.__all__]
    assert not former.NAMES.keys() & set(api.__all__)
