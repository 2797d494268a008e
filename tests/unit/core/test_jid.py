"""Addresses: what is one, what it is prepared to, and that nothing else can happen."""

import contextlib
import copy
import gc
import pickle
import time
from ipaddress import IPv6Address

import idna
import precis_i18n
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pyrite.core import jid as module
from pyrite.core.jid import (
    JID,
    MAX_JID,
    MAX_PART,
    JIDError,
    escape_local,
    prepare_domain,
    prepare_local,
    prepare_resource,
    unescape_local,
)

VALID = [
    # text, local, domain, resource
    ("verona.lit", None, "verona.lit", None),
    ("romeo@verona.lit", "romeo", "verona.lit", None),
    ("romeo@verona.lit/orchard", "romeo", "verona.lit", "orchard"),
    ("verona.lit/orchard", None, "verona.lit", "orchard"),
    ("a.lit/b@c.lit", None, "a.lit", "b@c.lit"),
    ("room@muc.lit/user@host", "room", "muc.lit", "user@host"),
    ("a@b.lit/c/d", "a", "b.lit", "c/d"),
    ("a@b.lit//", "a", "b.lit", "/"),
    ("a@b.lit/@", "a", "b.lit", "@"),
    ("a@b.lit/c d", "a", "b.lit", "c d"),
    ("a@b.lit/ c ", "a", "b.lit", " c "),
    ("a@b.lit/\"&'<>", "a", "b.lit", "\"&'<>"),
    ("a\\20b@c.lit", "a\\20b", "c.lit", None),
    ("!#$%*+-=?^_`{|}~.();,[]\\@c.lit", "!#$%*+-=?^_`{|}~.();,[]\\", "c.lit", None),
    # case and width
    ("ROMEO@Verona.LIT/Orchard", "romeo", "verona.lit", "Orchard"),
    ("\u00c4rger@verona.lit", "\u00e4rger", "verona.lit", None),
    ("\uff32\uff4f\uff4d\uff45\uff4f@verona.lit", "romeo", "verona.lit", None),  # full-width
    ("a@\uff56\uff45\uff52\uff4f\uff4e\uff41.lit", "a", "verona.lit", None),
    ("a@verona\u3002lit", "a", "verona.lit", None),  # the dots of RFC 5895
    ("a@verona\uff0elit", "a", "verona.lit", None),
    ("a@verona\uff61lit", "a", "verona.lit", None),
    ("\uff83\uff9e@b.lit", "\u30c7", "b.lit", None),  # half-width kana and its mark
    ("stra\u00dfe@b.lit", "stra\u00dfe", "b.lit", None),  # no folding: sharp s stays
    ("\u03a3@b.lit/foo", "\u03c3", "b.lit", "foo"),
    ("\u03c2@b.lit/foo", "\u03c2", "b.lit", "foo"),  # the final sigma is another address
    ("\u039f\u03a3@b.lit", "\u03bf\u03c2", "b.lit", None),
    ("\u0130@b.lit", "i\u0307", "b.lit", None),
    ("\u0410@b.lit", "\u0430", "b.lit", None),  # Cyrillic: looks like "a", is not
    # normal form
    ("e\u0301@b.lit", "\u00e9", "b.lit", None),
    ("a@b.lit/e\u0301", "a", "b.lit", "\u00e9"),
    ("\u1100\u1161@b.lit", "\uac00", "b.lit", None),
    ("\u212bngstr\u00f6m@b.lit", "\u00e5ngstr\u00f6m", "b.lit", None),
    # resources keep case and width; spaces become one kind of space
    ("a@b.lit/\uff32", "a", "b.lit", "\uff32"),
    ("a@b.lit/x\u00a0y", "a", "b.lit", "x y"),
    ("a@b.lit/x\u3000y", "a", "b.lit", "x y"),
    ("a@b.lit/\u265a", "a", "b.lit", "\u265a"),
    ("a@b.lit/\U0001f600", "a", "b.lit", "\U0001f600"),
    ("a@b.lit/\ufb01", "a", "b.lit", "\ufb01"),
    # direction
    ("\u05d0\u05d1@b.lit", "\u05d0\u05d1", "b.lit", None),
    ("\u0627\u0661@b.lit", "\u0627\u0661", "b.lit", None),
    ("\u05d0\u05d13@b.lit", "\u05d0\u05d13", "b.lit", None),
    ("a@\u05d0\u05d1.lit", "a", "\u05d0\u05d1.lit", None),
    ("a@b.lit/\u05d0a", "a", "b.lit", "\u05d0a"),
    # joiners where orthography wants them
    ("\u0915\u094d\u200d\u0937@b.lit", "\u0915\u094d\u200d\u0937", "b.lit", None),
    (
        "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc@b.lit",
        "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc",
        "b.lit",
        None,
    ),
    ("l\u00b7l@b.lit", "l\u00b7l", "b.lit", None),
    ("\u30a2\u30fb\u30a2@b.lit", "\u30a2\u30fb\u30a2", "b.lit", None),
    # domains
    ("a@verona.lit.", "a", "verona.lit", None),
    ("verona.lit./x", None, "verona.lit", "x"),
    ("localhost", None, "localhost", None),
    ("a@b\u00fccher.lit", "a", "b\u00fccher.lit", None),
    ("a@B\u00dcCHER.lit", "a", "b\u00fccher.lit", None),
    ("a@xn--bcher-kva.lit", "a", "b\u00fccher.lit", None),
    ("a@XN--BCHER-KVA.lit", "a", "b\u00fccher.lit", None),
    ("a@xn--strae-oqa.lit", "a", "stra\u00dfe.lit", None),
    ("a@\u4f8b\u3048.\u30c6\u30b9\u30c8", "a", "\u4f8b\u3048.\u30c6\u30b9\u30c8", None),
    ("a@chat_server.local", "a", "chat_server.local", None),
    ("a@_xmpp.b.lit", "a", "_xmpp.b.lit", None),
    ("a@127.0.0.1", "a", "127.0.0.1", None),
    ("a@[::1]/x", "a", "[::1]", "x"),
    ("a@[2001:DB8:0:0:0:0:0:1]", "a", "[2001:db8::1]", None),
    ("a@1.b", "a", "1.b", None),
    ("a@a-b--c.lit", "a", "a-b--c.lit", None),
    ("a@" + "b" * 63 + ".lit", "a", "b" * 63 + ".lit", None),
]

INVALID = [
    # empty parts
    "", "@", "/", "@b.lit", "a@", "b.lit/", "a@b.lit/", "a@/c", "/c", "@/", "@b.lit/c", ".", "a@.",
    # localpart
    "a b@c.lit", " a@c.lit", "a\"b@c.lit", "a&b@c.lit", "a'b@c.lit", "a:b@c.lit", "a<b@c.lit",
    "a>b@c.lit", "a@b@c.lit", "a\tb@c.lit", "a\x00b@c.lit", "a\x7fb@c.lit", "a\nb@c.lit",
    "a\u00a0b@c.lit", "a\u3000b@c.lit",
    "a\uff20b@c.lit", "a\uff0fb@c.lit", "a\uff1ab@c.lit", "\uff1ca\uff1e@c.lit",  # become @ / : <>
    "\u2160@c.lit", "\ufb01@c.lit", "\u00bd@c.lit", "\u265a@c.lit", "\U0001f600@c.lit",
    "\u017f@c.lit", "\u2126@c.lit/\u200b", "\ufeffa@c.lit",
    # zero-width and invisible
    "a\u200bb@c.lit", "a\u200cb@c.lit", "a\u200db@c.lit", "a\u2060b@c.lit", "a\u00adb@c.lit",
    "a\ufe0f@c.lit", "a\u034fb@c.lit", "a\u115fb@c.lit", "a@c.lit/x\u200b", "a@c.lit/\u202e",
    "a@c.lit/\u200d", "a@c.lit/\u2764\ufe0f",
    # direction
    "a\u05d0@c.lit", "\u05d0a@c.lit", "\u0661@c.lit", "\u0627\u06611@c.lit", "1\u05d0@c.lit",
    "\u202ea@c.lit", "a@\u05d0a.lit", "a@a\u05d0.lit", "a@\u05d0.1a",
    "a@c.lit/\u0661\u06f1", "\u0627\u0661\u06f1@c.lit",
    # code points that are none
    "a\ud800@c.lit", "a@c.lit/\ud800", "a@\udfff.lit", "a\uffff@c.lit", "a@c.lit/\ufdd0",
    "a\u0378@c.lit", "a@c.lit/\ue000", "a@c.lit/\x00", "a@c.lit/\x1f", "a@c.lit/\x7f",
    "a@c.lit/x\ty", "a@c.lit/\u0085",
    # domains
    "a@b..lit", "a@.b.lit", "a@b.lit..", "a@-b.lit", "a@b-.lit", "a@ab--cd.lit", "a@b c.lit",
    "a@b!.lit", "a@b:5222", "a@b\u2024lit/x", "a@xn--.lit", "a@xn--a.lit", "a@xn--bcher-kva-.lit",
    "a@xn--\u00fc.lit", "a@b\u200b.lit", "a@\u265a.lit", "a@\u2126\u265a.lit", "a@b\uff0fc.lit",
    "a@b\uff20c.lit", "a@" + "b" * 64 + ".lit", "a@" + "\u00fc" * 60 + ".lit", "a@b.lit\u3002",
    "a@chat_\u00fc.lit", "a@\u0301b.lit", "a@[::1", "a@::1", "a@[::1]x", "a@[fe80::1%25eth0]",
    "a@[1.2.3.4]", "a@[]", "a@[v1.x]", "a@b\x00.lit", "a@%41.lit", "a@b.lit\n",
    # size
    "a" * 1024 + "@b.lit", "\u00fc" * 512 + "@b.lit", "a@b.lit/" + "c" * 1024,
    "a@b.lit/" + "\u20ac" * 342, "a@" + "b." * 512 + "lit",
    "\u0661" * 100_000, "x/" + "\u0301" * 9999,
]  # fmt: skip


@pytest.mark.parametrize(("text", "local", "domain", "resource"), VALID)
def test_valid(text: str, local: str | None, domain: str, resource: str | None) -> None:
    jid = JID.parse(text)
    assert (jid.local, jid.domain, jid.resource) == (local, domain, resource)
    assert JID.parse(str(jid)) == jid
    assert jid == JID(local, domain, resource)


@pytest.mark.parametrize("text", INVALID, ids=lambda t: ascii(t)[:40])
def test_invalid(text: str) -> None:
    with pytest.raises(JIDError) as raised:
        JID.parse(text)
    assert len(str(raised.value)) < 1000  # what is quoted back is bounded, and plain ASCII
    assert str(raised.value).isascii()


def test_the_tables_are_large_enough_to_mean_something() -> None:
    assert len(VALID) >= 60
    assert len(INVALID) >= 60


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ROMEO@Verona.lit", "romeo@verona.lit"),
        ("\u212a@b.lit", "k@b.lit"),  # the Kelvin sign
        ("\u00c9@b.lit", "e\u0301@b.lit"),
        ("a@xn--bcher-kva.lit", "a@B\u00fccher.lit."),
        ("a@b.lit/\u00c5", "a@b.lit/A\u030a"),
        ("\uff21@b.lit", "a@b.lit"),
        ("a@[::ffff:102:304]", "a@[::FFFF:1.2.3.4]"),
    ],
)
def test_same(one: str, other: str) -> None:
    assert JID.parse(one) == JID.parse(other)
    assert hash(JID.parse(one)) == hash(JID.parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@b.lit", "\u0430@b.lit"),  # Latin and Cyrillic
        ("a@b.lit/x", "a@b.lit/X"),
        ("stra\u00dfe@b.lit", "strasse@b.lit"),
        ("\u03c3@b.lit", "\u03c2@b.lit"),
        ("i@b.lit", "\u0131@b.lit"),
        ("a@b.lit", "b.lit/a"),
        ("o@b.lit", "0@b.lit"),
        ("a@b.lit/\uff32", "a@b.lit/R"),
        ("d\\27a@b.lit", "d\\5c27a@b.lit"),
    ],
)
def test_different(one: str, other: str) -> None:
    assert JID.parse(one) != JID.parse(other)


def test_all_of_the_length_there_is() -> None:
    domain = ".".join(["b" * 63] * 15 + ["b" * 63])
    text = f"{'a' * MAX_PART}@{domain}/{'c' * MAX_PART}"
    assert len(domain) == MAX_PART
    assert len(text) == MAX_JID
    assert str(JID.parse(text)) == text
    for longer in ("a" + text, text + "c", text.replace("/", "b/")):
        with pytest.raises(JIDError):
            JID.parse(longer)


def test_length_counts_after_preparation() -> None:
    assert JID.parse("\uff41" * MAX_PART + "@b.lit").local == "a" * MAX_PART
    assert JID.parse("u\u0308\u0304" * 511 + "@b.lit").local == "\u01d6" * 511
    with pytest.raises(JIDError):
        JID.parse("\u0130" * 400 + "@b.lit")  # 800 octets grow to 1,200


@pytest.mark.parametrize(
    "text",
    [
        "a@b.lit/" + "\u0661" * 511,
        "\u0628" + "\u0661" * 510 + "@b.lit",
        "\u30fb" * 339 + "\u30a2@b.lit",
        "a@b.lit/" + "\u30fb" * 340 + "\u30a2",
        "a@" + "\u0628" + "\u0661" * 1000 + ".lit",
        "a@" + ".".join(["\u30fb" * 12 + "\u30a2"] * 26),
        "a" + "\u0300\u0316" * 1022 + "@b.lit",
    ],
    ids=lambda t: ascii(t)[:30],
)
def test_no_address_costs_much(text: str) -> None:
    """Contextual rules look at the whole text, for each of its characters if one lets them."""
    gc.disable()  # what all tests before have left would count
    start = time.process_time()
    with contextlib.suppress(JIDError):
        JID.parse(text)
    took = time.process_time() - start
    gc.enable()
    assert took < 0.05


def test_full_addresses_share_their_bare_one() -> None:
    bare = JID.parse("romeo@shared.lit")
    one, two = JID.parse("romeo@shared.lit/1"), JID.parse("Romeo@Shared.lit/2")
    assert one.bare is two.bare is bare
    assert bare.bare is bare
    assert bare.at("3").bare is bare
    assert one.at("3").bare is bare
    assert (bare.is_bare, one.is_bare) == (True, False)


def test_parsing_twice_gives_the_same_object() -> None:
    assert JID.parse("romeo@cached.lit/x") is JID.parse("romeo@cached.lit/x")


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_ENTRIES", 10)
    used = JID.parse("used@cache.lit")
    for number in range(100):
        JID.parse(f"u{number}@cache.lit/r")
        assert JID.parse("used@cache.lit") is used
        assert len(module._young) <= 11
        assert len(module._old) <= module._CACHE_ENTRIES + 8192


def test_long_addresses_do_not_fill_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_CHARACTERS", 10_000)
    for number in range(50):
        JID.parse(f"a@b.lit/{number:01000}")
        assert sum(map(len, module._young)) <= 12_000


def test_order_text_copy_and_pickle() -> None:
    jids = [JID.parse(t) for t in ("b@x.lit", "a@x.lit/2", "a@x.lit", "a@x.lit/1")]
    assert [str(j) for j in sorted(jids)] == ["a@x.lit", "a@x.lit/1", "a@x.lit/2", "b@x.lit"]
    low, high = JID.parse("a@x.lit"), JID.parse("b@x.lit")
    assert low < high
    assert low <= low <= high
    assert high > low
    assert high >= high >= low
    assert pickle.loads(pickle.dumps(jids)) == jids
    assert copy.deepcopy(jids[0]) is jids[0] is copy.copy(jids[0])
    assert repr(low) == "JID('a@x.lit')"
    assert low != "a@x.lit"


def test_the_constructor_trusts_names_older_than_precis() -> None:
    old = JID("\u2160", "b.lit")
    assert str(old) == "\u2160@b.lit"


# --- what must hold for every text --------------------------------------------------------

#: Characters that the rules are about, mixed with any other.
NASTY = st.sampled_from(
    "aA0@/.:&'\"<>\\ -_[]\u00df\u00e4\u0130\u0131\u03a3\u03c2\u0301\u0345\u05d0\u05be\u0627\u0661"
    "\u06f1"
    "\u200b\u200c\u200d\u202e\u2060\u3002\u30fb\u30a2\uff0e\uff61\uff20\uff0f\uff21\uff9e\u212a"
    "\u1100"
    "\u1161\ufe0f\u00b7l\u0375\u03b1\u05f3\u094d\u0915\ud800\ufb01\u3000\u00a0xn"
)
TEXT = st.text(st.one_of(NASTY, st.characters()), max_size=24)
LABEL = st.one_of(st.text(NASTY, max_size=8), st.from_regex(r"xn--[a-z0-9-]{1,9}", fullmatch=True))


@settings(max_examples=1500, deadline=None)
@given(st.one_of(TEXT, st.builds("{}@{}.lit/{}".format, TEXT, LABEL, TEXT)))
def test_any_text_is_an_address_or_a_jid_error(text: str) -> None:
    try:
        jid = JID.parse(text)
    except JIDError:
        return
    assert JID.parse(str(jid)) == jid
    again = module._parse(str(jid))  # also without the cache
    assert (again.local, again.domain, again.resource) == (jid.local, jid.domain, jid.resource)
    assert all(p is None or 0 < len(p.encode()) <= 1023 for p in (jid.local, jid.resource))
    assert 0 < len(jid.domain.encode()) <= 1023


ASCII = st.text(st.characters(max_codepoint=127), min_size=1, max_size=12)
FORBIDDEN = set("\"&'/:<>@")


def slowly(profile: str, text: str) -> str | None:
    try:
        prepared: str = precis_i18n.get_profile(profile).enforce(text)
    except UnicodeError:
        return None
    return prepared


def attempt(prepare: object, text: str) -> str | None:
    assert callable(prepare)
    try:
        prepared: str = prepare(text)
    except JIDError:
        return None
    return prepared


@settings(max_examples=600, deadline=None)
@given(st.one_of(ASCII, TEXT))
def test_fast_local_is_slow_local(text: str) -> None:
    slow = slowly("UsernameCaseMapped", text)
    if slow is not None and FORBIDDEN & set(slow):
        slow = None
    assert attempt(prepare_local, text) == slow


@settings(max_examples=600, deadline=None)
@given(st.one_of(ASCII, TEXT))
def test_fast_resource_is_slow_resource(text: str) -> None:
    assert attempt(prepare_resource, text) == slowly("OpaqueString", text)


@settings(max_examples=600, deadline=None)
@given(st.text(st.sampled_from("abYZ019-."), min_size=1, max_size=14))
def test_fast_domain_is_slow_domain(text: str) -> None:
    assume(not text.endswith("."))  # stripped before any of this
    try:
        slow: str | None = ".".join(idna.ulabel(label) for label in text.lower().split("."))
    except idna.IDNAError:
        slow = None
    assert attempt(prepare_domain, text) == slow


@given(st.ip_addresses(v=6))
def test_every_ipv6_address(address: IPv6Address) -> None:
    for form in (address.exploded, address.compressed.upper()):
        assert prepare_domain(f"[{form}]") == f"[{address.compressed}]"


# --- XEP-0106 -----------------------------------------------------------------------------

ESCAPED = [
    ("space cadet", "space\\20cadet"),
    ('call me "ishmael"', "call\\20me\\20\\22ishmael\\22"),
    ("at&t guy", "at\\26t\\20guy"),
    ("d'artagnan", "d\\27artagnan"),
    ("/.fanboy", "\\2f.fanboy"),
    ("::foo::", "\\3a\\3afoo\\3a\\3a"),
    ("<foo>", "\\3cfoo\\3e"),
    ("user@host", "user\\40host"),
    ("c:\\net", "c\\3a\\net"),
    ("c:\\\\net", "c\\3a\\\\net"),
    ("c:\\cool stuff", "c\\3a\\cool\\20stuff"),
    ("c:\\5commas", "c\\3a\\5c5commas"),
    ("\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool"),
    ("\\2plus\\2is\\4", "\\2plus\\2is\\4"),
    ("foo\\bar", "foo\\bar"),
    ("foob\\41r", "foob\\41r"),
]


@pytest.mark.parametrize(("plain", "escaped"), ESCAPED)
def test_escaping(plain: str, escaped: str) -> None:
    assert escape_local(plain) == escaped
    assert unescape_local(escaped) == plain
    assert prepare_local(escaped) == escaped


@pytest.mark.parametrize("name", [" a", "a ", " "])
def test_a_name_with_space_at_its_ends_cannot_be_escaped(name: str) -> None:
    with pytest.raises(JIDError):
        escape_local(name)


@pytest.mark.parametrize("local", ["\\20a", "a\\20", "\\20\\27\\20"])
def test_what_was_never_escaped_is_not_unescaped(local: str) -> None:
    assert unescape_local(local) == local


@given(st.text(st.one_of(st.sampled_from("\\ 2057cf@/a'"), st.characters()), max_size=20))
def test_escaping_round_trip(name: str) -> None:
    assume(not name.startswith(" ") and not name.endswith(" "))
    escaped = escape_local(name)
    assert not set(escaped) & (FORBIDDEN | {" "})
    assume(not escaped.startswith("\\20") and not escaped.endswith("\\20"))
    assert unescape_local(escaped) == name
