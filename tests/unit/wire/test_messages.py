"""The rules beside the payloads of messages: copies, receipts, hints, stamps and offline."""

from datetime import UTC, datetime

import pytest

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode
from pyrite.core.stanza import Iq, Message, Presence, Stanza, read
from pyrite.core.xml import Element, Name, parse
from pyrite.wire import (
    carbons,
    chatstates,
    delay,
    forward,
    hints,
    offline,
    receipts,
    stanzaid,
)
from pyrite.wire.disco import Info
from pyrite.wire.message import Body

ROMEO = JID.parse("romeo@montague.lit/orchard")
JULIET = JID.parse("juliet@capulet.lit/balcony")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def message(inside: str = "<body>hi</body>", type: str = "chat", to: str = str(ROMEO)) -> Message:
    text = f"<message type='{type}' to='{to}' from='{JULIET}' id='1'>{inside}</message>"
    made = read(parse(text, "jabber:client"))
    assert isinstance(made, Message)
    return made


# --- forwarding -------------------------------------------------------------------------------


def test_forwarding() -> None:
    packed = forward.forward(message(), NOW, ROMEO.bare)
    again = decode(forward.Forwarded, encode(packed))
    assert forward.stanza_in(again) == message()
    assert again.delay == delay.Delay(NOW, ROMEO.bare)
    assert forward.forward(message()).delay is None


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("<x xmlns='urn:x'/>", "bad-request"),
        ("<message xmlns='jabber:client' to='@'/>", "jid-malformed"),
    ],
)
def test_what_is_forwarded_is_a_stanza(inside: str, condition: str) -> None:
    packed = decode(
        forward.Forwarded, parse(f"<forwarded xmlns='urn:xmpp:forward:0'>{inside}</forwarded>")
    )
    with pytest.raises(StanzaError) as raised:
        forward.stanza_in(packed)
    assert raised.value.condition == condition


# --- carbons ----------------------------------------------------------------------------------

MUC = "<x xmlns='http://jabber.org/protocol/muc#user'>{}</x>"
INVITE = MUC.format("<invite to='a@b.lit'/>")


@pytest.mark.parametrize(
    ("type", "inside", "sent", "received"),
    [
        ("chat", "<body>hi</body>", True, True),
        ("chat", "", True, True),
        ("normal", "<body>hi</body>", True, True),
        ("normal", "", False, False),
        ("normal", "<subject>hi</subject>", False, False),
        ("normal", "<received xmlns='urn:xmpp:receipts' id='1'/>", True, True),
        ("normal", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True, True),
        ("normal", "<active xmlns='http://jabber.org/protocol/chatstates'/>", True, True),
        ("normal", "<x xmlns='jabber:x:conference' jid='r@b.lit'/>", True, True),
        ("normal", INVITE, True, True),
        ("normal", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>", False, False),
        ("chat", f"<body>psst</body>{MUC.format('')}", True, False),
        ("groupchat", "<body>hi</body>", False, False),
        ("headline", "<body>hi</body>", False, False),
        ("error", "<body>hi</body>", True, True),
        ("error", "", False, False),
        ("chat", "<body>hi</body><private xmlns='urn:xmpp:carbons:2'/>", False, False),
        ("chat", "<body>hi</body><no-copy xmlns='urn:xmpp:hints'/>", False, False),
        ("chat", "<body>hi</body><no-store xmlns='urn:xmpp:hints'/>", True, True),
        ("chat", "<sent xmlns='urn:xmpp:carbons:2'/>", False, False),
        ("chat", "<received xmlns='urn:xmpp:carbons:2'/>", False, False),
    ],
)
def test_what_is_copied(type: str, inside: str, sent: bool, received: bool) -> None:
    assert carbons.is_eligible(message(inside, type), is_received=False) is sent
    assert carbons.is_eligible(message(inside, type), is_received=True) is received


@pytest.mark.parametrize(("kind", "is_sent"), [(carbons.Sent, True), (carbons.Received, False)])
def test_wrap_and_unwrap(kind: type, is_sent: bool) -> None:
    copy = carbons.wrap(message(), kind, ROMEO)
    assert (copy.to, copy.sender, copy.type) == (ROMEO, ROMEO.bare, "chat")
    assert carbons.unwrap(copy, ROMEO) == carbons.Carbon(message(), is_sent)


@pytest.mark.parametrize(
    "sender", [JULIET, JULIET.bare, ROMEO, ROMEO.bare.at("other"), JID(None, "montague.lit")]
)
def test_only_our_account_copies(sender: JID) -> None:
    """CVE-2017-5589 and its kin: anybody else's copy is an attempt to speak as our contacts."""
    forged = carbons.wrap(message(), carbons.Received, ROMEO).routed(sender=sender)
    assert carbons.unwrap(forged, ROMEO) is None


@pytest.mark.parametrize(
    "inside",
    [
        "<body>no copy</body>",
        "<sent xmlns='urn:xmpp:carbons:2'/>",
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></sent>",
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<iq xmlns='jabber:client' type='get' id='1'><x xmlns='y'/></iq></forwarded></sent>",
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<message xmlns='jabber:client' from='@'/></forwarded></sent>",
    ],
)
def test_what_is_no_copy(inside: str) -> None:
    assert carbons.unwrap(message(inside).routed(sender=ROMEO.bare), ROMEO) is None


def test_copies_from_outside_are_removed() -> None:
    forged = carbons.wrap(message(), carbons.Received, ROMEO).add(Body("look"))
    cleaned = carbons.without_forged(forged)
    assert [e.name.tag for e in cleaned.payloads] == ["body"]
    assert carbons.without_forged(message()) is not None
    clean = message()
    assert carbons.without_forged(clean) is clean


# --- receipts and chat states -----------------------------------------------------------------

REQUEST = "<request xmlns='urn:xmpp:receipts'/>"


def test_receipts() -> None:
    answer = receipts.answer(message(REQUEST))
    assert answer is not None
    assert (answer.to, answer.type, answer.get(receipts.Received)) == (
        JULIET, "chat", receipts.Received("1"),
    )  # fmt: skip
    assert receipts.confirms(answer.routed(sender=ROMEO), ROMEO) == "1"
    assert receipts.confirms(answer.routed(sender=JULIET), ROMEO) is None
    assert receipts.confirms(answer, ROMEO) is None
    assert receipts.confirms(message(), JULIET) is None


@pytest.mark.parametrize(
    "asked",
    [
        message(),
        message(REQUEST, "error"),
        message(REQUEST, "groupchat"),
        message(REQUEST + "<received xmlns='urn:xmpp:receipts' id='9'/>"),
        Message("chat", ROMEO, None, "1", message(REQUEST).payloads),
        Message("chat", ROMEO, JULIET, None, message(REQUEST).payloads),
    ],
    ids=str,
)
def test_no_receipt_is_due(asked: Message) -> None:
    assert receipts.answer(asked) is None


STATE = "<{} xmlns='http://jabber.org/protocol/chatstates'/>"


def test_chat_states() -> None:
    for cls in (chatstates.Active, chatstates.Composing, chatstates.Paused,
                chatstates.Inactive, chatstates.Gone):  # fmt: skip
        typing = message(STATE.format(cls.__name__.lower()) + "<thread>x</thread>")
        assert chatstates.state(typing) == cls()
        assert chatstates.is_standalone(typing)
    assert chatstates.state(message(STATE.format("dancing"))) is None
    assert chatstates.state(message()) is None
    assert not chatstates.is_standalone(message("<body>x</body>" + STATE.format("active")))


# --- hints and offline ------------------------------------------------------------------------

HINT = "<{} xmlns='urn:xmpp:hints'/>"


@pytest.mark.parametrize(
    ("inside", "archive", "wait"),
    [
        ("", None, None),
        (HINT.format("no-copy"), None, None),
        (HINT.format("no-store"), False, False),
        (HINT.format("no-permanent-store"), False, None),
        (HINT.format("store"), True, True),
        (HINT.format("store") + HINT.format("no-store"), False, False),
    ],
)
def test_hints(inside: str, archive: bool | None, wait: bool | None) -> None:
    assert hints.may_archive(message(inside)) is archive
    assert hints.may_wait(message(inside)) is wait


@pytest.mark.parametrize(
    ("type", "inside", "is_kept"),
    [
        ("chat", "<body>hi</body>", True),
        ("normal", "<body>hi</body>", True),
        ("normal", INVITE, True),
        ("chat", "<x xmlns='urn:encrypted'/>", True),
        ("chat", STATE.format("composing"), False),
        ("chat", STATE.format("composing") + "<thread>t</thread>", False),
        ("chat", STATE.format("composing") + "<body>hi</body>", True),
        # whatever clients and servers put beside it
        ("chat", STATE.format("composing") + "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>", False),
        (
            "chat",
            STATE.format("gone") + "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='a@b'/>",
            False,
        ),
        ("chat", STATE.format("gone") + "<delay xmlns='urn:xmpp:delay' stamp=''/>", False),
        ("chat", STATE.format("paused") + HINT.format("no-copy"), False),
        ("chat", STATE.format("paused") + "<x xmlns='urn:x'/>", True),
        ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", True),
        ("chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True),
        ("normal", "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>", False),
        ("chat", "", False),
        ("chat", "<body>hi</body>" + HINT.format("no-store"), False),
        ("chat", "<body>hi</body>" + HINT.format("no-permanent-store"), True),
        ("chat", STATE.format("active") + HINT.format("store"), True),
        ("headline", "<body>hi</body>", False),
        ("groupchat", "<body>hi</body>", False),
        ("error", "<body>hi</body>", False),
    ],
)
def test_what_is_kept_for_later(type: str, inside: str, is_kept: bool) -> None:
    assert offline.is_worth_keeping(message(inside, type)) is is_kept


def request(inside: str) -> offline.Offline:
    text = f"<offline xmlns='http://jabber.org/protocol/offline'>{inside}</offline>"
    return decode(offline.Offline, parse(text))


VIEW, REMOVE = "<item action='view' node='1'/>", "<item action='remove' node='1'/>"


@pytest.mark.parametrize(
    ("inside", "type", "wish"),
    [
        (VIEW + VIEW, "get", ("view", ("1",))),
        (REMOVE, "set", ("remove", ("1",))),
        ("<fetch/>", "get", ("fetch", ())),
        ("<purge/>", "set", ("purge", ())),
        (VIEW, "set", None),
        (REMOVE, "get", None),
        ("<purge/>", "get", None),
        ("<fetch/>", "set", None),
        ("", "get", None),
        (VIEW + REMOVE, "get", None),
        ("<fetch/><purge/>", "get", None),
        (VIEW + "<fetch/>", "get", None),
        ("<item node='1'/>", "get", None),
        (VIEW * 1001, "get", None),
    ],
)
def test_offline_requests(inside: str, type: str, wish: offline.Request | None) -> None:
    if wish is not None:
        assert offline.request_of(request(inside), type) == wish
        return
    with pytest.raises(StanzaError) as raised:
        offline.request_of(request(inside), type)
    assert raised.value.condition == "bad-request"


def test_offline_count() -> None:
    answer = decode(Info, encode(offline.count_info(66)))
    assert offline.count(answer) == 66
    assert answer.is_a("automation", "message-list")
    assert offline.count(Info()) is None


# --- stamps that others could forge -----------------------------------------------------------

OURS = {ROMEO.bare, JID(None, "montague.lit")}


def test_delay() -> None:
    kept = delay.stamped(message(), NOW, ROMEO.bare, "Offline Storage")
    assert kept.get(delay.Delay) == delay.Delay(NOW, ROMEO.bare, "Offline Storage")


STAMP = "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z' from='{}'/>"


def test_delays_in_our_name_are_forged() -> None:
    forged = message(
        STAMP.format("romeo@montague.lit") + STAMP.format("MONTAGUE.lit") + "<body>x</body>"
        + STAMP.format("capulet.lit") + STAMP.format("romeo@montague.lit") + STAMP.format("@")
    )  # fmt: skip
    cleaned = delay.without_forged(forged, OURS)
    assert [e.attrs.get("from") for e in cleaned.payloads] == [None, "capulet.lit"]
    honest = message(STAMP.format("capulet.lit"))
    assert delay.without_forged(honest, OURS) is honest


ID = "<stanza-id xmlns='urn:xmpp:sid:0' id='{}' by='{}'/>"


def test_stanza_ids_in_our_name_are_forged() -> None:
    forged: Stanza = message(
        ID.format("1", "romeo@montague.lit") + ID.format("2", "room@capulet.lit")
        + ID.format("3", "Romeo@Montague.lit") + ID.format("4", "@") + "<body>x</body>"
    )  # fmt: skip
    cleaned = stanzaid.without_forged(forged, OURS)
    assert stanzaid.id_by(cleaned, ROMEO.bare) is None
    assert stanzaid.id_by(cleaned, JID.parse("room@capulet.lit")) == "2"
    stamped = stanzaid.stamped(forged, "mine", ROMEO.bare)
    assert stanzaid.id_by(stamped, ROMEO.bare) == "mine"
    assert [e.attrs["id"] for e in stamped.payloads if e.name.tag == "stanza-id"] == ["2", "mine"]
    assert stanzaid.without_forged(cleaned, OURS) is cleaned


def test_any_kind_of_stanza_is_stamped() -> None:
    assert isinstance(delay.stamped(Presence(), NOW, ROMEO.bare), Presence)
    assert isinstance(stanzaid.stamped(Iq("get"), "1", ROMEO.bare), Iq)


def test_a_stamp_counts_by_who_gave_it() -> None:
    ours = JID(None, "montague.lit")
    when = datetime(2026, 1, 2, tzinfo=UTC)
    stamped = delay.stamped(message(), when, ours)
    assert delay.stamp_by(stamped, ours) == when
    assert delay.stamp_by(stamped, ours.at("x")) is None
    broken = message().add(Element(Name(delay.NS, "delay"), {"from": str(ours), "stamp": "soon"}))
    assert delay.stamp_by(broken, ours) is None
