"""Payload classes: what goes out, what comes in, and what is refused."""

import dataclasses
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import (
    anything,
    attr,
    child,
    child_text,
    child_texts,
    children,
    decode,
    encode,
    flag,
    lang,
    name_of,
    payload,
    text,
)
from pyrite.core.values import Form, UnsignedByte
from pyrite.core.xml import Element, Name, parse, write

NS = "urn:example"


class Mood(Enum):
    HAPPY = "happy"
    SAD = "sad"


@payload(NS, "item")
class Item:
    jid: JID = attr()
    added: datetime | None = attr(default=None)
    pinned: bool = attr("pin", default=False)
    name: str | None = child_text(default=None)


@payload(NS, "note")
class Note:
    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "number")
class Number:
    value: int = text()


@payload(NS, "box")
class Box:
    first: Item | None = child(default=None)
    either: Note | Number | None = child(default=None)


@payload(NS, "list")
class Everything:
    kind: Literal["a", "b"] = attr()
    mood: Mood = attr(default=Mood.HAPPY)
    size: UnsignedByte = attr(default=0)
    tags: tuple[str, ...] = child_texts("tag", default=())
    blob: bytes | None = child_text(default=None)
    foreign: str | None = child_text("x", ns="urn:other", default=None)
    fixed: bool = flag(default=False)
    items: tuple[Item | Note, ...] = children(default=())
    rest: tuple[Element, ...] = anything(default=())


@payload(NS, "always")
class Always:
    state: str = attr(default="none", always=True)
    count: int = child_text(default=1, always=True)


@payload(NS, "strict")
class Strict:
    items: tuple[Item, ...] = children()
    one: Item = child()
    body: str = child_text()
    mark: bool = flag()


@payload(NS, "wrapped")
class Wrapped:
    inner: Element = child()


@payload(NS, "empty")
class Empty:
    """Nothing in it."""


def xml(body: str) -> str:
    return body.replace("~", f"xmlns='{NS}'")


ROMEO = JID("romeo", "verona.lit")

THERE_AND_BACK = [
    (Empty(), "<empty ~/>"),
    (Item(ROMEO), "<item ~ jid='romeo@verona.lit'/>"),
    (
        Item(ROMEO, datetime(1597, 1, 1, tzinfo=UTC), True, "R&J"),
        "<item ~ jid='romeo@verona.lit' added='1597-01-01T00:00:00Z' pin='true'>"
        "<name>R&amp;J</name></item>",
    ),
    (Item(ROMEO, name=""), "<item ~ jid='romeo@verona.lit'><name/></item>"),
    (Note(), "<note ~/>"),
    (Note("hi", "de"), "<note ~ xml:lang='de'>hi</note>"),
    (Always(), "<always ~ state='none'><count>1</count></always>"),
    (Everything("a"), "<list ~ kind='a'/>"),
    (
        Everything(
            "b", Mood.SAD, 255, ("x", ""), b"\0", "y", True,
            (Note("1"), Item(ROMEO), Note("2")), (Element(Name("urn:z", "z"), {"a": "1"}),),
        ),
        "<list ~ kind='b' mood='sad' size='255'><tag>x</tag><tag/><blob>AA==</blob>"
        "<x xmlns='urn:other'>y</x><fixed/><note>1</note><item jid='romeo@verona.lit'/>"
        "<note>2</note><z xmlns='urn:z' a='1'/></list>",
    ),
    (Wrapped(Element(Name("urn:z", "z"))), "<wrapped ~><z xmlns='urn:z'/></wrapped>"),
    (Number(-7), "<number ~>-7</number>"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), THERE_AND_BACK, ids=lambda v: type(v).__name__)
def test_there_and_back(value: Any, text: str) -> None:
    element = parse(xml(text))
    assert encode(value) == element
    assert decode(type(value), element) == value
    assert write(encode(value)) == write(element)
    assert name_of(type(value)) == element.name


REFUSED = [
    (Item, "<item ~/>", "bad-request", "item lacks jid"),
    (Item, "<item ~ jid='@b'/>", "jid-malformed", "item/jid"),
    (Item, "<item ~ jid='a@b' pin='maybe'/>", "bad-request", "item/pin: not an xs:boolean"),
    (Item, "<item ~ jid='a@b' added='soon'/>", "bad-request", "item/added"),
    (Item, "<item ~ jid='a@b' added='9999-12-31T23:59:59-02:00'/>", "bad-request", "added"),
    (Item, "<item ~ jid='a@b' added='9999-12-31T24:00:00Z'/>", "bad-request", "added"),
    (Item, "<other ~ jid='a@b'/>", "bad-request", "other is not a item"),
    (Item, "<item xmlns='urn:other' jid='a@b'/>", "bad-request", "is not"),
    (Everything, "<list ~ kind='c'/>", "bad-request", "list/kind: 'c' is none of a, b"),
    (Everything, "<list ~ kind='a' mood='odd'/>", "bad-request", "list/mood"),
    (Everything, "<list ~ kind='a' size='256'/>", "bad-request", "list/size"),
    (Everything, "<list ~ kind='a'><blob>!</blob></list>", "bad-request", "list/blob"),
    (Everything, "<list ~ kind='a'><item/></list>", "bad-request", "item lacks jid"),
    (Everything, "<list ~ kind='a'><item jid='/'/></list>", "jid-malformed", "item/jid"),
    (Strict, "<strict ~/>", "bad-request", "strict lacks items"),
    (Strict, "<strict ~><item jid='a@b'/></strict>", "bad-request", "strict lacks"),
    (Wrapped, "<wrapped ~>text</wrapped>", "bad-request", "wrapped lacks inner"),
    (Number, "<number ~/>", "bad-request", "number/value: not an integer"),
    (Number, "<number ~>1 2</number>", "bad-request", "not an integer"),
]


@pytest.mark.parametrize(("cls", "text", "condition", "complaint"), REFUSED)
def test_refused(cls: type, text: str, condition: str, complaint: str) -> None:
    with pytest.raises(StanzaError, match=complaint) as raised:
        decode(cls, parse(xml(text)))
    assert raised.value.condition == condition


def test_what_is_not_named_is_ignored() -> None:
    text = "<item ~ jid='a@b' new='1'>\n <future xmlns='urn:later'/><future/> </item>"
    assert decode(Item, parse(xml(text))) == Item(JID("a", "b"))


def test_the_first_of_several_counts() -> None:
    text = "<item ~ jid='a@b'><name>1</name><name>2</name></item>"
    assert decode(Item, parse(xml(text))).name == "1"


def test_a_second_one_is_not_even_read() -> None:
    text = "<box ~><item jid='a@b'/><item jid='@'/></box>"
    assert decode(Box, parse(xml(text))).first == Item(JID("a", "b"))


def test_payloads_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Item(ROMEO).name = "x"  # type: ignore[misc]


def test_own_forms() -> None:
    shout = Form(str.lower, str.upper)
    made: Any = payload(NS, "shout")(
        type("Shout", (), {"__annotations__": {"word": Annotated[str, shout]}, "word": attr()})
    )
    assert decode(made, parse(xml("<shout ~ word='HEY'/>"))) == made(word="hey")
    assert write(encode(made(word="hey"))) == '<shout xmlns="urn:example" word="HEY"/>'


@pytest.mark.parametrize(
    ("hint", "field"),
    [
        (complex, attr()),
        (str | int, attr()),
        (str, child()),
        (list[Item], children()),
        (tuple[Item], children()),
        (tuple[str, ...], children()),
    ],
)
def test_a_class_without_xml_form_is_refused_when_it_is_made(hint: Any, field: Any) -> None:
    body = {"__annotations__": {"field": hint}, "field": field}
    with pytest.raises(TypeError):
        payload(NS, "bad")(type("Bad", (), body))


# --- classes nobody thought of ------------------------------------------------------------

TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn")), max_size=8)
JIDS = st.builds(
    JID, st.sampled_from([None, "romeo", "\u00e4"]), st.just("verona.lit"),
    st.sampled_from([None, "orchard", "a/b@c d"]),
)  # fmt: skip
SIMPLE = st.sampled_from(
    [
        (str, TEXTS),
        (int, st.integers(-(2**63), 2**63 - 1)),
        (bool, st.booleans()),
        (bytes, st.binary(max_size=9)),
        (JID, JIDS),
        (datetime, st.datetimes(timezones=st.just(UTC))),
        (Literal["x", "y"], st.sampled_from("xy")),
        (Mood, st.sampled_from(Mood)),
    ]
)
ITEMS = st.builds(Item, JIDS, st.none(), st.booleans(), st.none() | TEXTS)
NOTES = st.builds(Note, TEXTS, st.none() | st.just("en"))
FOREIGN = st.builds(
    lambda tag, value: Element(Name("urn:foreign", tag), {"v": value}),
    st.sampled_from(["p", "q"]),
    TEXTS,
)


@st.composite
def fields(draw: st.DrawFn, number: int) -> tuple[Any, Any, st.SearchStrategy[Any]]:
    """A type, a field of that type, and values for it."""
    kind, values = draw(SIMPLE)
    match draw(st.sampled_from(["attr", "child_text", "child_texts", "flag", "optional"])):
        case "attr":
            return kind, attr(), values
        case "child_text":
            return kind, child_text(), values
        case "child_texts":
            return (
                tuple[kind, ...], child_texts(f"t{number}", default=()),
                st.lists(values, max_size=3).map(tuple),
            )  # fmt: skip
        case "flag":
            return bool, flag(default=False), st.booleans()
    return kind | None, attr(default=None), st.none() | values


@st.composite
def values_of_new_classes(draw: st.DrawFn) -> Any:
    count = draw(st.integers(0, 5))
    made = {f"f{n}": draw(fields(n)) for n in range(count)}
    if draw(st.booleans()):
        made["items"] = (
            tuple[Item | Note, ...], children(default=()),
            st.lists(ITEMS | NOTES, max_size=3).map(tuple),
        )  # fmt: skip
    if draw(st.booleans()):
        made["rest"] = (
            tuple[Element, ...], anything(default=()), st.lists(FOREIGN, max_size=2).map(tuple),
        )  # fmt: skip
    if draw(st.booleans()):
        made["text"] = (str, text(default=""), TEXTS)
    ordered = sorted(made.items(), key=lambda m: _has_default(m[1][1]))
    body = {name: field for name, (_, field, _) in ordered}
    body["__annotations__"] = {name: hint for name, (hint, _, _) in ordered}
    cls: Any = payload(NS, "made")(type("Made", (), body))
    return cls(**{name: draw(values) for name, (_, _, values) in ordered})


def _has_default(field: Any) -> bool:
    return field.default is not dataclasses.MISSING


@settings(max_examples=150, deadline=None)
@given(values_of_new_classes())
def test_every_value_of_every_class_comes_back(value: Any) -> None:
    assert decode(type(value), encode(value)) == value
    assert decode(type(value), parse(write(encode(value)))) == value


ATTRS = st.dictionaries(
    st.sampled_from(["jid", "added", "pin", "kind", "mood", "size", "xml:lang", "z"]),
    st.sampled_from(["a", "1", "true", "@", "256", "happy", "2026-01-01T00:00:00Z"]) | TEXTS,
    max_size=5,
)
TAGS = st.sampled_from(
    ["item", "list", "note", "box", "name", "tag", "blob", "strict", "number", "wrapped", "fixed"]
)
NAMES = st.builds(Name, st.sampled_from([NS, NS, NS, "urn:other"]), TAGS)
ELEMENTS = st.recursive(
    st.builds(Element, NAMES, ATTRS, st.lists(TEXTS, max_size=1)),
    lambda inner: st.builds(Element, NAMES, ATTRS, st.lists(inner | TEXTS, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(ELEMENTS)
def test_any_element_is_read_or_refused(element: Element) -> None:
    for cls in (Item, Note, Box, Everything, Strict, Wrapped, Number, Empty):
        named = Element(name_of(cls), element.attrs, element.children)
        try:
            value = decode(cls, named)
        except StanzaError:
            continue
        assert decode(cls, encode(value)) == value
