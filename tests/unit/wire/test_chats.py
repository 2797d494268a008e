"""The rules beside the payloads of conversations: corrections, answers, reactions, mentions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.jid import JID
from pyrite.core.stanza import Message, read
from pyrite.core.xml import parse
from pyrite.wire import attention, correction, fallback, reactions, references, reply
from pyrite.wire.message import Body

ANNA = JID.parse("anna@example.com/tablet")
REPLY = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>{}</fallback>"
REACTIONS = "<reactions id='1' xmlns='urn:xmpp:reactions:0'>{}</reactions>"


def message(inside: str = "", **attrs: str) -> Message:
    attrs = {"type": "chat", "from": str(ANNA), "id": "m", **attrs}
    head = " ".join(f"{key}='{value}'" for key, value in attrs.items())
    made = read(parse(f"<message {head}>{inside}</message>", "jabber:client"))
    assert isinstance(made, Message)
    return made


# --- corrections (XEP-0308) -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (message("<replace id='1' xmlns='urn:xmpp:message-correct:0'/>"), "1"),
        (message("<replace id='m' xmlns='urn:xmpp:message-correct:0'/>"), None),
        (message("<replace xmlns='urn:xmpp:message-correct:0'/>"), None),
        (message("<replace id='1' xmlns='urn:xmpp:message-correct:0'/>", type="error"), None),
        (message(), None),
    ],
)
def test_what_is_corrected(made: Message, expected: str | None) -> None:
    assert correction.target(made) == expected


ROOM = "<x xmlns='http://jabber.org/protocol/muc#user'/>"


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (message(), message(), True),
        (message(), message(**{"from": "anna@example.com/phone"}), True),
        (message(), message(**{"from": "otto@example.com/phone"}), False),
        (message(ROOM), message(**{"from": "anna@example.com/phone"}), False),
        (message(), message(ROOM, **{"from": "anna@example.com/phone"}), False),
        (message(ROOM), message(ROOM), True),
        (
            message(type="groupchat"),
            message(type="groupchat", **{"from": "anna@example.com/phone"}),
            False,
        ),
        (message().routed(), Message("chat"), False),
        (Message("chat"), Message("chat"), True),
    ],
)
def test_who_may_correct(one: Message, other: Message, may: bool) -> None:
    assert correction.may_correct(one, other) is may


# --- fallbacks (XEP-0428, XEP-0426) -----------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "body", "expected"),
    [
        ("<body start='0' end='4'/>", "&gt; a\nb", "b"),
        ("<body start='0' end='2'/>", "🐢🐢c", "c"),  # code points, not what UTF-16 counts
        ("<body/>", "all", ""),
        ("", "all", ""),
        ("<subject/>", "all", "all"),
        ("<body start='2'/>", "all", "al"),
        ("<body start='0' end='4'/>", "all", "all"),
        ("<body start='2' end='1'/>", "all", "all"),
        ("<body start='-1' end='1'/>", "all", "all"),
        ("<body start='0' end='1'/><body start='2' end='3'/>", "all", "l"),
        ("<body start='0' end='2'/><body start='1' end='3'/>", "all", ""),
    ],
)
def test_what_is_left_of_a_body(parts: str, body: str, expected: str) -> None:
    made = message(f"<body>{body}</body>{REPLY.format(parts)}")
    assert fallback.without(made, {reply.NS}) == expected
    assert fallback.without(made, {"urn:other"}) == made.body


def test_no_body_has_no_fallback() -> None:
    assert fallback.without(message(REPLY.format("")), {reply.NS}) is None


@given(st.text(alphabet="ab>🐢\n", max_size=40), st.text(alphabet="ab🐢", min_size=1, max_size=9))
def test_a_quotation_is_taken_away_again(quoted: str, text: str) -> None:
    head = reply.quotation("Anna", quoted)
    assert all(line.startswith("> ") for line in head.splitlines())
    made = Message("chat").add(fallback.first(reply.NS, len(head)))
    made = made.add(Body(head + text))
    assert fallback.without(made, {reply.NS}) == text


def test_a_quotation_has_an_end() -> None:
    assert len(reply.quotation("Anna", "x" * 10_000)) < 600


# --- what others call a message by (XEP-0461 §4.1) --------------------------------------------

SID = "<stanza-id xmlns='urn:xmpp:sid:0' id='given' by='{}'/>"
ORIGIN = "<origin-id xmlns='urn:xmpp:sid:0' id='own'/>"


@pytest.mark.parametrize(
    ("made", "room", "expected"),
    [
        (message(), None, "m"),
        (message(ORIGIN), None, "own"),
        (message("<origin-id xmlns='urn:xmpp:sid:0'/>"), None, "m"),
        (message(SID.format("r@conf.lit")), None, "m"),
        (message(ORIGIN + SID.format("r@conf.lit"), type="groupchat"), "r@conf.lit", "given"),
        (message(ORIGIN + SID.format("evil@conf.lit"), type="groupchat"), "r@conf.lit", None),
        (message(ORIGIN, type="groupchat"), None, None),
    ],
)
def test_what_a_message_is_called(made: Message, room: str | None, expected: str | None) -> None:
    assert reply.id_of(made, JID.parse(room) if room else None) == expected


# --- reactions (XEP-0444) ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("👋 🐢", ("👋", "🐢")),
        ("👋 👋", ("👋",)),
        (
            "❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👨‍👩‍👧‍👦 \u2139\ufe0f ™️ 🇩🇪 👍🏽",
            ("❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👨‍👩‍👧‍👦", "\u2139\ufe0f", "™️", "🇩🇪", "👍🏽"),
        ),
        ("lol 1 +1 Привет 👋x", ()),
        ("👋" * 41, ()),
        ("", ()),
    ],
)
def test_what_is_an_emoji(told: str, expected: tuple[str, ...]) -> None:
    inside = "".join(f"<reaction>{one}</reaction>" for one in told.split())
    found = reactions.chosen(message(REACTIONS.format(inside)))
    assert found is not None
    assert found.reactions == expected


def test_reactions_have_a_bound() -> None:
    inside = "".join(f"<reaction>{chr(0x1F600)}{chr(0x1F600 + n)}</reaction>" for n in range(200))
    found = reactions.chosen(message(REACTIONS.format(inside)))
    assert found is not None
    assert len(found.reactions) == reactions.MOST


@pytest.mark.parametrize(
    "made",
    [
        message(),
        message("<reactions xmlns='urn:xmpp:reactions:0'/>"),
        message(REACTIONS.format("<reaction>👋</reaction>"), type="error"),
    ],
)
def test_no_reaction(made: Message) -> None:
    assert reactions.chosen(made) is None


# --- mentions (XEP-0372) ----------------------------------------------------------------------

JULIET = JID.parse("juliet@capulet.lit")
MENTION = "<reference xmlns='urn:xmpp:reference:0' type='mention' {}/>"


def test_a_mention_of_the_specification() -> None:
    body = "It is the east, and Juliet is the sun."
    made = references.mention(JULIET, body, "Juliet")
    assert body[made.begin : made.end] == "Juliet"
    assert made.uri == "xmpp:juliet@capulet.lit"
    assert references.mention(JULIET, body, "Rosaline").begin is None
    assert references.mention(JID.parse("a%#b@x.lit/r"), "").uri == "xmpp:a%25%23b@x.lit"


@pytest.mark.parametrize(
    ("attrs", "expected"),
    [
        ("uri='xmpp:juliet@capulet.lit'", (JULIET,)),
        ("uri='xmpp:juliet@capulet.lit?message' begin='0' end='2'", (JULIET,)),
        ("uri='xmpp:juliet%40capulet.lit/x'", (JULIET,)),
        ("uri='xmpp:juliet@capulet.lit' begin='0' end='3'", ()),
        ("uri='xmpp:juliet@capulet.lit' begin='0'", ()),
        ("uri='xmpp:juliet@capulet.lit' begin='1' end='1'", ()),
        ("uri='xmpp:juliet@capulet.lit' begin='-1' end='1'", ()),
        ("uri='https://capulet.lit/juliet'", ()),
        ("uri='xmpp:@'", ()),
        ("uri='xmpp:%ff@capulet.lit'", ()),
        ("", ()),
    ],
)
def test_who_is_mentioned(attrs: str, expected: tuple[JID, ...]) -> None:
    made = message("<body>hi</body>" + MENTION.format(attrs) * 2)
    assert references.mentioned(made) == expected


@given(st.text(alphabet="ab@/%?#. é", min_size=1, max_size=12))
def test_any_address_that_is_mentioned_is_found_again(local: str) -> None:
    try:
        who = JID.parse(f"{local}@x.lit")
    except ValueError:
        return
    assert references.mentioned(message().add(references.mention(who, ""))) == (who.bare,)


# --- attention (XEP-0224 §4) ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        (message("<attention xmlns='urn:xmpp:attention:0'/>", type="headline"), True),
        (message("<attention xmlns='urn:xmpp:attention:0'/>", type="groupchat"), False),
        (message("<attention xmlns='urn:xmpp:attention:0'/>", type="error"), False),
        (
            message("<attention xmlns='urn:xmpp:attention:0'/><delay xmlns='urn:xmpp:delay'/>"),
            False,
        ),
        (message(), False),
    ],
)
def test_who_is_alerted(made: Message, asked: bool) -> None:
    assert attention.is_asked(made) is asked
