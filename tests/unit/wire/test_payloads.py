"""Every payload class of `wire` reads what its specification shows, and writes it back."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.wire.classes import CLASSES, MODULES
from tests.unit.wire.examples import elements as elements_of
from tests.unit.wire.examples import examples

from pyrite.core.errors import StanzaError
from pyrite.core.payload import decode, encode
from pyrite.core.xml import Element, Name, parse, write
from pyrite.wire import Spec

DATA = Path(__file__).parent / "data"


def read_examples() -> list[tuple[str, str]]:
    """(file and line, element): the files hold one element after another, ``#`` starts a note."""
    found = []
    for path in sorted(DATA.glob("*.xmls")):
        buffer, start = "", 0
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("#"):
                continue
            if not line.strip():
                if buffer:
                    found.append((f"{path.stem}:{start}", buffer))
                buffer = ""
                continue
            start = number if not buffer else start
            buffer += line.strip() + ("" if line.rstrip().endswith(">") else " ")
        if buffer:
            found.append((f"{path.stem}:{start}", buffer))
    return found


EXAMPLES = read_examples()


@pytest.mark.parametrize("text", [pytest.param(text, id=place) for place, text in EXAMPLES])
def test_there_and_back(text: str) -> None:
    element = parse(text)
    value = decode(CLASSES[element.name], element)
    again = encode(value)
    assert again == element, write(again)
    assert decode(CLASSES[element.name], again) == value


def test_every_class_has_an_example() -> None:
    shown = set()
    todo = [parse(text) for _, text in EXAMPLES]
    todo += [element for one in examples() if not one.reason for element in elements_of(one)]
    while todo:
        element = todo.pop()
        shown.add(element.name)
        todo += element.elements
    assert set(CLASSES) - shown == set()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_file_names_its_specification(name: str) -> None:
    specs = [value for value in vars(MODULES[name]).values() if isinstance(value, Spec)]
    assert specs
    assert all(spec.number.startswith(("XEP-", "RFC ")) and spec.title for spec in specs)


# --- whatever a peer sends is read, or refused with a stanza error ----------------------------

TEXT = st.sampled_from(
    ["", "1", "-1", "true", "get", "a@b.lit", "@", "2026-11-21T00:00:00Z", "AA==", "=", "x" * 40]
)
NAMES = st.sampled_from(sorted(CLASSES))
#: The names that this house knows, in any order and under any parent.
TAGS = sorted({n.tag for n in CLASSES} | {"name", "group", "value", "photo", "text", "required"})
ATTRS = st.dictionaries(
    st.sampled_from(["jid", "type", "var", "node", "ver", "hash", "id", "stamp", "xml:lang"]),
    TEXT,
    max_size=4,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    name = draw(NAMES)
    if draw(st.booleans()):
        name = Name(name.ns, draw(st.sampled_from(TAGS)))
    count = draw(st.integers(0, 3)) if depth else 0
    inside: list[Element | str] = [draw(elements(depth - 1)) for _ in range(count)]
    return Element(name, draw(ATTRS), [*inside, draw(TEXT)])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(CLASSES)), elements())
def test_any_element_is_read_or_refused(name: Name, element: Element) -> None:
    cls = CLASSES[name]
    try:
        value = decode(cls, Element(name, element.attrs, element.children))
    except StanzaError:
        return
    assert decode(cls, encode(value)) == value
