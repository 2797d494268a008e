"""Documents of any size: the same parts whatever the pieces, and never much of them in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import StreamError
from pyrite.core.xml import Closed, Container, Document, Element, Limits, Name, Part, Shape
from pyrite.core.xml.reader import MAX_TAG, PARSER_LIFE

NS = "urn:xmpp:pie:0"
DATA, HOST, USER = (Name(NS, tag) for tag in ("server-data", "host", "user"))
SHAPE: Shape = {None: (DATA,), DATA: (HOST,), HOST: (USER,), USER: ()}
LIMITS = Limits(octets=1 << 20, depth=20, attributes=20, elements=1000)

FILE = """<?xml version='1.0' encoding='UTF-8'?>
<!-- who came <with> us --><?a style?>
<pie:server-data xmlns:pie='urn:xmpp:pie:0' xmlns='urn:other'>
  <pie:host jid='verona.lit'>
    <user xmlns='urn:xmpp:pie:0' name='romeo'><vCard xmlns='vcard-temp'><FN>R&#xf6;meo<!-- -->
      Montague</FN></vCard><x/></user>
    <user><user name="none of ours"/></user>
    <pie:server-data><pie:user/></pie:server-data>
  </pie:host>
</pie:server-data>
"""
CARD = Name("vcard-temp", "vCard")


BIG = "policy-violation"  # a namespace counts as often as it is written


def read(data: bytes, sizes: Iterator[int] | None = None, limits: Limits = LIMITS) -> list[Part]:
    document, found, at = Document(SHAPE, limits), [], 0
    while at < len(data):
        size = next(sizes) if sizes else len(data)
        found += document.feed(data[at : at + size])
        at += size
    document.close()
    return found


def condition(text: str | bytes, **more: Limits) -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(StreamError) as caught:
        read(data, **more)
    return caught.value.condition


def shown(parts: list[Part]) -> list[object]:
    return [("open", p.element) if isinstance(p, Container) else p for p in parts]


EXPECTED = [
    ("open", Element(Name(NS, "server-data"))),
    ("open", Element(Name(NS, "host"), {"jid": "verona.lit"})),
    ("open", Element(Name(NS, "user"), {"name": "romeo"})),
    Element(CARD, None, [Element(Name("vcard-temp", "FN"), None, ["Römeo\n      Montague"])]),
    Element(Name(NS, "x")),
    Closed(),
    Element(
        Name("urn:other", "user"),
        None,
        [Element(Name("urn:other", "user"), {"name": "none of ours"})],
    ),
    Element(Name(NS, "server-data"), None, [Element(Name(NS, "user"))]),
    Closed(),
    Closed(),
]


def test_containers_are_opened_and_what_they_hold_is_whole() -> None:
    assert shown(read(FILE.encode())) == EXPECTED


@given(st.lists(st.integers(1, 40), min_size=1))
def test_in_whatever_pieces_it_comes(sizes: list[int]) -> None:
    def forever() -> Iterator[int]:
        while True:
            yield from sizes

    assert shown(read(FILE.encode(), forever())) == EXPECTED


def test_a_long_document_goes_on_with_a_fresh_parser() -> None:
    """Expat keeps all names that it meets; prefixes and lines are as they were before."""
    filler = f"<a>{'x' * 1000}</a>\n" * (PARSER_LIFE // 500)
    start, end = FILE.split("<pie:host")
    text = f"{start}{filler}<pie:host{end}"
    document = Document(SHAPE, LIMITS)
    parts, data, lines = [], text.encode(), []
    for at in range(0, len(data), 1 << 16):
        parts += document.feed(data[at : at + (1 << 16)])
        lines.append(document.line)
    document.close()
    others = [
        one for one in shown(parts) if one != Element(Name("urn:other", "a"), None, ["x" * 1000])
    ]
    assert others == EXPECTED
    assert lines == sorted(lines)
    assert document.line == text.count("\n") + 1


def test_many_different_names_cost_no_memory() -> None:
    """What a document makes us hold does not grow with it: a parser's life is what there is."""
    document = Document(SHAPE, LIMITS)
    document.feed(b"<server-data xmlns='urn:xmpp:pie:0'>")

    def some(number: int) -> bytes:
        inside = "".join(f"<n{number}x{one} xmlns='urn:{number}:{one}'/>" for one in range(500))
        return f"<a>{inside}</a>".encode()

    for number in range(100):
        document.feed(some(number))
    tracemalloc.start()
    for number in range(100, 500):
        document.feed(some(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 10 * PARSER_LIFE  # and not 50


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><server-data xmlns='urn:xmpp:pie:0'/>", "restricted-xml"),
        ("<server-data xmlns='urn:xmpp:pie:0'>&b;</server-data>", "restricted-xml"),
        ("<server-data xmlns='urn:xmpp:pie:0'>", "not-well-formed"),
        ("<server-data xmlns='urn:xmpp:pie:0'></other>", "not-well-formed"),
        ("", "not-well-formed"),
        ("<server-data/>", "invalid-namespace"),
        ("<server-data xmlns='urn:xmpp:pie:0'>words</server-data>", "bad-format"),
        ("<server-data xmlns='urn:xmpp:pie:0'><xml:a/></server-data>", "bad-namespace-prefix"),
        ("<?xml version='1.0' encoding='latin1'?><a/>", "unsupported-encoding"),
        (b"<server-data xmlns='urn:xmpp:pie:0'><a b='\xff'/></server-data>", "not-well-formed"),
        ("<server-data xmlns='urn:xmpp:pie:0'>" + "<a>" * 30, "policy-violation"),
        (f"<server-data xmlns='urn:xmpp:pie:0'><a>{'<b/>' * 1000}", "policy-violation"),
        (f"<server-data xmlns='urn:xmpp:pie:0'><a>{'text ' * (1 << 18)}", "policy-violation"),
        (f"<server-data xmlns='urn:xmpp:pie:0' xmlns:a='{'u' * 9000}'><a>" + "<a:b/>" * 200, BIG),
        (
            f"<server-data xmlns='urn:xmpp:pie:0' xmlns:a='{'u' * 9000}'><a>" + "<b a:c=''/>" * 200,
            BIG,
        ),
    ],
)
def test_what_is_refused(text: str | bytes, said: str) -> None:
    assert condition(text) == said


def test_what_was_complete_before_a_mistake_counts() -> None:
    document = Document(SHAPE, LIMITS)
    parts = document.feed(b"<server-data xmlns='urn:xmpp:pie:0'><a/><b></a>")
    assert [type(part) for part in parts] == [Container, Element]
    with pytest.raises(StreamError, match="not-well-formed"):
        document.feed(b"<c/>")
    with pytest.raises(StreamError, match="not-well-formed"):
        document.close()


def test_a_tag_that_does_not_end_is_refused_soon() -> None:
    document = Document(SHAPE, LIMITS)
    document.feed(b"<server-data xmlns='urn:xmpp:pie:0'><a b='")
    for _ in range(MAX_TAG // 1000):
        document.feed(b"x" * 1000)
    with pytest.raises(StreamError, match="element over 16384"):
        document.feed(b"x" * 1000)
