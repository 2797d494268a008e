"""XML both ways: what is read of any bytes in any pieces, and that nothing written can inject."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyrite.core.errors import STREAM_CONDITIONS, StreamError
from pyrite.core.xml import (
    MAX_TAG,
    NS_XML,
    Closed,
    Element,
    Item,
    Limits,
    Name,
    Opened,
    Reader,
    escape,
    parse,
    quote,
    write,
)
from pyrite.core.xml import reader as reading

NS = "jabber:client"
HEAD = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams' to='verona.lit' version='1.0'>"
)
WIDE = Limits(octets=1 << 20, depth=100, attributes=100, elements=10_000)


def read(data: bytes | str, pieces: int = 0, limits: Limits = WIDE) -> list[Item]:
    """What a reader makes of `data`, given whole or in `pieces` octets at a time."""
    data = data.encode() if isinstance(data, str) else data
    reader = Reader(limits)
    size = pieces or max(1, len(data))
    return [i for n in range(0, len(data), size) for i in reader.feed(data[n : n + size])]


def after(body: bytes | str, **more: Any) -> list[Item]:
    """What comes after the header."""
    data = body.encode() if isinstance(body, str) else body
    opened, *rest = read(HEAD.encode() + data, **more)
    assert isinstance(opened, Opened)
    return rest


def plain(items: list[Item]) -> list[object]:
    """`items` such that they can be compared."""
    return [i.condition if isinstance(i, StreamError) else i for i in items]


def last_condition(items: list[Item]) -> str:
    error = items[-1]
    assert isinstance(error, StreamError), items
    return error.condition


# --- reading ---------------------------------------------------------------------------


def test_a_stream_comes_in_items() -> None:
    opened, *rest = read(
        f"{HEAD} <message to='a@b'><body>hi</body></message>\n<iq/></stream:stream>"
    )
    assert isinstance(opened, Opened)
    assert opened.root.name == ("http://etherx.jabber.org/streams", "stream")
    assert opened.root.attrs == {"to": "verona.lit", "version": "1.0"}
    assert opened.default_ns == NS
    message = Element(Name(NS, "message"), {"to": "a@b"}, (Element(Name(NS, "body"), {}, ("hi",)),))
    assert rest == [message, Element(Name(NS, "iq")), Closed()]


@pytest.mark.parametrize("content", ["jabber:client", "jabber:server", "jabber:component:accept"])
def test_stanzas_are_in_one_namespace_whatever_the_stream(content: str) -> None:
    reader = Reader(WIDE, content)
    items = reader.feed(HEAD.replace(NS, content).encode() + b"<message><body/></message>")
    assert items[1] == Element(Name(NS, "message"), {}, (Element(Name(NS, "body")),))


FORBIDDEN = {
    "<!-- a -->": "restricted-xml",
    "<a><!-- a --></a>": "restricted-xml",
    "<?target data?>": "restricted-xml",
    "<a><?target data?></a>": "restricted-xml",
    "<a>&copy;</a>": "restricted-xml",
    "<a b='&e;'/>": "restricted-xml",
    "<a>&#0;</a>": "not-well-formed",
    "<a>&#xD800;</a>": "not-well-formed",
    "<a>&#x110000;</a>": "not-well-formed",
    "<a>\x00</a>": "not-well-formed",
    "<a>\x0b</a>": "not-well-formed",
    "<a>\ufffe</a>": "not-well-formed",
    "<a>]]></a>": "not-well-formed",
    "<a b='1' b='2'/>": "not-well-formed",
    "<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>": "not-well-formed",
    "<a b=1/>": "not-well-formed",
    "<a b='<'/>": "not-well-formed",
    "<a></b>": "not-well-formed",
    "<x:a/>": "not-well-formed",
    "<a x:b='1'/>": "not-well-formed",
    "<a xmlns:x=''/>": "not-well-formed",
    "<a xmlns:xml='urn:other'/>": "not-well-formed",
    "<a xmlns:xmlns='urn:other'/>": "not-well-formed",
    "<a xmlns='http://www.w3.org/2000/xmlns/'/>": "not-well-formed",
    f"<a xmlns='{NS_XML}'/>": "not-well-formed",
    "<a xmlns='u&#10;v'/>": "not-well-formed",
    "<![CDATA[x]]>": "bad-format",
    "text": "bad-format",
    "\u00a0": "bad-format",
    "<!DOCTYPE a>": "not-well-formed",  # not allowed behind the root's beginning
    "<?xml version='1.0'?>": "not-well-formed",
    "</other>": "not-well-formed",
    "<xml:a/>": "bad-namespace-prefix",
    "<a><xml:b/></a>": "bad-namespace-prefix",
}


@pytest.mark.parametrize("pieces", [0, 1])
@pytest.mark.parametrize(("body", "condition"), FORBIDDEN.items())
def test_forbidden(body: str, condition: str, pieces: int) -> None:
    """RFC 6120 §11.1, §11.3; §4.9.3.18."""
    assert plain(after(f"<iq/>{body}<message/>", pieces=pieces)) == [
        Element(Name(NS, "iq")),
        condition,
    ]


PROLOGUES = {
    "<!-- a -->": "restricted-xml",
    "<?target data?>": "restricted-xml",
    "<!DOCTYPE stream>": "restricted-xml",
    "<!DOCTYPE stream SYSTEM 'file:///etc/passwd'>": "restricted-xml",
    "<!DOCTYPE s [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]>": "restricted-xml",
    "<!DOCTYPE s [<!ENTITY % p SYSTEM 'http://127.0.0.1/'> %p;]>": "restricted-xml",
    "<!ENTITY a 'b'>": "not-well-formed",
    "GET / HTTP/1.1\r\n": "not-well-formed",
    "<?xml version='1.0' encoding='ISO-8859-1'?>": "unsupported-encoding",
    "<?xml version='1.0' encoding='UTF-16'?>": "unsupported-encoding",
    "<?xml version='1.0' encoding='x-none'?>": "unsupported-encoding",
}


@pytest.mark.parametrize("pieces", [0, 1])
@pytest.mark.parametrize(("prologue", "condition"), PROLOGUES.items())
def test_forbidden_before_the_header(prologue: str, condition: str, pieces: int) -> None:
    header = HEAD if prologue.startswith("<?xml") is False else HEAD.partition("?>")[2]
    text = header.replace("?>", f"?>{prologue}", 1) if "?>" in header else prologue + header
    assert plain(read(text, pieces)) == [condition]


@pytest.mark.parametrize("encoding", ["UTF-8", "utf-8", "utf8"])
def test_utf_8_may_be_declared(encoding: str) -> None:
    declared = HEAD.replace("?>", f" encoding='{encoding}'?>")
    assert isinstance(read(declared)[0], Opened)


ENCODINGS = {
    "UTF-16 little-endian": HEAD.encode("utf-16"),
    "UTF-16 big-endian": b"\xfe\xff" + HEAD.encode("utf-16-be"),
    "UTF-16 little-endian without a mark": HEAD.encode("utf-16-le"),
    "UTF-16 big-endian without a mark": HEAD.encode("utf-16-be"),
    "UTF-32": HEAD.encode("utf-32"),
    "UTF-32 big-endian": HEAD.encode("utf-32-be"),
}
NOT_UTF_8 = {
    "overlong": b"<a>\xc0\xaf</a>",
    "overlong NUL": b"<a>\xc0\x80</a>",
    "overlong, three octets": b"<a>\xe0\x80\xaf</a>",
    "lone high surrogate": b"<a>\xed\xa0\x80</a>",
    "surrogate pair": b"<a>\xed\xa0\x80\xed\xb0\x80</a>",
    "beyond Unicode": b"<a>\xf4\x90\x80\x80</a>",
    "no beginning": b"<a>\x80</a>",
    "no end": b"<a>\xe2\x82</a>",
    "Latin-1": b"<a>caf\xe9</a>",
    "in a name": b"<caf\xe9/>",
    "in a value": b"<a b='caf\xe9'/>",
    "in the name of an attribute": b"<a caf\xe9='1'/>",
    "instead of an element": b"\xff",
}


@pytest.mark.parametrize("pieces", [0, 1, 2, 3])
@pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS)
def test_other_encodings(data: bytes, pieces: int) -> None:
    """RFC 6120 §11.6, §4.9.3.22."""
    assert plain(read(data, pieces)) == ["unsupported-encoding"]


@pytest.mark.parametrize("pieces", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("data", NOT_UTF_8.values(), ids=NOT_UTF_8)
def test_what_is_not_utf_8(data: bytes, pieces: int) -> None:
    """§4.9.3.22: violating the rules of UTF-8 is an unsupported encoding too."""
    assert plain(after(b"<iq/>" + data, pieces=pieces)) == [
        Element(Name(NS, "iq")),
        "unsupported-encoding",
    ]


# --- any split -------------------------------------------------------------------------

HOSTILE = [
    b"<message to='a@b' xml:lang='en'><body>Soft! &amp; &#x2603; \xe2\x98\x83</body><x/></message>",
    b"<a><![CDATA[<b>&c;]]>]]&gt;</a>",
    b"<p:a xmlns:p='urn:p' p:b='&quot;1&#10;' c='2'><p:b/><c xmlns=''/></p:a>",
    b" \r\n\t ",
    b"<iq/>",
    b"<!-- x -->",
    b"<?x y?>",
    b"<!DOCTYPE a>",
    b"&e;",
    b"&lt;",
    b"<a>&e;</a>",
    b"<a>]]></a>",
    b"<a b='1' b='2'/>",
    b"<a/><",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"<a>\xe2\x98",
    b"\xef\xbf\xbf",
    b"<xml:a/>",
    b"<\xc3\xa9l\xc3\xa9ment/>",
    b"</stream:stream>",
    b"</a>",
    b"\x00",
    b"text",
]
pieces_of_hostile = st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=6), max_size=8)


@given(pieces_of_hostile.map(b"".join), st.booleans(), st.data())
@settings(max_examples=300, deadline=None)
def test_any_split_gives_the_same_items(
    body: bytes, with_header: bool, data: st.DataObject
) -> None:
    whole = (HEAD.encode() if with_header else b"") + body
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    reader = Reader(WIDE)
    found: list[Item] = []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += reader.feed(whole[start:end])
        reader.relax()
    assert plain(found) == plain(read(whole)) == plain(read(whole, 1))


@given(st.binary(max_size=60), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_items_and_one_named_error(data: bytes, size: int) -> None:
    items = read(data, size)
    errors = [item for item in items if isinstance(item, StreamError)]
    assert all(error.condition in STREAM_CONDITIONS for error in errors)
    assert errors == items[-1:] or not errors


def test_a_spent_reader_says_nothing_more() -> None:
    reader = Reader()
    assert reader.feed(b"<a><!-- -->") != []
    assert reader.feed(HEAD.encode()) == reader.feed(b"<b>") == []


@pytest.mark.parametrize(
    "junk", ["<iq/>", "x", "<!-- -->", "-\u00e9", "</stream:stream>", "<?x y?>"]
)
def test_nothing_is_read_after_the_footer(junk: str) -> None:
    for pieces in (0, 1):
        assert plain(after(f"<iq/></stream:stream>{junk}", pieces=pieces)) == [
            Element(Name(NS, "iq")),
            Closed(),
        ]


def test_pieces_of_text_are_no_difference() -> None:
    one = Element(Name(NS, "a"), {}, ("ab", "c"))
    other = Element(Name(NS, "a"), {}, ("a", "", "bc"))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Element(Name(NS, "a"), {}, ("ab",))
    assert one != "a"


# --- limits ----------------------------------------------------------------------------

SMALL = Limits(octets=200, depth=4, attributes=3, elements=5)


def nested(depth: int) -> str:
    return "<a>" * depth + "</a>" * depth


def attributes(count: int) -> str:
    return "<a" + "".join(f" b{n}='1'" for n in range(count)) + "/>"


def siblings(count: int) -> str:
    return "<a>" + "<b/>" * (count - 1) + "</a>"


def sized(octets: int) -> str:
    """An element of which so much is read before its end tag."""
    return "<a>" + "x" * (octets - 3) + "</a>"


LIMITED = {"depth": nested, "attributes": attributes, "elements": siblings}


@pytest.mark.parametrize("pieces", [0, 1])
@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_allows_so_much_and_no_more(name: str, pieces: int) -> None:
    most = getattr(SMALL, name)
    fine = after(LIMITED[name](most) * 2, limits=SMALL, pieces=pieces)
    assert [type(item) for item in fine] == [Element, Element]
    assert plain(after(LIMITED[name](most + 1), limits=SMALL, pieces=pieces)) == [
        "policy-violation"
    ]


@pytest.mark.parametrize("pieces", [0, 1])
def test_octets_are_limited_and_the_error_says_so(pieces: int) -> None:
    """XEP-0478 §4."""
    assert isinstance(after(sized(200) * 2, limits=SMALL, pieces=pieces)[1], Element)
    (error,) = after(sized(201), limits=SMALL, pieces=pieces)
    assert isinstance(error, StreamError)
    assert error.condition == "policy-violation"
    assert error.app == Element(Name("urn:xmpp:errors", "stanza-too-big"))


@pytest.mark.parametrize("pieces", [0, 1])
@pytest.mark.parametrize(
    "inside",
    ["<p:b/>" * 100, "".join(f"<b p:c{n}='' q:d='' q:e=''/>" for n in range(100))],
    ids=["elements", "attributes"],
)
def test_a_long_namespace_counts_wherever_it_is_written(inside: str, pieces: int) -> None:
    """Its prefix is short; what others are sent names it in full, each time."""
    spaces = f"xmlns:p='{'p' * 400}' xmlns:q='{'q' * 400}'"
    (item,) = after(f"<a {spaces}>{inside}</a>", pieces=pieces)
    assert isinstance(item, Element)
    limits = Limits(octets=10_000)
    assert plain(after(f"<a {spaces}>{inside}</a>", limits=limits, pieces=pieces)) == [
        "policy-violation"
    ]


def test_what_is_nested_is_kept_once_as_text() -> None:
    element = Element(Name("x", "y"), {}, ("z" * 100_000,))
    for _ in range(50):
        element = Element(Name("x", "y"), {}, (element,))
    tracemalloc.start()
    try:
        text = write(element, "x")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 2 * len(text)


def test_octets_are_counted_while_they_come() -> None:
    reader = Reader(SMALL)
    reader.feed(HEAD.encode() + b"<a>")
    for _ in range(19):
        assert reader.feed(b"x" * 10) == []
    assert last_condition(reader.feed(b"x" * 20)) == "policy-violation"


def test_what_is_between_stanzas_is_not_counted() -> None:
    assert after(" " * 10_000 + "<a/>", limits=SMALL) == [Element(Name(NS, "a"))]


@pytest.mark.parametrize("start", ["<a b='", "<", "<!--", "<?x ", "</", "<a><b c='"])
def test_a_tag_that_does_not_end_is_limited(start: str) -> None:
    """Expat reads an unfinished tag again with every piece: that must stay cheap."""
    reader = Reader(WIDE)
    reader.feed(HEAD.encode() + start.encode())
    found: list[Item] = []
    for _ in range(MAX_TAG // 1000 + 2):
        found += reader.feed(b"x" * 1000)
    assert last_condition(found) == "policy-violation"


def test_the_header_is_limited() -> None:
    many = HEAD.replace(" to=", "".join(f" a{n}='1'" for n in range(30)) + " to=")
    assert plain(read(many, limits=SMALL)) == ["policy-violation"]
    bound = HEAD.replace(" to=", "".join(f" xmlns:a{n}='u'" for n in range(30)) + " to=")
    assert plain(read(bound, limits=SMALL)) == ["policy-violation"]
    assert last_condition(read(HEAD.replace("verona", "v" * 2 * MAX_TAG), 1000)) == (
        "policy-violation"
    )


def test_limits_may_change_on_the_way() -> None:
    reader = Reader(SMALL)
    reader.feed(HEAD.encode())
    reader.limits = WIDE
    assert isinstance(reader.feed(sized(1000).encode())[0], Element)


# --- what does not grow ----------------------------------------------------------------


def test_names_are_shared_and_the_long_ones_forgotten() -> None:
    one, other = after("<m><body/></m><m><body/></m>")
    assert isinstance(one, Element)
    assert isinstance(other, Element)
    assert one.name is other.name
    known = reading._NAMES[NS]
    after("".join(f"<{c * 3000}/>" for c in "abcdefgh"))
    after(siblings(9_000).replace("<b/>", "<b%d/>") % tuple(range(8_999)))
    assert len(known) <= reading.MAX_NAMES
    assert max(map(len, known)) <= reading.MAX_NAME


def test_a_parser_does_not_live_as_long_as_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expat remembers every name it ever met: a stream would grow with what is sent on it."""
    monkeypatch.setattr(reading, "PARSER_LIFE", 500)
    seen: set[int] = set()
    head = HEAD.replace("<stream:", "<s:").replace(":stream=", ":s=").replace("?>", "?> ")
    head = head.replace("version='1.0'>", "version='1.0' xmlns:p='urn:&lt;&quot;p' xml:lang='en'>")
    body = "".join(
        f" <message id='{n}'><p:a{n} p:b='>'>\u2603</p:a{n}></message>\n<iq/>" for n in range(100)
    )
    data = f"{head}{body}</s:stream>".encode()
    expected = read(data)[1:]
    assert len(expected) == 201
    assert expected[-1] == Closed()
    for size in (1, 7, 64, 1000, len(data)):
        reader = Reader(WIDE)
        items: list[Item] = []
        for start in range(0, len(data), size):
            items += reader.feed(data[start : start + size])
            seen.add(id(reader._parser))
        assert items[1:] == expected, size
        assert not isinstance(items[0], StreamError)
    assert len(seen) > 5


@pytest.mark.parametrize("pieces", [0, 1, 100])
def test_mistakes_are_found_by_the_next_parser_too(
    pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PARSER_LIFE", 100)
    for mistake, condition in FORBIDDEN.items():
        body = "<iq/>" * 50 + mistake
        assert plain(after(body, pieces=pieces))[-1] == condition
    assert last_condition(after("<iq/>" * 50 + sized(201), limits=SMALL, pieces=pieces)) == (
        "policy-violation"
    )


# --- writing ---------------------------------------------------------------------------

any_text = st.text(st.characters(codec=None), max_size=12)
legal_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n\r"), max_size=12
).filter(lambda text: not set(text) & {"\ufffe", "\uffff"})
tags = st.sampled_from(["a", "b", "\u00e9l", "x-y.z", "_1"])
namespaces = st.sampled_from(["", NS, "urn:a", "u}x='1'/><evil/><c ", "u\"&'<>", "{u}", "\u2603"])
keys = st.sampled_from(["to", "id", "xml:lang", "xml:space"]) | st.builds(
    "{{{}}}{}".format, namespaces.filter(bool), tags
)


def trees(text: st.SearchStrategy[str]) -> st.SearchStrategy[Element]:
    names = st.builds(Name, namespaces, tags)
    attrs = st.dictionaries(keys, text, max_size=3)
    leaves = st.builds(Element, names, attrs, st.lists(text, max_size=2))
    return st.recursive(
        leaves,
        lambda inner: st.builds(Element, names, attrs, st.lists(inner | text, max_size=3)),
        max_leaves=6,
    )


@given(trees(legal_text), st.sampled_from(["", NS, "urn:a"]))
@settings(max_examples=200, deadline=None)
def test_what_is_written_reads_the_same(element: Element, ns: str) -> None:
    once = parse(write(element, ns), ns)
    assert once == element
    assert write(once, ns) == write(parse(write(once, ns), ns), ns)


@given(trees(any_text))
@settings(max_examples=200, deadline=None)
@example(Element(Name(NS, "a"), {"b": "\x00\ud800\uffff"}, ("\x1b[31m\udfff",)))
def test_nothing_that_is_written_breaks_the_stream(element: Element) -> None:
    """One element, whatever is in it: names of ours, values of anybody's."""
    text = f"<m>{write(element, NS)}</m><iq/>"
    message, iq = after(text)
    assert isinstance(message, Element)
    assert message.children
    assert shape(message.children[0]) == shape(element)
    assert iq == Element(Name(NS, "iq"))


def shape(element: Element | str) -> object:
    """An element without its values."""
    assert isinstance(element, Element)
    return element.name, sorted(element.attrs), [shape(child) for child in element.elements]


def test_what_xml_cannot_say_is_marked() -> None:
    assert escape("a\x00b\ud800c\ufffe") == "a\ufffdb\ufffdc\ufffd"
    assert quote("a\x1bb\udfffc\uffff") == "a\ufffdb\ufffdc\ufffd"
    assert escape("\U0001f339\t\n\x7f\x85\u2028") == "\U0001f339\t\n\x7f\x85\u2028"


def test_escapes() -> None:
    assert escape("<&>\"'\r\n\t") == "&lt;&amp;&gt;\"'&#13;\n\t"
    assert quote("<&>\"'\r\n\t") == "&lt;&amp;&gt;&quot;'&#13;&#10;&#9;"
    assert write(Element(Name(NS, "a"), {"b": '"'}, ("]]>",)), NS) == '<a b="&quot;">]]&gt;</a>'


def test_a_namespace_cannot_speak_for_us() -> None:
    """A qualified attribute whose namespace has a brace in it: all of it stays a namespace."""
    sent = "<message xmlns:p=\"u}x='1'/&gt;&lt;iq type='set'/&gt;&lt;c \" p:z='1'/>"
    (element,) = after(sent)
    assert isinstance(element, Element)
    assert after(write(element, NS)) == [element]


def test_what_is_written_is_remembered_by_the_namespace_around_it() -> None:
    element = Element(Name("urn:a", "a"))
    assert write(element, NS) == '<a xmlns="urn:a"/>'
    assert write(element, "urn:a") == "<a/>"
    assert write(element, NS) == '<a xmlns="urn:a"/>'
    assert repr(element) == '<a xmlns="urn:a"/>'


def test_no_prefix_is_written_for_stanzas() -> None:
    """RFC 6120 §4.8.5: what came with prefixes goes on without."""
    (element,) = after("<c:message xmlns:c='jabber:client'><c:body>x</c:body></c:message>")
    assert isinstance(element, Element)
    assert write(element, NS) == "<message><body>x</body></message>"


# --- one element from text -------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", "x", "<a/><b/>", "<a/>x", "<a", "</parent>", "<a/></parent>", "<a/></parent><b/>",
     "<a/></parent><!-- -->", "<!-- --><a/>", "<a>\ud800</a>", "<?xml version='1.0'?><a/>"],
)  # fmt: skip
def test_parse_wants_exactly_one_element(text: str) -> None:
    with pytest.raises(StreamError):
        parse(text)


@given(any_text, any_text)
@settings(max_examples=100, deadline=None)
def test_parse_raises_nothing_else(text: str, ns: str) -> None:
    with suppress(StreamError):
        parse(text, ns)


def test_parse_knows_limits() -> None:
    assert parse(nested(4), limits=SMALL)
    with pytest.raises(StreamError):
        parse(nested(6), limits=SMALL)


# --- elements --------------------------------------------------------------------------


def test_looking_into_an_element() -> None:
    element = parse("<a b='1'>x<b/>y<c xmlns='urn:c'>z</c><b n='2'/></a>", NS)
    assert element.text == "xy"
    assert [child.name.tag for child in element.elements] == ["b", "c", "b"]
    assert element.child(NS, "b") == Element(Name(NS, "b"))
    assert element.child(NS, "c") is None
    assert element.child("urn:c", "c") == Element(Name("urn:c", "c"), {}, ("z",))
