"""Whatever becomes of an example on its way, it is read or refused with a stanza error.

Each variant of what the specifications show is a payload that can be written and read again, or
a `StanzaError`; nothing else is ever raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from tests.unit.wire.classes import CLASSES
from tests.unit.wire.examples import STANZAS, elements, examples, left

from pyrite.core.errors import StanzaError
from pyrite.core.payload import decode, encode
from pyrite.core.stanza import read as read_stanza
from pyrite.core.xml import Element, Name, write

#: What somebody may write where something else is meant.
VALUES = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1" * 400,
        "-" + "9" * 25,
        "1e999",
        "nan",
        "0x10",
        "\uff11\uff12",
        "²",
        "true",
    ),
    *("TRUE", "@", "a@b@c/d", "a" * 2000, "\udcff", "\u202e", "]]>", "=", "A", "AAA=A", "é=="),
    *("2026-02-30T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-14:00", "[::1]", "xn--"),
    *("99999-01-01T00:00:00Z", "24:00:00", "{}", "\n\t", "http://[", "[", "%00", "None"),
)
DEEP = 64  # elements within each other, the most that a stream lets through


def _known(element: Element) -> Iterator[Element]:
    """The elements in `element` that are payloads."""
    if element.name in CLASSES:
        yield element
    for one in element.elements:
        yield from _known(one)


def _shape(element: Element) -> object:
    return element.name, frozenset(element.attrs), tuple(one.name for one in element.elements)


def _shown() -> dict[object, Element]:
    """One example of each shape, whole stanzas too."""
    found: dict[object, Element] = {}
    for example in examples():
        for element in elements(example) if example.reason is None else ():
            for one in (element, *_known(element)):
                found.setdefault(_shape(one), one)
    return found


SHOWN = [one for one in _shown().values() if one.name in STANZAS or one.name in CLASSES]
PAYLOADS = [one for one in SHOWN if one.name in CLASSES]
NAMES = sorted({one.name for one in PAYLOADS})
ONE_EACH = list({one.name: one for one in PAYLOADS}.values())


def check(element: Element) -> None:
    """Reads `element`, and whatever is in it; raises for what is neither read nor refused."""
    if element.name in STANZAS:
        try:
            stanza = read_stanza(element)
        except StanzaError:
            return
        assert stanza.type != "error" or stanza.error is not None
        for one in stanza.payloads:
            check(one)
        return
    cls = CLASSES.get(element.name)
    if cls is None:
        return
    try:
        value = decode(cls, element)
    except StanzaError:
        return
    again = encode(value)
    write(again)
    assert decode(cls, again) == value
    assert hash(value) == hash(decode(cls, again))
    for one in left(value):
        check(one)


# --- one thing at a time ----------------------------------------------------------------------


def _variants(element: Element) -> Iterator[Element]:
    """All that differ from `element` in one thing that is there."""
    name, attrs, inside = element.name, element.attrs, list(element.children)
    for key in attrs:
        rest = {k: v for k, v in attrs.items() if k != key}
        yield Element(name, rest, inside)
        yield Element(name, {**rest, f"{{urn:other}}{key}": attrs[key]}, inside)
    for at, one in enumerate(inside):
        before, after = inside[:at], inside[at + 1 :]
        yield Element(name, attrs, [*before, *after])
        yield Element(name, attrs, [*before, one, one, *after])
        if isinstance(one, Element):
            yield Element(name, attrs, [*before, _elsewhere(one), *after])
            yield Element(name, attrs, [*before, Element(one.name, {}, [one]), *after])


def _values(element: Element, key: str | None) -> Iterator[Element]:
    """`element` with other values of one attribute, or of its text."""
    name, attrs, inside = element.name, element.attrs, element.children
    for value in VALUES:
        if key is not None:
            yield Element(name, {**attrs, key: value}, inside)
        else:
            yield Element(name, attrs, [value])
            yield Element(name, attrs, [value, *element.elements])


def _elsewhere(element: Element) -> Element:
    return Element(Name("urn:other", element.name.tag), element.attrs, element.children)


@pytest.mark.parametrize("start", range(16))
def test_one_thing_is_wrong(start: int) -> None:
    for element in SHOWN[start::16]:
        for variant in _variants(element):
            check(variant)


#: Each attribute of each payload, and the text in it or in a child, with an example of it.
PLACES = {(one.name, key): one for one in PAYLOADS for key in (None, *one.attrs)}
CHILDREN = {(one.name, c.name): (one, c) for one in PAYLOADS for c in one.elements}


@pytest.mark.parametrize("start", range(16))
def test_a_value_is_wrong(start: int) -> None:
    for (_, key), element in list(PLACES.items())[start::16]:
        for variant in _values(element, key):
            check(variant)


@pytest.mark.parametrize("start", range(16))
def test_a_value_within_is_wrong(start: int) -> None:
    for element, inner in list(CHILDREN.values())[start::16]:
        others = [one for one in element.elements if one is not inner]
        for variant in _values(inner, None):
            check(Element(element.name, element.attrs, [variant, *others]))


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name.ns} {name.tag}")
def test_it_holds_itself(name: Name) -> None:
    element = Element(name)
    for _ in range(DEEP):
        element = Element(name, {}, [element])
    check(element)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name.ns} {name.tag}")
def test_it_holds_what_others_hold(name: Name) -> None:
    for one in ONE_EACH:
        check(Element(name, one.attrs, one.children))


# --- several at once --------------------------------------------------------------------------

VARIANTS = 1000  # of one seed
CHANGES = ("drop", "double", "rename", "move", "swap", "attribute", "lost", "text", "wrap", "graft")


@pytest.mark.parametrize("seed", range(16))
def test_more_than_one_thing_is_wrong(seed: int) -> None:
    chance = Random(seed)
    for _ in range(VARIANTS):
        element = chance.choice(SHOWN)
        for _ in range(chance.randint(1, 6)):
            element = _changed(element, chance)
        try:
            check(element)
        except Exception as error:
            raise AssertionError(f"{write(element)}: {error!r}") from error


def _changed(element: Element, chance: Random) -> Element:
    """With one change, in it or somewhere below."""
    name, attrs, inside = element.name, dict(element.attrs), list(element.children)
    at = chance.randrange(len(inside)) if inside else 0
    if inside and isinstance(inside[at], Element) and chance.random() < 0.6:
        inside[at] = _changed(inside[at], chance)
        return Element(name, attrs, inside)
    match change := chance.choice(CHANGES):
        case "attribute" | "lost":
            key = chance.choice([*attrs, "type", "jid", "id", "xml:lang", "node"])
            attrs.pop(key, None)
            if change == "attribute":
                attrs[key] = chance.choice(VALUES)
        case "text":
            inside.insert(at, chance.choice(VALUES))
        case "graft":
            inside.insert(at, chance.choice(PAYLOADS))
        case "wrap":
            inside = [Element(name, attrs, inside)]
        case _ if inside:
            _move(change, inside, at, chance)
    return Element(name, attrs, inside)


def _move(change: str, inside: list[Element | str], at: int, chance: Random) -> None:
    one = inside[at]
    if change == "drop":
        del inside[at]
    elif change == "double":
        inside.insert(at, one)
    elif change == "swap":
        inside.reverse()
    elif isinstance(one, Element):
        other = chance.choice(NAMES)
        name = Name(one.name.ns, other.tag) if change == "rename" else Name(other.ns, one.name.tag)
        inside[at] = Element(name, one.attrs, one.children)
