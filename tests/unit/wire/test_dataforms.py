"""Filling in a form: methods, layout and the registry; and whatever a peer sends."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode
from pyrite.core.xml import parse
from pyrite.wire import bookmarks, dataforms, disco, registration, roominfo
from pyrite.wire.dataforms import (
    Field,
    FieldRef,
    Form,
    ListRange,
    Range,
    ReportedRef,
    Section,
    Text,
    Validate,
    Value,
    WrongAnswers,
    field,
    fill,
    form,
    page,
    section,
)
from pyrite.wire.dataforms.datatypes import _DATATYPES

EAST = timezone(timedelta(hours=2))
ME = JID.parse("romeo@montague.lit/orchard")


# --- methods and types of fields (XEP-0122 §3, §5) --------------------------------------------


@pytest.mark.parametrize(
    ("question", "good", "bad"),
    [
        (
            field("x", "list-single", options=[("r", "")], validate=Validate()),
            [("r",)],
            [("g",)],
        ),
        (
            field("x", "list-single", options=[("7", "")], validate=Validate(open=True)),
            [("7",), ("g",)],
            [("7", "g")],
        ),
        (  # every method but basic implies open, and does not judge the options
            field(
                "x", "list-multi", options=[("none", "")],
                validate=Validate("xs:integer", range=Range("1", "9"), list_range=ListRange(1, 2)),
            ),
            [("none", "3"), ("9",)],
            [("10",), ("some",), (), ("1", "2", "3")],
        ),
        (
            field(
                "x", "list-multi", options=[("a", "")], validate=Validate(list_range=ListRange(2))
            ),
            [("a", "a")],
            [("a",)],
        ),
        (  # §3.5: for list-multi alone
            field("x", "text-multi", validate=Validate(list_range=ListRange(2))),
            [("a",)],
            [],
        ),
        (  # one text of several lines, or each for itself
            field("x", "text-multi", validate=Validate("xs:hexBinary")),
            [("0a0b",)],
            [("0a", "0b")],
        ),
        (
            field("x", "text-multi", validate=Validate("xs:hexBinary", open=True)),
            [("0a", "0b")],
            [("0a", "x")],
        ),
        (
            field("x", "text-single", validate=Validate(regex="[a-z]+")),
            [("abc",), ()],
            [("ABC",)],
        ),
    ],
)  # fmt: skip
def test_methods(question: Field, good: list[tuple[str, ...]], bad: list[tuple[str, ...]]) -> None:
    for values in good:
        dataforms.typed(question, values)
    for values in bad:
        with pytest.raises(ValueError):
            dataforms.typed(question, values)


def test_what_is_wrong_with_a_secret_is_not_told() -> None:
    secret = field("x", "text-private", validate=Validate("xs:integer"))
    with pytest.raises(ValueError, match=r"^is not what is asked for$"):
        dataforms.typed(secret, ("hunter2",))


# --- filling in -------------------------------------------------------------------------------

ASKED = form(
    "urn:example:asked",
    dataforms.fixed("About you"),
    dataforms.hidden("token", "t"),
    field("name", "text-single", required=True),
    field("since", "text-single", validate=Validate("xs:dateTime")),
    field("share", "text-single", validate=Validate("xs:decimal", range=Range("0", "1"))),
    field("public", "boolean", value=True),
    field("friends", "jid-multi"),
    field("about", "text-multi"),
    field("colors", "list-multi", options=[("r", "Red"), ("g", ""), ("b", "")]),
    field("kind", "list-single", value="odd", options=[("a", "")]),
)


def test_filling_in() -> None:
    answer = fill(
        ASKED,
        {
            "name": "N",
            "since": datetime(2026, 11, 21, 12, tzinfo=EAST),
            "share": Decimal("0.5"),
            "public": False,
            "friends": ("A@B.lit", ME, "a@b.lit"),
            "about": "1\n2",
            "colors": ("b", "r", "b"),
        },
    )
    assert answer.type == "submit"
    assert {f.var: f.values for f in answer.fields} == {
        "FORM_TYPE": ("urn:example:asked",),
        "token": ("t",),
        "name": ("N",),
        "since": ("2026-11-21T10:00:00Z",),
        "share": ("0.5",),
        "public": ("0",),
        "friends": ("a@b.lit", "romeo@montague.lit/orchard"),
        "about": ("1", "2"),
        "colors": ("r", "b"),  # XEP-0004 §3.3: in the order in which they were offered
        "kind": ("odd",),  # its own default is not judged
    }
    values = dataforms.read(replace_kind(ASKED), decode(Form, encode(answer)))
    assert values["since"] == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert values["share"] == Decimal("0.5")
    assert values["public"] is False


def replace_kind(asked: Form) -> Form:
    return Form("form", fields=tuple(f for f in asked.fields if f.var != "kind"))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {"name": "is required"}),
        ({"name": ()}, {"name": "is required"}),
        ({"name": "a\nb"}, {"name": "is one line"}),
        ({"name": "N", "nmae": "x"}, {"nmae": "is not asked for"}),
        (
            {"share": 2, "friends": "@", "colors": "violet", "public": "maybe"},
            {
                "name": "is required",
                "share": "2 is not between 0 and 1",
                "friends": None,
                "colors": "is not one of the options",
                "public": "not an xs:boolean: 'maybe'",
            },
        ),
        ({"name": "N", "kind": "odd"}, {"kind": "is not one of the options"}),
    ],
)
def test_every_wrong_answer_is_named(given: dict[str, Value], wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongAnswers) as raised:
        fill(ASKED, given)
    found = raised.value.wrong
    assert found.keys() == wrong.keys()
    assert all(why is None or found[var] == why for var, why in wrong.items())
    assert raised.value.condition == "not-acceptable"
    assert all(var in raised.value.text for var in wrong)


def test_every_wrong_answer_is_named_to_who_sent_it() -> None:
    answer = dataforms.submission("urn:example:asked", {"share": "7", "public": "x"})
    with pytest.raises(WrongAnswers) as raised:
        dataforms.read(ASKED, answer)
    assert raised.value.wrong.keys() == {"name", "share", "public"}


def test_a_form_without_a_type() -> None:
    answer = fill(Form("form", fields=(field("a", "text-single"),)), {"a": "1"})
    assert answer == Form("submit", fields=(Field("a", values=("1",)),))


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (True, ("1",)),
        (7, ("7",)),
        (1.5, ("1.5",)),
        (float("-inf"), ("-INF",)),
        (Decimal("1e3"), ("1000",)),
        (date(2026, 1, 2), ("2026-01-02",)),
        (time(1, 2), ("01:02:00",)),
        (b"\1\2", ("AQI=",)),
        (ME, (str(ME),)),
        ((), ()),
        ((1, 2), ("1", "2")),
    ],
)
def test_values_as_text(value: Value, texts: tuple[str, ...]) -> None:
    assert dataforms.shown(value) == texts


# --- layout (XEP-0141), media (XEP-0221) and the registry (XEP-0068) --------------------------


def test_layout() -> None:
    made = page(
        "Personal",
        Text("Who?"),
        section("Name", "first", section("Other", "nick", "first"), ReportedRef()),
        "email",
    )
    again = decode(Form, encode(form("urn:x", field("first", "text-single"), pages=[made])))
    (found,) = again.pages
    assert found == made
    text, inside, email = found.parts
    assert (text, email) == (Text("Who?"), FieldRef("email"))
    assert isinstance(inside, Section)
    assert [type(part) for part in inside.parts] == [FieldRef, Section, ReportedRef]
    assert dataforms.referred(found) == ("first", "nick", "email")


def test_layout_with_mistakes_in_it() -> None:
    """§4: a reference to nothing, and what nobody knows, are ignored."""
    text = (
        "<page xmlns='http://jabber.org/protocol/xdata-layout'><fieldref/><what/>"
        "<fieldref var='a'/><text xmlns='other'/></page>"
    )
    assert decode(dataforms.Page, parse(text)).parts == (FieldRef("a"),)


def test_media() -> None:
    text = (
        "<x xmlns='jabber:x:data' type='form'><field var='ocr'>"
        "<media xmlns='urn:xmpp:media-element' height='80'>"
        "<uri type='image/jpeg'>\n  cid:sha1+1@b.lit\n  </uri></media></field></x>"
    )
    found = decode(Form, parse(text)).fields[0].media
    assert found is not None
    assert (found.height, found.width) == (80, None)
    assert [(uri.type, uri.address) for uri in found.uris] == [("image/jpeg", "cid:sha1+1@b.lit")]


def test_what_the_registry_says_of_a_form() -> None:
    made = form(
        "http://jabber.org/protocol/admin",
        field("accountjid", "jid-single"),
        field("password", "text-single"),
        field("subject", "text-single"),
        field("{urn:x}other", "text-single"),
        field("x-old", "text-single"),
        dataforms.hidden("delay", "5"),
        dataforms.fixed("Words"),
    )
    assert dataforms.irregular(made) == {
        "password": "is text-private, not text-single",
        "subject": "is no field of http://jabber.org/protocol/admin",
    }
    assert dataforms.irregular(form("urn:mine", field("any", "boolean"))) == {}
    assert dataforms.irregular(Form("form", fields=(field("any", "boolean"),))) == {}


@pytest.mark.parametrize(
    "made",
    [
        registration.question("Welcome", field("email", "text-single")).form,
        disco.contact_form({"abuse": ["mailto:a@b.lit"]}),
        roominfo.voice(),
        dataforms.submission(
            "http://jabber.org/protocol/pubsub#node_config",
            {f"pubsub#{name}": value for name, value in bookmarks.OPTIONS.items()},
        ),
    ],
    ids=lambda made: made.form_type,
)
def test_our_own_forms_are_as_they_are_registered(made: Form) -> None:
    assert made.form_type in dataforms.REGISTRY
    assert dataforms.irregular(made) == {}


def test_answers_are_typed_by_the_registry() -> None:
    """A submission, and many a result, leaves the types of its fields out."""
    found = dataforms.submission(
        "http://jabber.org/protocol/admin",
        {"accountjid": ME, "onlineuserjids": (ME, "a@b.lit"), "motd": ("1", "2"), "other": "x"},
    )
    assert dataforms.answers(found) == {
        "accountjid": ME,
        "onlineuserjids": (ME, JID.parse("a@b.lit")),
        "motd": ("1", "2"),
        "other": "x",
    }
    broken = dataforms.submission("http://jabber.org/protocol/admin", {"accountjid": "@"})
    assert dataforms.answers(broken) == {"accountjid": "@"}


# --- whatever a peer sends --------------------------------------------------------------------

WORDS = st.sampled_from(
    ["", "1", "-1", "true", "a@b.lit", "@", "\n", "x" * 50, "2026-01-01", "[a-z]*", "(a+)+$", "r"]
)
RULES = st.builds(
    Validate,
    st.sampled_from([*sorted(_DATATYPES), "x:other"]),
    st.booleans(),
    st.booleans(),
    st.none() | st.builds(Range, st.none() | WORDS, st.none() | WORDS),
    st.none() | WORDS,
    st.none() | st.builds(ListRange, st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)),
)
FIELDS = st.builds(
    Field,
    st.none() | st.sampled_from(["FORM_TYPE", "a", "b", "c"]),
    st.none()
    | st.sampled_from(
        "boolean fixed hidden jid-multi jid-single list-multi list-single text-multi"
        " text-private text-single odd".split()
    ),
    st.none() | WORDS,
    st.none() | RULES,
    st.none() | WORDS,
    st.booleans(),
    st.lists(WORDS, max_size=3).map(tuple),
    st.lists(st.builds(dataforms.Option, WORDS, st.none() | WORDS), max_size=3).map(tuple),
)
FORMS = st.builds(
    Form,
    st.sampled_from(["form", "submit", "cancel", "result"]),
    st.none() | WORDS,
    st.just(()),
    st.lists(FIELDS, max_size=5).map(tuple),
)


@settings(deadline=None)
@given(FORMS, FORMS, st.dictionaries(st.sampled_from("abc"), WORDS, max_size=3))
@example(form("x", field("a", "jid-multi")), Form("submit"), {"a": "@"})
def test_any_form_is_read_and_filled_in_or_refused(
    asked: Form, answer: Form, values: dict[str, Value]
) -> None:
    dataforms.answers(asked)
    dataforms.irregular(asked)
    with suppress(StanzaError):
        dataforms.read(asked, answer)
    try:
        filled = fill(asked, values)
    except StanzaError:
        return
    assert decode(Form, encode(filled)) == filled


@settings(deadline=None)
@given(FORMS)
def test_any_form_goes_there_and_back(made: Form) -> None:
    assert decode(Form, encode(made)) == made
