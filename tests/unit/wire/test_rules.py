"""The rules beside payloads: what follows from them, and from what is no payload."""

from base64 import b64decode
from datetime import datetime
from hashlib import sha1

import pytest
from tests.unit.wire.examples import elements, examples

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode
from pyrite.core.stanza import Presence
from pyrite.core.xml import Element, Name, parse
from pyrite.wire import (
    acquaintance,
    addresses,
    bob,
    caps2,
    chatsettings,
    colors,
    dataforms,
    disco,
    encryption,
    filtering,
    headers,
    jingle,
    jsoncontainers,
    markup,
    me,
    nestedgroups,
    notes,
    omemo,
    openpgp,
    outage,
    roomactivity,
    rpc,
    software,
    spaces,
    xhtml,
)
from pyrite.wire.hashes import Hash
from pyrite.wire.invitations import Preauth

ROMEO, JULIET = JID.parse("romeo@verona.lit"), JID.parse("juliet@capulet.lit")


# --- colours (XEP-0392 §13, the test vectors) --------------------------------------------------


@pytest.mark.parametrize(
    ("name", "angle", "red", "green", "blue"),
    [
        ("Romeo", 327.255249, 0.865, 0.000, 0.686),
        ("juliet@capulet.lit", 209.410400, 0.000, 0.515, 0.573),
        ("😺", 331.199341, 0.872, 0.000, 0.659),
        ("council", 359.994507, 0.918, 0.000, 0.394),
        ("Board", 171.430664, 0.000, 0.527, 0.457),
    ],
)
def test_colors(name: str, angle: float, red: float, green: float, blue: float) -> None:
    assert colors.hue(name) == pytest.approx(angle, abs=1e-6)
    assert colors.color(name) == pytest.approx((red, green, blue), abs=1e-3)


@pytest.mark.parametrize("hue", [0, 45.5, 90, 180, 359.9])
@pytest.mark.parametrize("lightness", [1, 50, 99])
def test_every_color_can_be_shown(hue: float, lightness: float) -> None:
    assert all(0 <= part <= 1 for part in colors.rgb(hue, 100, lightness))


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("/me shrugs in disgust", "* Atlas shrugs in disgust"),
        ("/meshrugs", "/meshrugs"),
        (" /me shrugs", " /me shrugs"),
        ("/me's head hurts", "/me's head hurts"),
        ("I said /me shrugs", "I said /me shrugs"),
        ("/ME shrugs", "/ME shrugs"),
    ],
)
def test_the_third_person(body: str, shown: str) -> None:
    """XEP-0245 §2, and its examples."""
    assert me.shown(body, "Atlas") == shown


def test_nobody_gives_a_known_encryption_another_name() -> None:
    assert encryption.Encryption("urn:xmpp:omemo:2", "None at all").title == "OMEMO"
    assert encryption.Encryption("urn:own", "Own").title == "Own"
    assert encryption.Encryption("urn:own").title == "urn:own"


def test_markup_is_of_what_is_there() -> None:
    inside, beyond = markup.Span(0, 5, strong=True), markup.Code(3, 6)
    backwards = markup.Quotation(4, 2)
    told = markup.Markup((inside, beyond, backwards))
    assert markup.within(told, "words") == markup.Markup((inside,))


def test_words_without_looks() -> None:
    html = decode(
        xhtml.Html,
        parse(
            "<html xmlns='http://jabber.org/protocol/xhtml-im'>"
            "<body xmlns='http://www.w3.org/1999/xhtml'>a <b>b<i>c</i></b> d</body></html>"
        ),
    )
    assert html.text() == "a bc d"
    assert xhtml.Html().text() == ""


def test_headers_and_addresses() -> None:
    told = headers.Headers((headers.Header("Urgency", "high"), headers.Header("urgency", "low")))
    assert told.value("URGENCY") == "high"
    assert told.value("TTL") is None
    people = addresses.Addresses((addresses.Address("to", ROMEO), addresses.Address("cc", JULIET)))
    assert [one.jid for one in people.of("cc")] == [JULIET]
    kept = notes.Storage((notes.Note(ROMEO, "writes well"),))
    assert kept.on(ROMEO) == kept.notes[0]
    assert kept.on(JULIET) is None


# --- binary ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha-256", "sha3-256"])
def test_what_is_asked_for_by_its_hash(algorithm: str) -> None:
    cid = bob.cid(b"spot", algorithm)
    assert bob.is_of(cid, b"spot")
    assert not bob.is_of(cid, b"Spot")


def test_the_hash_of_the_example() -> None:
    shown = "sha1+8f35fef110ffc5df08d579a50083ff9308fb6242@bob.xmpp.org"
    assert bob.cid(b"", "sha1") == "sha1+da39a3ee5e6b4b0d3255bfef95601890afd80709@bob.xmpp.org"
    assert not bob.is_of(shown, b"")


@pytest.mark.parametrize("cid", ["", "x", "md5+00@bob.xmpp.org", "sha1+zz@bob.xmpp.org", "sha1+"])
def test_what_has_no_hash_is_nothing(cid: str) -> None:
    assert not bob.is_of(cid, b"")


def test_an_encrypted_file() -> None:
    """XEP-0454 §3, with a vector of 12 octets and one of 16."""
    for length in (12, 16):
        secret = bytes(range(length + 32))
        uri = f"aesgcm://download.example.org/a/b.jpg#{secret.hex()}"
        file = omemo.encrypted_file(uri)
        assert file is not None
        assert file.url == "https://download.example.org/a/b.jpg"
        assert (file.vector, file.key) == (secret[:length], secret[length:])
        assert file.uri == uri


@pytest.mark.parametrize(
    "uri",
    ["", "https://a.lit/b", "aesgcm://a.lit/b", "aesgcm://a.lit/b#00", "aesgcm://#" + "0" * 88],
)
def test_no_encrypted_file(uri: str) -> None:
    assert omemo.encrypted_file(uri) is None


def test_where_a_key_is() -> None:
    assert openpgp.node("1357B018") == "urn:xmpp:openpgp:0:public-keys:1357B018"


def test_why_a_session_ends() -> None:
    other = jingle.Reason(alternative=jingle.Alternative("b84tkkwlmb48kgfb"))
    assert other.name == "alternative-session"
    assert jingle.Reason(security_error=True).name == "security-error"
    assert jingle.Reason().name == "undefined"


# --- procedures (XEP-0009) -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, 0, -(2**31), 2**31 - 1, 1.5, "", "words & <more>", b"\0octets", None),
        *([], [1, [2, "three"]], {}, {"a": {"b": [None]}}, datetime(1998, 7, 17, 14, 8, 55)),
    ],
)
def test_values_there_and_back(value: rpc.Value) -> None:
    query = decode(rpc.Query, encode(rpc.call("examples.echo", value, "more")))
    assert query.call is not None
    assert rpc.values_of(query.call.params) == [value, "more"]
    back = decode(rpc.Query, encode(rpc.answer(value))).response
    assert back is not None
    assert rpc.values_of(back.params) == [value]
    assert rpc.values_of(None) == []


@pytest.mark.parametrize(
    "inside",
    [
        *(
            "<i4>x</i4>",
            "<i4>2147483648</i4>",
            "<i4>99999999999999999999</i4>",
            "<double>nan</double>",
        ),
        *("<double>1e999</double>", "<boolean>maybe</boolean>", "<base64>=</base64>", "<odd/>"),
        *("<dateTime.iso8601>now</dateTime.iso8601>", "<struct><member/></struct>"),
        "<array><data>" * 25 + "</data></array>" * 25,
        "<array><data><value>" * 20 + "</value></data></array>" * 20,
    ],
)
def test_no_values(inside: str) -> None:
    raw = decode(rpc.Raw, parse(f"<value xmlns='jabber:iq:rpc'>{inside}</value>"))
    with pytest.raises(StanzaError, match="bad-request"):
        rpc.value_of(raw)


@pytest.mark.parametrize("value", [2**31, float("nan"), object(), {"a": object()}, (1,)])
def test_what_a_procedure_cannot_be_told(value: object) -> None:
    with pytest.raises(TypeError, match="no type of XML-RPC"):
        rpc.raw_of(value)  # type: ignore[arg-type]


def test_json() -> None:
    assert jsoncontainers.Json('{ "name": "romeo" }').value() == {"name": "romeo"}
    for text in ("", "{", "[" * 100_000):
        with pytest.raises(StanzaError, match="bad-request"):
            jsoncontainers.Json(text).value()


# --- what is told along with service discovery ---------------------------------------------------


def room(**values: str) -> disco.Info:
    form = dataforms.result(
        roomactivity.NS_ROOM_INFO,
        *(dataforms.field(name, "text-single", value=value) for name, value in values.items()),
    )
    return disco.Info(forms=(form,))


def test_what_a_room_tells() -> None:
    told = room(**{roomactivity.LEVEL: "23.42", roomactivity.SLOW: "20", roomactivity.AVATAR: "ab"})
    assert roomactivity.level(told) == 23.42
    assert roomactivity.slow_mode(told) == 20
    assert roomactivity.avatars(told) == ("ab",)
    for silent in (disco.Info(), room(**{roomactivity.LEVEL: ""})):
        assert roomactivity.level(silent) is roomactivity.slow_mode(silent) is None
        assert roomactivity.avatars(silent) == ()


@pytest.mark.parametrize("value", ["many", "-1", "nan", "1e99"])
def test_a_room_tells_nonsense(value: str) -> None:
    with pytest.raises(StanzaError, match="bad-request"):
        roomactivity.slow_mode(room(**{roomactivity.SLOW: value}))


def test_software() -> None:
    told = software.Software("Pyrite", "0.1", os="Linux")
    info = disco.Info(forms=(decode(dataforms.Form, encode(software.form(told))),))
    assert software.software(info) == told
    assert software.software(disco.Info()) is None


def test_the_space_of_a_room() -> None:
    uri = "xmpp:megacorp-pubsub.example.com?;node=dev"
    form = dataforms.result(spaces.NS, dataforms.field("parent", "text-single", value=uri))
    assert spaces.parent(disco.Info(forms=(form,))) == uri
    assert spaces.parent(disco.Info()) is None


def test_kinds_of_nodes() -> None:
    wanted = filtering.only("urn:xmpp:microblog:0", "")
    assert wanted.form is not None
    assert wanted.form.values("included-types") == ("urn:xmpp:microblog:0", "")
    assert filtering.without("a").form == dataforms.submission(
        filtering.NS, {"excluded-types": ("a",)}
    )


@pytest.mark.parametrize(
    ("number", "sha2", "sha3"),
    [
        (1, "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
            "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q="),
        (2, "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=",
            "XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg="),
    ],
)  # fmt: skip
def test_the_hashes_of_what_an_entity_can_do(number: int, sha2: str, sha3: str) -> None:
    """XEP-0390 §4.5, both examples."""
    (shown,) = [one for one in examples() if (one.xep, one.number) == ("0390", number)]
    info = decode(disco.Info, elements(shown)[0])
    told = caps2.Caps((Hash("sha-256", b64decode(sha2)), Hash("sha3-256", b64decode(sha3))))
    assert caps2.caps_of(info) == told
    assert caps2.verify(told, info)
    assert caps2.node(told.hashes[0]) == f"urn:xmpp:caps#sha-256.{sha2}"
    other = disco.Info(None, info.identities, info.features[1:], info.forms)
    assert not caps2.verify(told, other)
    assert not caps2.verify(caps2.Caps((told.hashes[0], Hash("sha3-256", b""))), info)


@pytest.mark.parametrize(
    "form",
    [
        dataforms.Form("result"),
        dataforms.Form("result", fields=(dataforms.Field("FORM_TYPE", values=("urn:x",)),)),
        dataforms.Form("submit", items=(dataforms.Item(),)),
        dataforms.Form("submit", reported=dataforms.Reported()),
    ],
)
def test_what_is_not_hashed(form: dataforms.Form) -> None:
    """XEP-0390 §4.1: it could say something that no hash covers."""
    info = disco.Info(forms=(form,))
    with pytest.raises(ValueError, match="FORM_TYPE"):
        caps2.hashed(info)
    assert not caps2.verify(caps2.Caps((Hash("sha-256", b""),)), info)


def test_a_hash_that_proves_nothing() -> None:
    info = disco.Info()
    weak = caps2.Caps((Hash("sha-1", sha1(caps2.hashed(info)).digest()), Hash("md5", b"")))
    assert not caps2.verify(weak, info)
    with pytest.raises(ValueError, match="no hash function md5"):
        caps2.caps_of(info, ["md5"])


def test_groups_within_groups() -> None:
    assert nestedgroups.Delimiter("::").parts("Midsummer::Actors") == ("Midsummer", "Actors")
    assert nestedgroups.Delimiter().parts("Midsummer::Actors") == ("Midsummer::Actors",)


# --- outages (XEP-0455) --------------------------------------------------------------------------

#: The example of §2.2.
STATUS = """{
  "planned": true,
  "beginning": "2021-01-12T01:01:01Z",
  "expected_end": "2021-01-12T05:00:00Z",
  "message": {"default": "Mise à jour du serveur", "en": "The serveur is being updated"}
}"""


def test_an_outage() -> None:
    told = outage.read(STATUS)
    assert told is not None
    assert told.planned
    assert told.expected_end is not None
    assert (told.expected_end - told.beginning).seconds == 14339
    assert told.message["en"] == "The serveur is being updated"
    assert outage.read("{}") is None
    page = dataforms.field("external-status-addresses", "list-multi", value=("http://b.lit/s",))
    info = disco.Info(forms=(dataforms.result(outage.NS, page),))
    assert outage.addresses(info) == ("http://b.lit/s",)
    assert outage.addresses(disco.Info()) == ()


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "[1]", '"x"', "[" * 10**5),
        *('{"planned": true}', '{"planned": true, "beginning": "soon"}'),
        '{"planned": 1, "beginning": "2021-01-12T01:01:01Z", "message": "x"}',
    ],
)
def test_no_outage(text: str) -> None:
    with pytest.raises(ValueError, match=r"no |not |Expecting"):
        outage.read(text)


# --- chats ---------------------------------------------------------------------------------------


def test_when_somebody_is_told() -> None:
    """The example of XEP-0492 §2.2."""
    told = chatsettings.Notify(
        (
            chatsettings.Never("client", "pc"),
            chatsettings.OnMention("client", "phone"),
            chatsettings.OnMention("gateway"),
            chatsettings.Always(),
        )
    )
    assert told.when("client", "pc") == "never"
    assert told.when("client", "phone") == "on-mention"
    assert told.when("gateway", "irc") == "on-mention"
    assert told.when("client", "web") == "always"
    assert chatsettings.Notify().when("client", "pc") is None


def test_an_invitation_to_be_a_contact() -> None:
    """XEP-0379 §3.2."""
    uri = acquaintance.contact_uri(ROMEO, "1tMF&qY", "Romeo Montague")
    assert uri == "xmpp:romeo@verona.lit?roster;preauth=1tMF%26qY;name=Romeo%20Montague"
    assert acquaintance.contact_uri(ROMEO, "a") == "xmpp:romeo@verona.lit?roster;preauth=a"


@pytest.mark.parametrize(
    ("request_", "token"),
    [
        (Presence("subscribe").add(Preauth("1tMF")), "1tMF"),
        (Presence("subscribed").add(Preauth("1tMF")), None),
        (Presence("subscribe"), None),
        (Presence("subscribe").add(Preauth("")), None),
        (Presence("subscribe").add(Preauth("x" * 1000)), None),
        (Presence("subscribe").add(Element(Name("urn:xmpp:pars:0", "preauth"))), None),
    ],
)
def test_what_somebody_shows_who_was_invited(request_: Presence, token: str | None) -> None:
    assert acquaintance.token_of(request_) == token


def test_what_a_payload_does_not_name_is_kept_for_who_can_read_it() -> None:
    own = Element(Name("urn:own", "transport"))
    content = jingle.Content("voice", more=(own,))
    assert decode(jingle.Content, encode(content)).more == (own,)
