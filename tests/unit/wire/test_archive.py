"""What is worth keeping, what may be asked for, and who may take what back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode
from pyrite.core.stanza import NS, Message, read
from pyrite.core.xml import parse, write
from pyrite.wire import archive, retraction
from pyrite.wire.archive import Always, Filter, Never, Preferences, Query

ROMEO, JULIET = JID.parse("romeo@verona.lit/garden"), JID.parse("juliet@verona.lit/balcony")
TYBALT = JID.parse("tybalt@verona.lit/street")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def message(inside: str, type: str = "chat", more: str = "") -> Message:
    stanza = read(
        parse(f"<message from='{ROMEO}' to='{JULIET}' type='{type}' {more}>{inside}</message>", NS)
    )
    assert isinstance(stanza, Message)
    return stanza


# --- what is worth keeping --------------------------------------------------------------------

BODY = "<body>hi</body>"
NO_STORE = "<no-store xmlns='urn:xmpp:hints'/>"
NO_PERMANENT = "<no-permanent-store xmlns='urn:xmpp:hints'/>"
STORE = "<store xmlns='urn:xmpp:hints'/>"
MUC = "<x xmlns='http://jabber.org/protocol/muc#user'>{}</x>"


@pytest.mark.parametrize(
    ("type", "inside", "is_kept"),
    [
        ("chat", BODY, True),
        ("normal", BODY, True),
        ("surprise", BODY, True),  # a type that is not known is normal (RFC 6121 §5.2.2)
        ("normal", "<subject>hi</subject>", True),
        ("headline", BODY, False),
        ("headline", BODY + STORE, True),
        ("headline", BODY + STORE + NO_STORE, False),
        ("groupchat", BODY, False),
        ("groupchat", BODY + STORE, False),
        ("error", BODY, False),
        ("error", BODY + STORE, False),
        ("chat", "", False),
        ("chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", False),
        ("chat", BODY + "<active xmlns='http://jabber.org/protocol/chatstates'/>", True),
        ("chat", "<thread>1</thread>", False),
        ("chat", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>", False),
        ("chat", BODY + NO_STORE, False),
        ("chat", NO_STORE + BODY, False),
        ("chat", BODY + NO_PERMANENT, False),
        ("chat", BODY + "<no-copy xmlns='urn:xmpp:hints'/>", True),
        ("chat", "<secret xmlns='x:secret'/>", False),
        ("chat", "<secret xmlns='x:secret'/>" + STORE, True),
        ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", True),
        ("chat", "<request xmlns='urn:xmpp:receipts'/>", False),
        ("chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True),
        ("chat", "<markable xmlns='urn:xmpp:chat-markers:0'/>", False),
        ("chat", "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>", True),
        ("chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", True),
        ("chat", "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>", True),
        ("normal", "<x xmlns='jabber:x:conference' jid='r@b.lit'/>", True),
        ("normal", MUC.format("<invite to='a@b.lit'/>"), True),
        ("normal", MUC.format("<status code='104'/>"), False),
        ("chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>", True),
        ("normal", "<result xmlns='urn:xmpp:mam:2' id='1'/>", False),
    ],
)
def test_what_is_kept(type: str, inside: str, is_kept: bool) -> None:
    assert archive.is_worth_keeping(message(inside, type)) is is_kept


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        (BODY, "hi"),
        ("<subject>Re</subject><body>hi</body>", "Re\nhi"),
        ("<body xml:lang='en'>hi</body><body xml:lang='it'>ciao</body>", "hi\nciao"),
        ("<received xmlns='urn:xmpp:receipts' id='1'/>", None),
        (BODY + "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>", None),
        (BODY + "<encrypted xmlns='eu.siacs.conversations.axolotl'/>", None),
        ("<retract xmlns='urn:xmpp:message-retract:1' id='1'/>" + BODY, None),
    ],
)
def test_what_a_search_finds_it_by(inside: str, words: str | None) -> None:
    assert archive.words(message(inside)) == words


# --- preferences (XEP-0441 §2) ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "expected"), [("always", True), ("never", False), ("roster", None)]
)
def test_default(default: Any, expected: bool | None) -> None:
    assert Preferences(default).keeps(JULIET) is expected
    assert Preferences(default, Always((TYBALT,)), Never((ROMEO,))).keeps(JULIET) is expected


@pytest.mark.parametrize(
    ("listed", "is_meant"),
    [
        ("juliet@verona.lit", True),
        ("juliet@verona.lit/balcony", True),
        ("juliet@verona.lit/tomb", False),
        ("verona.lit", False),
    ],
)
def test_matching(listed: str, is_meant: bool) -> None:
    """§2.3: a bare address is any of its resources."""
    jids = (JID.parse(listed),)
    assert Preferences("never", Always(jids)).keeps(JULIET) is is_meant
    assert Preferences("always", None, Never(jids)).keeps(JULIET) is not is_meant


def test_never_wins() -> None:
    jids = (JULIET.bare,)
    assert Preferences("always", Always(jids), Never(jids)).keeps(JULIET) is False


# --- questions --------------------------------------------------------------------------------


def query(*fields: tuple[str, str], form_type: str = archive.NS, type: str = "submit") -> Query:
    inside = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields)
    hidden = f"<field var='FORM_TYPE' type='hidden'><value>{form_type}</value></field>"
    form = f"<x xmlns='jabber:x:data' type='{type}'>{hidden}{inside}</x>"
    return decode(Query, parse(f"<query xmlns='{archive.NS}'>{form}</query>"))


def asked(*fields: tuple[str, str], **more: Any) -> Filter:
    return archive.filter_of(query(*fields, **more).form, is_searchable=True)


def test_no_form_asks_for_everything() -> None:
    assert archive.filter_of(None, is_searchable=True) == Filter() == asked()


@pytest.mark.parametrize(
    ("var", "text", "expected"),
    [
        ("with", "juliet@VERONA.lit", {"peer": JULIET.bare}),
        ("with", "juliet@verona.lit/balcony", {"peer": JULIET}),
        ("with", "", {}),
        ("start", "2026-01-01T13:00:00+01:00", {"start": NOON}),
        ("end", "2026-01-01T12:00:00Z", {"end": NOON}),
        ("end", "", {}),
        ("before-id", "9", {"before": "9"}),
        ("after-id", "9", {"after": "9"}),
        ("ids", "9", {"ids": ("9",)}),
        ("ids", "", {}),
        ("include-groupchat", "false", {"has_groupchat": False}),
        ("include-groupchat", "1", {"has_groupchat": True}),
        (archive.SEARCH, "what man art thou", {"search": "what man art thou"}),
        (archive.SEARCH, "", {}),
    ],
)
def test_fields(var: str, text: str, expected: dict[str, Any]) -> None:
    assert asked((var, text)) == Filter(**expected)


def test_all_fields_together() -> None:
    found = asked(("with", "juliet@verona.lit"), ("start", "2026-01-01T12:00:00Z"), ("ids", "2"))
    assert found == Filter(peer=JULIET.bare, start=NOON, ids=("2",))


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ([("colour", "red")], "feature-not-implemented"),
        ([("", "red")], "feature-not-implemented"),
        ([("with", "@")], "jid-malformed"),
        ([("start", "yesterday")], "bad-request"),
        ([("start", "2026-01-01")], "bad-request"),
        ([("start", "99999-01-01T00:00:00Z")], "bad-request"),
        ([("start", "0000-01-01T00:00:00Z")], "bad-request"),
        ([("start", "0001-01-01T00:00:00+14:00")], "bad-request"),
        ([("end", "9999-12-31T23:59:59-14:00")], "bad-request"),
        ([("end", "9999-12-31T24:00:00Z")], "bad-request"),
        ([("include-groupchat", "perhaps")], "bad-request"),
    ],
)
def test_wrong_fields(fields: list[tuple[str, str]], condition: str) -> None:
    with pytest.raises(StanzaError) as raised:
        asked(*fields)
    assert raised.value.condition == condition


@pytest.mark.parametrize(
    "how", [{"form_type": "urn:xmpp:mam:1"}, {"form_type": ""}, {"type": "cancel"}]
)
def test_wrong_forms(how: dict[str, str]) -> None:
    with pytest.raises(StanzaError, match=archive.NS) as raised:
        asked(**how)
    assert raised.value.condition == "bad-request"


def test_one_value_where_one_is_meant() -> None:
    form = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{}</value></field>"
    form = form.format(archive.NS) + "<field var='{}'><value>1</value><value>2</value></field></x>"
    ids = decode(archive.Form, parse(form.format("ids")))
    assert archive.filter_of(ids, is_searchable=True).ids == ("1", "2")
    with pytest.raises(StanzaError, match="one value"):
        archive.filter_of(decode(archive.Form, parse(form.format("after-id"))), is_searchable=True)


def test_too_many_ids() -> None:
    values = "".join(f"<value>{n}</value>" for n in range(archive.MAX_IDS + 1))
    hidden = f"<field var='FORM_TYPE'><value>{archive.NS}</value></field>"
    xml = f"<x xmlns='jabber:x:data' type='submit'>{hidden}<field var='ids'>{values}</field></x>"
    with pytest.raises(StanzaError) as raised:
        archive.filter_of(decode(archive.Form, parse(xml)), is_searchable=True)
    assert raised.value.condition == "policy-violation"


def test_no_search_where_there_is_none() -> None:
    form = query((archive.SEARCH, "man")).form
    with pytest.raises(StanzaError) as raised:
        archive.filter_of(form, is_searchable=False)
    assert raised.value.condition == "feature-not-implemented"
    offered = {field.var for field in archive.fields(is_searchable=False).fields}
    assert archive.fields(is_searchable=True).field(archive.SEARCH) is not None
    assert offered == {
        "FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids", "include-groupchat",
    }  # fmt: skip


def test_no_field_is_required_and_any_id_may_be_named() -> None:
    """§4.1, §4.1.5."""
    form = archive.fields(is_searchable=True)
    assert not any(field.required for field in form.fields)
    ids = form.field("ids")
    assert ids is not None
    assert ids.validate is not None
    assert (ids.type, ids.validate.open, ids.options) == ("list-multi", True, ())


@given(st.lists(st.tuples(st.sampled_from(["with", "start", "end", "ids", "x"]), st.text())))
def test_any_form_is_read_or_refused(fields: list[tuple[str, str]]) -> None:
    form = archive.Form(
        "submit",
        fields=(
            archive.dataforms.hidden("FORM_TYPE", archive.NS),
            *(archive.Field(var, values=(value,)) for var, value in fields),
        ),
    )
    try:
        found = archive.filter_of(form, is_searchable=True)
    except StanzaError:
        return
    assert isinstance(found, Filter)


# --- results ----------------------------------------------------------------------------------

OWNER = JULIET.bare


def result(queryid: str | None = "q") -> Message:
    return archive.wrap(
        "7", NOON, message(BODY).to_element(), owner=OWNER, to=JULIET, queryid=queryid
    )


def test_wrap_and_unwrap() -> None:
    given = result()
    assert (given.to, given.sender, given.type) == (JULIET, OWNER, None)
    found = archive.unwrap(given, OWNER, "q")
    assert found is not None
    told, inner = found
    assert (told.id, inner) == ("7", message(BODY))
    assert told.forwarded.delay is not None
    assert told.forwarded.delay.stamp == NOON
    assert archive.unwrap(result(None), OWNER, None) is not None


@pytest.mark.parametrize("sender", [ROMEO, ROMEO.bare, JULIET, JID(None, "verona.lit")])
def test_only_the_archive_that_was_asked_is_believed(sender: JID) -> None:
    """§8.2."""
    assert archive.unwrap(result().routed(sender=sender), OWNER, "q") is None


@pytest.mark.parametrize(
    ("given", "queryid"),
    [
        (result("other"), "q"),
        (result(), None),
        (message(BODY), "q"),
        (message(f"<result xmlns='{archive.NS}' id='1' queryid='q'/>"), "q"),
        (
            message(
                f"<result xmlns='{archive.NS}' id='1' queryid='q'>"
                "<forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client'/></forwarded>"
                "</result>"
            ),
            "q",
        ),
    ],
)
def test_what_is_no_result(given: Message, queryid: str | None) -> None:
    assert archive.unwrap(given.routed(sender=OWNER), OWNER, queryid) is None


def test_results_of_who_has_no_archive_are_taken_off() -> None:
    """All of them; those of a room, which is a bare address, are not ours to judge."""
    forged = result().add(*result().payloads).routed(sender=TYBALT)
    assert archive.without_forged(forged).payloads == []
    room = result().routed(sender=JID.parse("room@verona.lit"))
    assert archive.without_forged(room) is room
    clean = message(BODY)
    assert archive.without_forged(clean) is clean


def test_metadata_and_end_of_a_page_as_they_are_written() -> None:
    assert write(encode(archive.Metadata())) == f'<metadata xmlns="{archive.NS}"/>'
    fin = encode(archive.Fin(archive.ResultSet(), complete=True))
    assert fin.attrs == {"complete": "true"}


# --- retractions ------------------------------------------------------------------------------

RETRACT = "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>"


@pytest.mark.parametrize(
    ("given", "target"),
    [
        (message(RETRACT, more="id='2'"), "1"),
        (message(RETRACT), None),  # a tombstone could not name it
        (message(BODY, more="id='2'"), None),
        (message(RETRACT, "groupchat", "id='2'"), None),
        (message(RETRACT, "error", "id='2'"), None),
        (message("<retract xmlns='urn:xmpp:message-retract:1'/>", more="id='2'"), None),
        (message("<retract xmlns='urn:xmpp:message-retract:1' id=''/>", more="id='2'"), None),
    ],
)
def test_what_is_taken_back(given: Message, target: str | None) -> None:
    assert retraction.target(given) == target


ORIGINAL = message(BODY, more="id='1'")
ROOM = JID.parse("room@verona.lit")
OCCUPANT = "<x xmlns='http://jabber.org/protocol/muc#user'/>"


@pytest.mark.parametrize(
    ("sender", "to", "is_allowed"),
    [
        (ROMEO, JULIET, True),
        (ROMEO.bare.at("orchard"), JULIET.bare, True),
        (TYBALT, JULIET, False),
        (JULIET, ROMEO, False),  # the receiver cannot
        (ROMEO, TYBALT, False),  # nor the sender, in another conversation
        (None, JULIET, False),
        (JID(None, "verona.lit"), JULIET, False),
    ],
)
def test_who_may_take_back(sender: JID | None, to: JID, is_allowed: bool) -> None:
    wish = Message("chat", to, sender, "2", message(RETRACT).payloads)
    assert retraction.may_retract(wish, ORIGINAL) is is_allowed


@pytest.mark.parametrize(
    ("nick", "marks", "is_allowed"),
    [("romeo", 2, True), ("tybalt", 2, False), ("tybalt", 1, False), ("tybalt", 0, False)],
)
def test_an_occupant_is_not_the_room(nick: str, marks: int, is_allowed: bool) -> None:
    """§5: all occupants have the same bare address. Which of the messages says so is the same."""
    original = message(BODY + OCCUPANT, more="id='1'").routed(sender=ROOM.at("romeo"))
    wish = message(RETRACT + OCCUPANT * bool(marks), more="id='2'").routed(sender=ROOM.at(nick))
    if marks == 1:
        original = message(BODY, more="id='1'").routed(sender=ROOM.at("romeo"))
    assert retraction.may_retract(wish, original) is is_allowed


def test_a_retraction_stays() -> None:
    """§5: whoever was offline hears of it when it catches up."""
    assert not retraction.may_retract(
        message(RETRACT, more="id='3'"), message(RETRACT, more="id='1'")
    )
    own = message(RETRACT, more="id='1'")
    assert not retraction.may_retract(own, own)


def test_messages_to_oneself() -> None:
    note = Message("chat", None, ROMEO, "1", message(BODY).payloads)
    wish = Message("chat", ROMEO.bare, ROMEO, "2", message(RETRACT).payloads)
    assert retraction.may_retract(wish, note)
    assert not retraction.may_retract(wish, ORIGINAL)


def test_a_tombstone_says_nothing_of_what_was_said() -> None:
    original = message(BODY + "<subject>love</subject><thread>t</thread>", more="id='1'")
    stone = retraction.tombstone(original, message(RETRACT, more="id='2'"), NOON)
    assert stone == message(
        "<retracted xmlns='urn:xmpp:message-retract:1' id='2' stamp='2026-01-01T12:00:00Z'/>",
        more="id='1'",
    )
