"""Where keys stand in a file."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.kit.config import KeyPath, dotted
from pyrite.kit.config.paths import lines

FILE = '''\
# a comment = with [brackets
one = 1
"two words" = "a = b" # not = a key
[table.'in ner'] # header
text = """
[not.a.table]
nor = "a key" \\"""
"""
raw = \'\'\'
x = 1\'\'\'
a.b . "c" = { d = 1, e.f = [ { g = "}" } ] }
list = [
  # first
  "one", "]",
  [ 2,
    3 ],
]
[[many]]
k = 1
[[many]]
k = 2
[many.sub]
k = 3
[[many.deep]]
k = 4
["\\u00e9"]
k = 1979-05-27 07:32:00
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("one",), 2),
        (("two words",), 3),
        (("table",), 4),
        (("table", "in ner"), 4),
        (("table", "in ner", "text"), 5),
        (("table", "in ner", "raw"), 9),
        (("table", "in ner", "a", "b", "c"), 11),
        (("table", "in ner", "a", "b", "c", "e", "f", 0, "g"), 11),
        (("table", "in ner", "list", 0), 14),
        (("table", "in ner", "list", 1), 14),
        (("table", "in ner", "list", 2), 15),
        (("table", "in ner", "list", 2, 1), 16),
        (("many",), 18),
        (("many", 0, "k"), 19),
        (("many", 1), 20),
        (("many", 1, "k"), 21),
        (("many", 1, "sub", "k"), 23),
        (("many", 1, "deep", 0, "k"), 25),
        (("é", "k"), 27),
    ],
)
def test_each_key_has_its_line(path: KeyPath, line: int) -> None:
    assert lines(FILE)[path] == line


def every_path(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """All paths in what tomllib read."""
    inner = list(value.items() if isinstance(value, dict) else enumerate(value))
    found = {(*path, key) for key, _ in inner}
    for key, one in inner:
        if isinstance(one, dict | list):
            found |= every_path(one, (*path, key))
    return found


def test_the_scan_finds_exactly_what_is_there() -> None:
    assert set(lines(FILE)) == every_path(tomllib.loads(FILE))


keys = st.text(st.sampled_from("ab-_09é .=\"'#[]{}\\\n\t"), min_size=1, max_size=6)
scalars = st.one_of(
    st.integers(-9, 9), st.booleans(), st.text(st.sampled_from("a=[]{}#,'\"\\\n"), max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def quoted(text: str, multiline: bool) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    if multiline:
        return '"""\n' + escaped + '"""'
    return '"' + escaped.replace("\n", "\\n") + '"'


def written(value: Any, draw: Any) -> str:
    """A value as TOML, laid out in one of the ways that are allowed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value, draw(st.booleans()))
    if isinstance(value, list):
        gap = draw(st.sampled_from(["", " ", "\n", " # ], = \n\n"]))
        return "[" + gap + f",{gap}".join(written(v, draw) for v in value) + gap + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{quoted(k, False)} = {written(v, draw)}" for k, v in value.items())
            + "}"
        )
    return str(value)


@given(st.dictionaries(keys, values, max_size=4), st.data())
def test_lines_of_any_file(tree: dict[str, Any], data: st.DataObject) -> None:
    text, expected = "", {}
    for key, value in tree.items():
        text += data.draw(st.sampled_from(["", "\n", "# x = 1\n", "\t\n"]))
        expected[key] = text.count("\n") + 1
        text += f"{quoted(key, False)} = {written(value, data.draw)}\n"
    assert tomllib.loads(text) == tree
    found = lines(text)
    assert set(found) == every_path(tree)
    assert {key: found[key,] for key in tree} == expected


@given(st.dictionaries(keys, st.dictionaries(keys, scalars, max_size=3), max_size=4), st.data())
def test_lines_of_tables(tree: dict[str, dict[str, Any]], data: st.DataObject) -> None:
    text, expected = "", {}
    for name, table in tree.items():
        text += f"[ {quoted(name, False)} ]\n"
        for key, value in table.items():
            expected[name, key] = text.count("\n") + 1
            text += f"{quoted(key, False)} = {written(value, data.draw)} # end\n"
    assert tomllib.loads(text) == tree
    found = lines(text)
    assert {path: found[path] for path in expected} == expected


@given(st.text(st.sampled_from("ab=.[]{}\"'\n#, 1"), max_size=60))
def test_the_scan_of_anything_ends(text: str) -> None:
    lines(text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a", "b-c"), "a.b-c"),
        (("host", "example.org", 3, "x"), 'host."example.org"[3].x'),
        (('say "hi"\n',), '"say \\"hi\\"\\U0000000A"'),
        ((), ""),
    ],
)
def test_paths_are_written_as_toml(path: KeyPath, text: str) -> None:
    assert dotted(path) == text
