"""The rules beside the payloads of SASL, binding, roster, presence and messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import SASL_CONDITIONS, SaslError, StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode
from pyrite.core.stanza import Iq, Message, Presence
from pyrite.core.xml import parse
from pyrite.wire import bind, limits, message, presence, roster, sasl

ME = JID.parse("juliet@example.com/balcony")


# --- SASL -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoded", "data"), [("", None), ("=", b""), ("AA==", b"\0"), ("YWJj", b"abc")]
)
def test_sasl_data(encoded: str, data: bytes | None) -> None:
    assert sasl.unpack(encoded) == data
    assert sasl.pack(data) == encoded


@pytest.mark.parametrize(
    "encoded",
    ["A", "AA", "AA=", "AA== ", " AA==", "A A==", "AA\n==", "AB==", "====", "==", "A===", "&",
     "\u00e4AAA", "AA-_", "AAAA=", "AA==AA=="],
)  # fmt: skip
def test_sasl_data_is_strict(encoded: str) -> None:
    with pytest.raises(SaslError) as raised:
        sasl.unpack(encoded)
    assert raised.value.condition == "incorrect-encoding"


@given(st.binary(max_size=50))
def test_sasl_data_round_trip(data: bytes) -> None:
    assert sasl.unpack(sasl.pack(data)) == data


@given(st.text())
def test_sasl_data_of_any_text(encoded: str) -> None:
    try:
        data = sasl.unpack(encoded)
    except SaslError:
        return
    assert sasl.pack(data) == encoded


@pytest.mark.parametrize("condition", sorted(SASL_CONDITIONS))
def test_sasl_failure(condition: str) -> None:
    for text in ("", "why"):
        failure = sasl.failure(SaslError(condition, text))
        again = decode(sasl.Failure, encode(failure)).error
        assert (again.condition, again.text) == (condition, text)


def test_an_unknown_sasl_failure_is_still_one() -> None:
    odd = parse(f"<failure xmlns='{sasl.NS}'><x xmlns='urn:x'/><bad-auth/></failure>")
    assert decode(sasl.Failure, odd).error.condition == "not-authorized"


def test_channel_bindings() -> None:
    assert sasl.bindings("tls-exporter", "x").types == ("tls-exporter", "x")


# --- binding and limits -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "prepared"), [(None, None), ("", None), ("Balcony", "Balcony"), ("a/b@c", "a/b@c")]
)
def test_wanted_resource(resource: str | None, prepared: str | None) -> None:
    assert bind.wanted(bind.Bind(resource)) == prepared


@pytest.mark.parametrize("resource", ["\u0000", "\u200b", "x" * 1024, "\ud800"])
def test_a_resource_that_is_none_is_a_bad_request(resource: str) -> None:
    with pytest.raises(StanzaError) as raised:
        bind.wanted(bind.Bind(resource))
    assert (raised.value.condition, raised.value.type) == ("bad-request", "modify")


def test_limits_say_why() -> None:
    assert "10000" in limits.refusal_text(limits.Limits(10_000))


# --- roster -----------------------------------------------------------------------------------


def roster_set(items: str) -> roster.Query:
    return decode(roster.Query, parse(f"<query xmlns='jabber:iq:roster'>{items}</query>"))


@pytest.mark.parametrize(
    ("items", "item"),
    [
        ("<item jid='a@b.lit'/>", roster.Item(JID("a", "b.lit"))),
        ("<item jid='b.lit' name=''/>", roster.Item(JID(None, "b.lit"))),
        (
            "<item jid='a@b.lit' name='A' subscription='both' ask='subscribe' approved='true'>"
            "<group>x</group><group>X</group></item>",
            roster.Item(JID("a", "b.lit"), "A", groups=("x", "X")),
        ),
        (
            "<item jid='a@b.lit' subscription='remove'/>",
            roster.Item(JID("a", "b.lit"), subscription="remove"),
        ),
        ("<item jid='a@b.lit' subscription='odd'/>", roster.Item(JID("a", "b.lit"))),
        ("<item jid='a@b.lit' ask='odd'/>", roster.Item(JID("a", "b.lit"))),
    ],
)
def test_roster_set(items: str, item: roster.Item) -> None:
    assert roster.check_set(roster_set(items)) == item


@pytest.mark.parametrize(
    ("items", "condition"),
    [
        ("", "bad-request"),
        ("<item jid='a@b.lit'/><item jid='c@b.lit'/>", "bad-request"),
        ("<item jid='a@b.lit'/><item jid='a@b.lit'/>", "bad-request"),
        ("<item jid='a@b.lit/c'/>", "bad-request"),
        ("<item jid='a@b.lit'><group>x</group><group>x</group></item>", "bad-request"),
        ("<item jid='a@b.lit'><group>\u00e9</group><group>e\u0301</group></item>", "bad-request"),
        ("<item jid='a@b.lit'><group/></item>", "not-acceptable"),
        ("<item jid='a@b.lit'><group>x</group><group></group></item>", "not-acceptable"),
        (f"<item jid='a@b.lit' name='{'n' * 1024}'/>", "not-acceptable"),
        (f"<item jid='a@b.lit'><group>{'n' * 1024}</group></item>", "not-acceptable"),
        (
            f"<item jid='a@b.lit'>{''.join(f'<group>{n}</group>' for n in range(101))}</item>",
            "not-acceptable",
        ),
    ],
)
def test_roster_set_refused(items: str, condition: str) -> None:
    with pytest.raises(StanzaError) as raised:
        roster.check_set(roster_set(items))
    assert raised.value.condition == condition


@pytest.mark.parametrize(
    ("items", "condition"),
    [("<item/>", "bad-request"), ("<item jid='@'/>", "jid-malformed")],
)
def test_roster_set_malformed(items: str, condition: str) -> None:
    with pytest.raises(StanzaError) as raised:
        roster_set(items)
    assert raised.value.condition == condition


def test_roster_get_has_no_items() -> None:
    roster.check_get(roster.Query())
    with pytest.raises(StanzaError):
        roster.check_get(roster_set("<item jid='a@b.lit'/>"))


def push(sender: str | None, items: str = "<item jid='a@b.lit'/>", type: str = "set") -> Iq:
    who = JID.parse(sender) if sender else None
    return Iq(type, ME, who, "1", [encode(roster_set(items))])


@pytest.mark.parametrize(
    ("iq", "is_ours"),
    [
        (push(None), True),
        (push("juliet@example.com"), True),
        (push("juliet@example.com/chamber"), False),
        (push("example.com"), False),
        (push("romeo@example.com"), False),
        (push(None, type="result"), False),
        (Iq("set", ME), False),
    ],
)
def test_only_our_server_pushes(iq: Iq, is_ours: bool) -> None:
    """CVE-2015-8688: anybody could change a roster."""
    assert roster.is_push(iq, ME) is is_ours
    assert (roster.pushed(iq, ME) == roster.Item(JID("a", "b.lit"))) is is_ours


def test_a_push_has_one_item() -> None:
    with pytest.raises(StanzaError):
        roster.pushed(push(None, ""), ME)


# --- presence ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "priority"),
    [("", 0), ("0", 0), ("5", 5), (" -128\n", -128), ("127", 127), ("+1", 1),
     ("128", 0), ("-129", 0), ("high", 0), ("1.5", 0), ("9" * 5000, 0), ("\u0661", 0)],
)  # fmt: skip
def test_priority_never_fails(text: str, priority: int) -> None:
    element = parse(f"<presence><priority>{text}</priority></presence>", "jabber:client")
    stanza = Presence(payloads=tuple(element.elements))
    assert presence.priority(stanza) == priority
    assert presence.priority(Presence()) == 0


@pytest.mark.parametrize(
    "inside",
    ["<priority>128</priority>", "<priority/>", "<show>gone</show>", "<show/>"],
)
def test_our_clients_are_told(inside: str) -> None:
    element = parse(f"<presence>{inside}</presence>", "jabber:client")
    with pytest.raises(StanzaError) as raised:
        presence.check(Presence(payloads=tuple(element.elements)))
    assert raised.value.condition == "bad-request"
    assert presence.show(Presence(payloads=tuple(element.elements))) is None


def test_presence_types() -> None:
    for type in (None, *presence.TYPES):
        presence.check(Presence(type))
    with pytest.raises(StanzaError):
        presence.check(Presence("available"))


def test_making_presence() -> None:
    made = presence.available("dnd", "Wooing", -1)
    assert (presence.show(made), presence.priority(made)) == ("dnd", -1)
    assert made.get(presence.Status) == presence.Status("Wooing")
    assert presence.available().payloads == []
    assert presence.show(Presence()) is None
    assert presence.unavailable("bye").get(presence.Status) == presence.Status("bye")
    assert presence.unavailable().type == "unavailable"


# --- messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "kind"),
    [(None, "normal"), ("chat", "chat"), ("odd", "normal"), ("error", "error")],
)
def test_message_kind(type: str | None, kind: str) -> None:
    assert message.kind(Message(type)) == kind


def test_the_body_in_a_language() -> None:
    said = Message(
        lang="en",
        payloads=[encode(message.Body("Why?")), encode(message.Body("Pro\u010d?", "cs"))],
    )
    assert message.body(said) == "Why?"
    assert message.body(said, "CS") == "Pro\u010d?"
    assert message.body(said, "de", "en") == "Why?"
    assert message.body(said, "de") == "Why?"
    assert message.body(Message()) is None
    assert message.has_body(said)
    assert not message.has_body(Message(payloads=[encode(message.Subject("x"))]))
