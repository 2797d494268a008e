"""The rules beside the payloads of services: forms, discovery, cards, registration, blocking."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha1
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode
from pyrite.core.xml import parse
from pyrite.wire import (
    blocking,
    caps,
    dataforms,
    disco,
    privacy,
    private,
    registration,
    rsm,
    search,
    time,
    vcard,
)
from pyrite.wire.dataforms import Field, Form, ListRange, Range, Validate, field, form

ME = JID.parse("romeo@montague.lit/orchard")


def condition_of(call: Any, *arguments: Any) -> str:
    with pytest.raises(StanzaError) as raised:
        call(*arguments)
    return raised.value.condition


# --- data forms -------------------------------------------------------------------------------

ASKED = form(
    "urn:example:asked",
    dataforms.fixed("About you"),
    field("name", "text-single", "Name", required=True),
    field("public", "boolean"),
    field("friend", "jid-single"),
    field("friends", "jid-multi"),
    field("color", "list-single", options=[("r", "Red"), ("g", "")]),
    field("colors", "list-multi", options=[("r", ""), ("g", ""), ("b", "")],
          validate=Validate(list_range=ListRange(1, 2))),
    field("other", "list-single", options=[("r", "")], validate=Validate(open=True)),
    field("about", "text-multi"),
    field("age", "text-single", validate=Validate("xs:integer", range=Range("1", "99"))),
    field("small", "text-single", validate=Validate("xs:byte")),
    field("secret", "text-private"),
    field("odd", "no-such-type"),
    title="Title",
    instructions="Fill in.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"name": "N"}, {"name": "N"}),
        ({"name": ""}, {"name": ""}),
        ({"name": "N", "public": True}, {"name": "N", "public": True}),
        ({"name": "N", "public": "false"}, {"name": "N", "public": False}),
        ({"name": "N", "public": ()}, {"name": "N", "public": False}),
        ({"name": "N", "friend": ME}, {"name": "N", "friend": ME}),
        ({"name": "N", "friend": ()}, {"name": "N", "friend": ""}),
        (
            {"name": "N", "friends": ("A@b.lit", "a@b.lit", "c.lit")},
            {"name": "N", "friends": (JID("a", "b.lit"), JID(None, "c.lit"))},
        ),
        ({"name": "N", "color": "g"}, {"name": "N", "color": "g"}),
        ({"name": "N", "colors": ("b", "r", "b")}, None),
        ({"name": "N", "colors": ("b", "r")}, {"name": "N", "colors": ("b", "r")}),
        ({"name": "N", "other": "violet"}, {"name": "N", "other": "violet"}),
        ({"name": "N", "about": ("1", "2")}, {"name": "N", "about": ("1", "2")}),
        ({"name": "N", "age": "99"}, {"name": "N", "age": 99}),
        ({"name": "N", "odd": "x", "unasked": "y"}, {"name": "N", "odd": "x"}),
        # refused
        ({}, None),
        ({"name": ()}, None),
        ({"name": ("N", "M")}, None),
        ({"name": "N", "public": "maybe"}, None),
        ({"name": "N", "friend": "@"}, None),
        ({"name": "N", "friends": ("a@b.lit", "@")}, None),
        ({"name": "N", "color": "violet"}, None),
        ({"name": "N", "colors": ()}, None),
        ({"name": "N", "colors": ("r", "g", "b")}, None),
        ({"name": "N", "age": "100"}, None),
        ({"name": "N", "age": "old"}, None),
        ({"name": "N", "small": "128"}, None),
    ],
)
def test_answers(given: dict[str, Any], read: dict[str, Any] | None) -> None:
    answer = decode(Form, encode(dataforms.submission("urn:example:asked", given)))
    if read is None:
        assert condition_of(dataforms.read, ASKED, answer) == "not-acceptable"
    else:
        assert dataforms.read(ASKED, answer) == read


def test_answers_to_something_else() -> None:
    other = dataforms.submission("urn:example:other", {"name": "N"})
    assert condition_of(dataforms.read, ASKED, other) == "bad-request"
    assert condition_of(dataforms.read, ASKED, dataforms.cancellation()) == "bad-request"
    untyped = Form("submit", fields=(Field("name", values=("N",)),))
    assert dataforms.read(ASKED, untyped) == {"name": "N"}


def test_the_first_answer_counts() -> None:
    twice = Form("submit", fields=(Field("name", values=("1",)), Field("name", values=("2",))))
    assert dataforms.read(ASKED, twice) == {"name": "1"}


def test_form_types_are_hidden() -> None:
    field = "<field var='FORM_TYPE' type='{}'><value>x</value></field>"
    text = "<x xmlns='jabber:x:data' type='{}'>" + field + "</x>"
    assert decode(Form, parse(text.format("result", "hidden"))).form_type == "x"
    assert decode(Form, parse(text.format("result", "text-single"))).form_type is None
    assert decode(Form, parse(text.format("submit", "text-single"))).form_type == "x"
    assert Form("form").form_type is None


def test_looking_into_a_form() -> None:
    assert ASKED.field("none") is None
    assert (ASKED.value("none"), ASKED.value("none", "x"), ASKED.values("none")) == ("", "x", ())
    assert (ASKED.value("FORM_TYPE"), ASKED.values("FORM_TYPE")) == (
        "urn:example:asked",
        ("urn:example:asked",),
    )
    assert ASKED.value("name") == ""


def test_tables() -> None:
    made = dataforms.table([Field("a"), Field("b")], [{"a": "1", "b": "2", "c": "3"}, {"b": "4"}])
    rows = [{f.var: f.value for f in item.fields} for item in made.items]
    assert rows == [{"a": "1", "b": "2"}, {"b": "4"}]
    assert decode(Form, encode(made)) == made


# --- pages ------------------------------------------------------------------------------------

ITEMS = [(str(n), n) for n in range(10)]


@pytest.mark.parametrize(
    ("wanted", "values", "index"),
    [
        (None, [0, 1, 2, 3], 0),
        (rsm.ResultSet(max=2), [0, 1], 0),
        (rsm.ResultSet(max=100), [0, 1, 2, 3], 0),
        (rsm.ResultSet(max=2, after="3"), [4, 5], 4),
        (rsm.ResultSet(after="8"), [9], 9),
        (rsm.ResultSet(after="9"), [], None),
        (rsm.ResultSet(max=3, before=""), [7, 8, 9], 7),
        (rsm.ResultSet(max=3, before="5"), [2, 3, 4], 2),
        (rsm.ResultSet(max=3, before="1"), [0], 0),
        (rsm.ResultSet(max=3, before="0"), [], None),
        (rsm.ResultSet(max=3, index=8), [8, 9], 8),
        (rsm.ResultSet(index=99), [], None),
        (rsm.ResultSet(max=0), [], None),
    ],
)
def test_pages(wanted: rsm.ResultSet | None, values: list[int], index: int | None) -> None:
    found, told = rsm.page(ITEMS, wanted, 4)
    assert found == values
    assert told.count == 10
    assert (told.first.index if told.first else None) == index
    assert told.last == (str(values[-1]) if values else None)


@pytest.mark.parametrize(
    ("wanted", "condition"),
    [
        (rsm.ResultSet(after="x"), "item-not-found"),
        (rsm.ResultSet(before="x"), "item-not-found"),
        (rsm.ResultSet(after="1", before="2"), "bad-request"),
    ],
)
def test_pages_refused(wanted: rsm.ResultSet, condition: str) -> None:
    assert condition_of(rsm.page, ITEMS, wanted, 4) == condition


@given(st.integers(1, 12), st.integers(0, 30))
def test_paging_through_gives_all(size: int, count: int) -> None:
    items = [(str(n), n) for n in range(count)]
    forward: list[int] = []
    wanted = rsm.ResultSet(max=size)
    while page := rsm.page(items, wanted, 10):
        if not page[0]:
            break
        forward += page[0]
        wanted = rsm.ResultSet(max=size, after=page[1].last)
    assert forward == list(range(count))
    back: list[int] = []
    wanted = rsm.ResultSet(max=size, before="")
    while (page := rsm.page(items, wanted, 10))[0]:
        back = page[0] + back
        wanted = rsm.ResultSet(max=size, before=page[1].first.id if page[1].first else "")
    assert back == list(range(count))


# --- discovery and capabilities ---------------------------------------------------------------


def test_info_is_in_order_and_without_doubles() -> None:
    made = disco.info([disco.Identity("server", "im")], ["b", "a", "b"])
    assert [feature.var for feature in made.features] == ["a", "b"]
    assert made.vars == {"a", "b"}
    assert made.is_a("server", "im")
    assert not made.is_a("client", "pc")
    assert made.form("x") is None


def test_contacts() -> None:
    made = disco.contact_form({"abuse": ["mailto:a@b.lit"], "admin": ["xmpp:c@b.lit", "x:y"]})
    answer = decode(disco.Info, encode(disco.info([], [], [made])))
    assert disco.contacts(answer) == {
        "abuse": ("mailto:a@b.lit",),
        "admin": ("xmpp:c@b.lit", "x:y"),
    }
    assert disco.contacts(disco.Info()) == {}
    with pytest.raises(ValueError):
        disco.contact_form({"king": ["mailto:k@b.lit"]})


FEATURES = [
    "http://jabber.org/protocol/muc",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/caps",
]
SIMPLE = disco.info([disco.Identity("client", "pc", "Exodus 0.9.1")], FEATURES)
COMPLEX = disco.Info(
    None,
    (
        disco.Identity("client", "pc", "Psi 0.11", "en"),
        disco.Identity("client", "pc", "\u03a8 0.11", "el"),
    ),
    tuple(map(disco.Feature, FEATURES)),
    (
        dataforms.result(
            "urn:xmpp:dataforms:softwareinfo",
            Field("software", values=("Psi",)),
            Field("os_version", values=("10.5.1",)),
            Field("ip_version", "text-multi", values=("ipv6", "ipv4")),
            Field("software_version", values=("0.11",)),
            Field("os", values=("Mac",)),
        ),
    ),
)


@pytest.mark.parametrize(
    ("info", "ver"),
    [(SIMPLE, "QgayPKawpkPSDYmwT/WM94uAlu0="), (COMPLEX, "q07IKJEyjvHSyhy//CH0CxmKi8w=")],
)
def test_the_two_hashes_of_the_specification(info: disco.Info, ver: str) -> None:
    assert caps.ver(info) == ver
    assert caps.verify(caps.Caps("urn:x", ver, "sha-1"), info)
    assert caps.verify(caps.Caps("urn:x", caps.ver(info, "sha-256"), "sha-256"), info)
    assert not caps.verify(caps.Caps("urn:x", ver, "sha-256"), info)


def test_identities_sort_by_their_parts() -> None:
    info = disco.Info(None, (disco.Identity("a-b", "x"), disco.Identity("a", "x")))
    expected = sha1(b"a/x//<a-b/x//<", usedforsecurity=False).digest()
    assert caps.ver(info) == b64encode(expected).decode()


def with_forms(*forms: Form) -> disco.Info:
    return disco.Info(None, SIMPLE.identities, SIMPLE.features, forms)


def typed(form_type: tuple[str, ...], kind: str | None = "hidden") -> Form:
    return Form("result", fields=(Field("FORM_TYPE", kind, values=form_type),))


@pytest.mark.parametrize(
    "info",
    [
        disco.Info(None, SIMPLE.identities * 2, SIMPLE.features),
        disco.Info(None, SIMPLE.identities, SIMPLE.features * 2),
        with_forms(typed(("x",)), typed(("x",))),
        with_forms(typed(("x", "y"))),
        disco.Info(None, (disco.Identity("client", "pc", "a<b"),)),
        disco.Info(None, (), (disco.Feature("a<b"),)),
        with_forms(dataforms.result("x", Field("y", values=("<",)))),
    ],
)
def test_ill_formed_answers_are_not_believed(info: disco.Info) -> None:
    assert not caps.is_well_formed(info)
    assert not caps.verify(caps.Caps("urn:x", caps.ver(info), "sha-1"), info)


@pytest.mark.parametrize(
    "form", [typed(("x",), None), typed(("x",), "text-single"), Form("result"), typed(())]
)
def test_forms_without_hidden_type_do_not_count(form: Form) -> None:
    assert caps.is_well_formed(with_forms(form))
    assert caps.ver(with_forms(form)) == caps.ver(SIMPLE)


@pytest.mark.parametrize("hash", [None, "md2", "whirlpool", "", "../sha1"])
def test_what_cannot_be_checked_is_not_believed(hash: str | None) -> None:
    one = caps.Caps("urn:x", "0.9", hash)
    assert not one.is_verifiable
    assert not caps.verify(one, SIMPLE)
    with pytest.raises(KeyError):
        caps.ver(SIMPLE, hash or "none")


def test_where_to_ask() -> None:
    assert caps.Caps("urn:x", "abc=", "sha-1").disco_node == "urn:x#abc="


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
INFOS = st.builds(
    disco.Info,
    st.none(),
    st.lists(st.builds(disco.Identity, TEXT, TEXT, TEXT, TEXT), max_size=3).map(tuple),
    st.lists(st.builds(disco.Feature, TEXT), max_size=4).map(tuple),
)


@given(INFOS, st.randoms())
def test_order_does_not_matter(info: disco.Info, random: Any) -> None:
    shuffled = disco.Info(
        None,
        tuple(random.sample(info.identities, len(info.identities))),
        tuple(random.sample(info.features, len(info.features))),
    )
    assert caps.ver(info) == caps.ver(shuffled)


# --- time, private storage, cards, search -------------------------------------------------------


def test_time() -> None:
    zone = timezone(timedelta(hours=-6))
    now = datetime(2006, 12, 19, 11, 58, 35, 999, tzinfo=zone)
    assert time.answer(now) == time.Time(zone, datetime(2006, 12, 19, 17, 58, 35, tzinfo=UTC))
    assert time.answer(datetime(2006, 1, 1, tzinfo=UTC)).tzo is UTC


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("", "bad-request"),
        ("<a xmlns='x'/><b xmlns='x'/>", "bad-request"),
        ("<query xmlns='jabber:iq:roster'/>", "not-acceptable"),
        ("<vCard xmlns='vcard-temp'/>", "not-acceptable"),
        ("<a xmlns='jabber:client'/>", "not-acceptable"),
    ],
)
def test_private_refused(inside: str, condition: str) -> None:
    query = decode(private.Private, parse(f"<query xmlns='jabber:iq:private'>{inside}</query>"))
    assert condition_of(private.content, query) == condition


def test_private() -> None:
    element = parse("<storage xmlns='storage:bookmarks'><x/></storage>")
    assert private.content(private.Private((element,))) == element


PNG = b"\x89PNG\r\n\x1a\n rest"


def test_cards() -> None:
    card = vcard.VCard()
    assert (card.text("FN"), card.photo, vcard.avatar_hash(card)) == (None, None, "")
    photo = vcard.Photo("image/png", b64encode(PNG).decode())
    card = card.with_text("FN", "Romeo").with_text("FN", "Romeo M.").with_photo(photo)
    card = decode(vcard.VCard, encode(card))
    assert card.text("FN") == "Romeo M."
    assert card.photo == photo
    assert photo.data == PNG
    assert vcard.avatar_hash(card) == sha1(PNG, usedforsecurity=False).hexdigest()
    assert card.with_photo(None).photo is None
    assert card.with_text("FN", "").text("FN") is None


def test_cards_from_elsewhere() -> None:
    name, photo = "<N><FAMILY> M </FAMILY></N>", "<PHOTO><BINVAL>{}</BINVAL></PHOTO>"
    text = f"<vCard xmlns='vcard-temp'>{name}{photo}</vCard>"
    card = decode(vcard.VCard, parse(text.format(f"\n {b64encode(PNG).decode()}\n ")))
    assert (card.text("N", "FAMILY"), card.text("N", "GIVEN"), card.text("X", "Y")) == (
        "M", None, None,
    )  # fmt: skip
    assert vcard.avatar_hash(card) == sha1(PNG, usedforsecurity=False).hexdigest()
    assert vcard.avatar_hash(decode(vcard.VCard, parse(text.format("***")))) == ""
    assert vcard.avatar_hash(decode(vcard.VCard, parse(text.format("")))) == ""
    odd = parse("<vCard xmlns='vcard-temp'><PHOTO/><PHOTO><TYPE>x</TYPE></PHOTO></vCard>")
    assert decode(vcard.VCard, odd).photo == vcard.Photo()


@pytest.mark.parametrize(
    ("data", "kind"),
    [(PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"GIF89a", "image/gif"),
     (b"<svg onload='x'/>", None), (b"", None)],
)  # fmt: skip
def test_what_a_picture_is(data: bytes, kind: str | None) -> None:
    assert vcard.image_type(data) == kind


@pytest.mark.parametrize(
    ("other", "then"),
    [
        (None, "stop"),
        (vcard.Update(), "keep"),
        (vcard.Update(""), "reset"),
        (vcard.Update("abc"), "keep"),
        (vcard.Update("def"), "reset"),
    ],
)
def test_another_resource_with_a_picture(other: vcard.Update | None, then: str) -> None:
    assert vcard.after("abc", other) == then


def test_search_criteria() -> None:
    assert search.criteria(search.Search(first=" A ", nick="")) == {"first": "A"}
    asked = dataforms.submission("jabber:iq:search", {"user": "R", "empty": ""})
    assert search.criteria(search.Search(form=asked)) == {"user": "R"}


# --- registration -----------------------------------------------------------------------------


def query(inside: str) -> registration.Registration:
    text = f"<query xmlns='jabber:iq:register'>{inside}</query>"
    return decode(registration.Registration, parse(text))


def test_registration_requests() -> None:
    assert registration.request_of(query("<remove/>")) == "remove"
    assert registration.request_of(query("<username>a</username>")) == "register"
    cancel = query("<x xmlns='jabber:x:data' type='cancel'/>")
    assert registration.request_of(cancel) == "cancel"
    both = query("<remove/><password>x</password>")
    assert condition_of(registration.request_of, both) == "bad-request"


ASKED_TO_REGISTER = registration.question("Choose.", field("email", "text-single", required=True))


def test_credentials_from_the_form_or_from_the_fields() -> None:
    asked = ASKED_TO_REGISTER.form
    plain = query("<username>a</username><password>b</password>")
    assert registration.credentials(plain) == ("a", "b")
    values = {"username": "a", "password": "b", "email": "e"}
    answer = registration.Registration(form=dataforms.submission(registration.NS, values))
    assert registration.credentials(answer, asked) == ("a", "b")
    assert registration.credentials(answer) == ("a", "b")
    partial = registration.Registration(form=dataforms.submission(registration.NS, {"email": "e"}))
    assert condition_of(registration.credentials, partial, asked) == "not-acceptable"


@pytest.mark.parametrize(
    "inside",
    ["", "<username>a</username>", "<username>a</username><password/>", "<password>b</password>"],
)
def test_credentials_are_both_there(inside: str) -> None:
    assert condition_of(registration.credentials, query(inside)) == "not-acceptable"


def test_a_question_has_both_forms() -> None:
    again = decode(registration.Registration, encode(ASKED_TO_REGISTER))
    assert again == ASKED_TO_REGISTER
    assert (again.username, again.password) == ("", "")
    assert again.form is not None
    assert again.form.form_type == registration.NS


# --- blocking and privacy -----------------------------------------------------------------------

MATCHING = [
    ("user@domain.lit/res", {"user@domain.lit/res"}),
    ("user@domain.lit", {"user@domain.lit/res", "user@domain.lit/other", "user@domain.lit"}),
    ("domain.lit/res", {"user@domain.lit/res", "domain.lit/res"}),
    (
        "domain.lit",
        {"user@domain.lit/res", "user@domain.lit/other", "user@domain.lit", "domain.lit/res",
         "domain.lit"},
    ),
]  # fmt: skip
EVERYBODY = MATCHING[-1][1] | {"user@sub.domain.lit", "other@else.lit/res"}


@pytest.mark.parametrize(("blocked", "hit"), MATCHING)
def test_matching(blocked: str, hit: set[str]) -> None:
    rule = privacy.Item("deny", 1, "jid", blocked)
    for who in EVERYBODY:
        jid = JID.parse(who)
        assert blocking.matches({JID.parse(blocked)}, jid) is (who in hit)
        assert privacy.allows([rule], "message", jid, ME) is (who not in hit)
    assert not blocking.matches(set(), ME)


def test_block_requests() -> None:
    one = blocking.Item(ME)
    assert blocking.wanted(blocking.Block((one, one))) == (ME,)
    assert blocking.wanted(blocking.Unblock()) == ()
    assert condition_of(blocking.wanted, blocking.Block()) == "bad-request"
    many = blocking.Block((one,) * 1001)
    assert condition_of(blocking.wanted, many) == "not-acceptable"


def test_the_error_of_a_block() -> None:
    error = blocking.refusal()
    assert (error.condition, error.type) == ("not-acceptable", "cancel")
    assert error.app is not None
    assert error.app.name == (blocking.NS_ERRORS, "blocked")


def rules(*items: privacy.Item) -> privacy.List:
    return privacy.List("l", items)


OTHER = JID.parse("tybalt@capulet.lit/x")


@pytest.mark.parametrize(
    ("items", "kind", "allowed"),
    [
        ([], "message", True),
        ([privacy.Item("deny", 1)], "message", False),
        ([privacy.Item("deny", 1)], "out", False),
        ([privacy.Item("deny", 1, message=True)], "message", False),
        ([privacy.Item("deny", 1, message=True)], "iq", True),
        ([privacy.Item("deny", 1, message=True)], "out", True),
        ([privacy.Item("deny", 1, iq=True)], "iq", False),
        ([privacy.Item("deny", 1, presence_in=True)], "presence-in", False),
        ([privacy.Item("deny", 1, presence_in=True)], "presence-out", True),
        ([privacy.Item("deny", 1, presence_out=True)], "presence-out", False),
        ([privacy.Item("deny", 2), privacy.Item("allow", 1)], "message", True),
        ([privacy.Item("allow", 2), privacy.Item("deny", 1)], "message", False),
        ([privacy.Item("deny", 1, "group", "Enemies")], "message", False),
        ([privacy.Item("deny", 1, "group", "Friends")], "message", True),
        ([privacy.Item("deny", 1, "subscription", "to")], "message", False),
        ([privacy.Item("deny", 1, "subscription", "both")], "message", True),
        ([privacy.Item("deny", 1, "jid", "@broken")], "message", True),
    ],
)
def test_privacy(items: list[privacy.Item], kind: privacy.Kind, allowed: bool) -> None:
    assert privacy.allows(items, kind, OTHER, ME, "to", ["Enemies"]) is allowed


def test_nobody_is_kept_from_themselves() -> None:
    assert privacy.allows([privacy.Item("deny", 1)], "iq", ME.bare.at("other"), ME)


@pytest.mark.parametrize(
    ("made", "condition"),
    [
        (rules(privacy.Item("deny", 1), privacy.Item("allow", 1)), "bad-request"),
        (rules(privacy.Item("deny", 1, "jid", "@")), "bad-request"),
        (rules(privacy.Item("deny", 1, "jid")), "bad-request"),
        (rules(privacy.Item("deny", 1, None, "x")), "bad-request"),
        (rules(privacy.Item("deny", 1, "subscription", "remove")), "bad-request"),
        (rules(*(privacy.Item("deny", n) for n in range(1001))), "not-acceptable"),
        (privacy.List(""), "bad-request"),
        (privacy.List("x" * 257), "bad-request"),
    ],
)
def test_lists_refused(made: privacy.List, condition: str) -> None:
    assert condition_of(privacy.check_set, privacy.Query(lists=(made,))) == condition


def test_privacy_requests() -> None:
    lists = (privacy.List("a"), privacy.List("b"))
    assert privacy.check_get(privacy.Query()) is None
    assert privacy.check_get(privacy.Query(lists=lists[:1])) == "a"
    assert condition_of(privacy.check_get, privacy.Query(lists=lists)) == "bad-request"
    assert condition_of(privacy.check_get, privacy.Query(privacy.Active())) == "bad-request"
    assert privacy.check_set(privacy.Query(privacy.Active("a"))) == privacy.Active("a")
    assert privacy.check_set(privacy.Query(None, privacy.Default())) == privacy.Default()
    assert privacy.check_set(privacy.Query(lists=lists[:1])) == lists[0]
    for query in (
        privacy.Query(),
        privacy.Query(lists=lists),
        privacy.Query(privacy.Active(), privacy.Default()),
    ):
        assert condition_of(privacy.check_set, query) == "bad-request"
