"""Settings from a file: typed, or refused with every mistake."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from pyrite.kit.config import (
    LIVE,
    Addresses,
    ConfigError,
    Duration,
    Secret,
    Size,
    Table,
    Wrong,
    changed,
    live_fields,
    read,
)
from pyrite.kit.config.words import describe


class Inner(Table):
    """One listener."""

    listen: Addresses = Addresses()
    """Where."""
    how: Literal["open", "closed"] = "closed"


class Window(Table):
    low: int = 1
    high: Annotated[int, LIVE] = 5
    """No lower
    than low."""

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise Wrong("is higher than high", "low")
        if self.high > 1000:
            raise ValueError("is too wide")


class Everything(Table):
    name: str
    path: Path = Path("here")
    count: Annotated[int, Meta(ge=1, le=9), LIVE] = 3
    ratio: float = 0.5
    is_on: bool = False
    keep: Duration = Duration(90)
    size: Size | None = None
    password: Secret | None = None
    words: tuple[str, ...] = ()
    few: Annotated[list[int], Meta(max_length=2)] = msgspec.field(default_factory=list)
    inner: Inner = Inner()
    window: Window = Window()
    maybe: Inner | None = None
    each: dict[str, Inner] = msgspec.field(default_factory=dict)
    several: tuple[Inner, ...] = ()
    levels: dict[str, Literal["low", "high"]] = msgspec.field(default_factory=dict)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.toml"


def mistakes(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(file, Everything)
    said = str(caught.value).splitlines()
    assert all(line.startswith(str(file)) for line in said)
    return [line.removeprefix(f"{file}:") for line in said]


def test_everything_is_typed(file: Path) -> None:
    file.write_text(
        """
        name = "x"
        path = "sub/file"
        count = 9
        ratio = 2
        is-on = true
        keep = "1h"
        size = "16KiB"
        password = "hunter2"
        words = ["a", "b"]
        few = [1, 2]
        inner.listen = "[::1]:80"
        maybe = { how = "open" }
        each."a.b".how = "open"
        each.c = {}
        levels = { "x.y" = "low" }
        [[several]]
        how = "open"
        [[several]]
        """
    )
    settings = read(file, Everything)
    assert settings == Everything(
        name="x",
        path=file.parent / "sub/file",
        count=9,
        ratio=2.0,
        is_on=True,
        keep=Duration(3600),
        size=Size(16384),
        password=Secret("hunter2"),
        words=("a", "b"),
        few=[1, 2],
        inner=Inner(listen=Addresses.parse("[::1]:80")),
        maybe=Inner(how="open"),
        each={"a.b": Inner(how="open"), "c": Inner()},
        several=(Inner(how="open"), Inner()),
        levels={"x.y": "low"},
    )
    assert type(settings.keep) is Duration
    assert type(settings.size) is Size
    assert "hunter2" not in repr(settings)
    with pytest.raises(AttributeError):
        settings.name = "y"  # type: ignore[misc]


def test_defaults_stand(file: Path) -> None:
    file.write_text('name = "x"')
    assert read(file, Everything) == Everything(name="x")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("count = 0", "count: expected an integer of 1 or more and at most 9, found 0"),
        ('count = "3"', 'found "3"'),
        ("count = true", "count: expected an integer of 1 or more and at most 9, found true"),
        ("is-on = 1", "is-on: expected true or false, found 1"),
        ("is_on = true", 'is_on: unknown key; did you mean "is-on"?'),
        ("Count = 3", 'Count: unknown key; did you mean "count"?'),
        ("zzzzzz = 3", "zzzzzz: unknown key"),
        ("path = 3", "path: expected a path, found 3"),
        ("keep = 30", 'keep: expected a duration as "30s", found 30'),
        ('keep = "30"', "keep: '30' is no duration"),
        ('size = "big"', "size: 'big' is no size"),
        ("password = [1]", 'password: expected text, or { file = "path" }'),
        ('words = "a"', 'words: expected a list, each text, found "a"'),
        ('words = ["a", 3]', "words[1]: expected text, found 3"),
        ("few = [1, 2, 3]", "few: expected a list, each an integer of at most 2 long, found [1, 2"),
        ("inner = 3", "inner: expected a table, found 3"),
        ('inner.how = "opne"', 'expected "open" or "closed", found "opne"; did you mean "open"?'),
        ("inner.how = 3", 'inner.how: expected "open" or "closed", found 3'),
        ('inner.listen = ["a:1", "b"]', "inner.listen: 'b' is no address"),
        ("maybe.hwo = 3", 'maybe.hwo: unknown key; did you mean "how"?'),
        ("each.a.b = 3", "each.a.b: unknown key"),
        ("each.a = 3", "each.a: expected a table, found 3"),
        ("each = 3", "each: expected a table, each value a table, found 3"),
        ("several = [{}, {how = 3}]", "several[1].how: expected"),
        ('levels.x = "lo"', 'levels.x: expected "low" or "high", found "lo"; did you mean "low"?'),
        ("window = { low = 9 }", "window.low: is higher than high"),
        ("window.high = 2000", "window: is too wide"),
        ("ratio = nan\nratio2 = 1", "ratio2: unknown key"),
    ],
)
def test_a_mistake_is_told_with_its_line(file: Path, line: str, said: str) -> None:
    (told,) = mistakes(file, f'# here\nname = "x"\n{line}\n')
    number, _, what = told.partition(": ")
    assert number == ("4" if "ratio2" in line else "3")
    assert said in what


def test_all_mistakes_are_told_in_the_order_of_the_file(file: Path) -> None:
    told = mistakes(
        file,
        """
        words = [
            "fine",
            3,
        ]
        [window]
        low = "x"
        [each."a.b"]
        how = 3
        list = [
            1
        ]
        """,
    )
    assert [line.split(":")[0] for line in told] == ["1", "4", "7", "9", "10"]
    assert "name: is missing" in told[0]


def test_a_missing_key_is_told_at_its_table(file: Path) -> None:
    class Outer(Table):
        inner: Everything

    file.write_text("\n\n[inner]\ncount = 3\n")
    with pytest.raises(ConfigError, match=r"some.toml:3: inner.name: is missing"):
        read(file, Outer)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"a = 1\nb = = 2\n", ":2: is not TOML: Invalid value"),
        (b"a = 1\na = 2\n", ":2: is not TOML"),
        (b"a = [1,", ":1: is not TOML"),
        (b"a = 1\n# \xff\n", ":2: is not UTF-8"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (b"#" * (1 << 20) + b"\n", "is larger than"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_toml(file: Path, octets: bytes | None, said: str) -> None:
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(ConfigError) as caught:
        read(file, Everything)
    assert said in str(caught.value)
    assert len(caught.value.mistakes) == 1


def test_a_secret_of_the_wrong_type_is_not_shown(file: Path) -> None:
    (told,) = mistakes(file, 'name = "x"\npassword = { fiel = "hunter2" }\n')
    assert "hunter2" not in told


def test_what_changed_is_found() -> None:
    old = Everything(name="x", each={"a": Inner(), "b": Inner()})
    new = Everything(
        name="y", window=Window(low=2), each={"a": Inner(how="open"), "c": Inner()}, maybe=Inner()
    )
    assert changed(old, old) == set()
    assert changed(old, new) == {
        ("name",),
        ("window", "low"),
        ("each", "a", "how"),
        ("each", "b"),
        ("each", "c"),
        ("maybe",),
    }


def test_live_settings_are_marked() -> None:
    assert [path for path, _ in live_fields(Everything)] == [("count",), ("window", "high")]


def test_settings_are_described() -> None:
    assert [tuple(one) for one in describe(Window)] == [
        ("low", "an integer", "1", "", False),
        ("high", "an integer", "5", "No lower\nthan low.", True),
    ]
    by_key: dict[str, Any] = {one.key: one for one in describe(Everything)}
    assert by_key["name"].default == ""
    assert by_key["keep"].default == '"1m30s"'
    assert by_key["levels"].type == 'a table, each value "low" or "high"'
    assert by_key["password"].default == "nothing"
