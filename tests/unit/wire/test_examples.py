"""What the specifications show is read as typed payloads, and written again as it was.

``data/xep`` has all examples of all that is covered, each read or with the reason why not, and
``xeps.toml`` says what is covered.
"""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.unit.wire.classes import CLASSES, MODULES
from tests.unit.wire.examples import (
    STANZAS,
    XEPS,
    Example,
    covered,
    differences,
    elements,
    examples,
    unread,
)

import pyrite
from pyrite.core.errors import StanzaError
from pyrite.core.stanza import read as read_stanza
from pyrite.wire import Spec

SOURCE = Path(pyrite.__file__).parent
READ = [one for one in examples() if one.reason is None]
LEFT = [one for one in examples() if one.reason is not None]
#: Every specification that a file of `wire` says it stands on.
SPECS = {
    value.number.removeprefix("XEP-"): module
    for module in MODULES.values()
    for value in vars(module).values()
    if isinstance(value, Spec)
}


@pytest.mark.parametrize("example", READ, ids=lambda one: one.place)
def test_there_and_back(example: Example) -> None:
    foreign = frozenset(covered()[example.xep].get("foreign", {}))
    shown = elements(example)
    assert shown or "stream:stream" in example.text
    for element in shown:
        assert list(unread(element, foreign)) == []
        if element.name in STANZAS:
            stanza = read_stanza(element)
            assert stanza.error is None if stanza.type != "error" else stanza.error


@pytest.mark.parametrize("example", LEFT, ids=lambda one: one.place)
def test_what_is_left_out_could_not_be_read(example: Example) -> None:
    """So that nothing is left out any longer than it has to be."""
    assert example.reason
    foreign = frozenset(covered()[example.xep].get("foreign", {}))
    try:
        shown = elements(example)
    except (ElementTree.ParseError, AssertionError):
        return
    wrong: list[str] = []
    for element in shown:
        try:
            wrong += unread(element, foreign)
        except StanzaError as error:
            wrong.append(str(error))
    assert wrong


@pytest.mark.parametrize("xep", sorted(covered()))
def test_what_is_covered(xep: str) -> None:
    """All its examples are there, and all its namespaces are among them; or it is a rule."""
    about = covered()[xep]
    numbers = [one.number for one in examples() if one.xep == xep]
    assert numbers == list(range(1, about["examples"] + 1))
    known = {name.ns for name in CLASSES}
    assert set(about["namespaces"]) <= known
    assert not set(about.get("foreign", {})) & known
    if rule := about.get("rule"):
        assert f"XEP-{xep}" in (SOURCE / rule).read_text()
    else:
        assert xep in SPECS
        assert about["namespaces"] or not numbers


def test_every_file_of_examples_is_of_something_that_is_covered() -> None:
    assert {path.stem for path in XEPS.glob("*.xmls")} <= set(covered())


def test_both_tiers_are_covered() -> None:
    """The first has what a first release needs, the second what other libraries have beside."""
    tiers = Counter(about["tier"] for about in covered().values())
    assert (tiers[1], tiers[2]) == (83, 77)


def test_most_examples_are_read() -> None:
    assert len(READ) > 2000
    assert len(LEFT) < len(READ) / 10


def test_a_difference_is_seen() -> None:
    """The comparison does not take everything for the same."""
    one = Example("0000", 1, "", "urn:xmpp:ping", None, "<a b='1'><c>x</c><c>y</c><d/></a>")
    for other in ("<a b='2'><c>x</c><c>y</c><d/></a>", "<a b='1'><c>y</c><c>x</c><d/></a>",
                  "<a b='1'><c>x</c><c>y</c></a>", "<a><c>x</c><c>y</c><d/></a>"):  # fmt: skip
        left, right = elements(one)[0], elements(one._replace(text=other))[0]
        assert list(differences(left, right, "a"))
    assert not list(differences(left, left, "a"))
