"""Every example of XEP-0393, and texts that want to confuse."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.stanza import Message
from pyrite.wire.styling import (
    DEEPEST,
    Block,
    Code,
    Line,
    Quotation,
    Span,
    Unstyled,
    blocks,
    parse,
    spans,
)


def styled(line: str) -> list[tuple[str, str]]:
    """(style, text) of all that is styled, outer spans first."""
    found: list[tuple[str, str]] = []

    def walk(parts: tuple[Span, ...]) -> None:
        for part in parts:
            if part.style:
                found.append((part.style, part.text))
                walk(part.spans)

    walk(spans(line))
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain span", []),
        ("*strong span*", [("strong", "*strong span*")]),
        ("plain _emphasis_ plain", [("emphasis", "_emphasis_")]),
        ("`pre` plain *strong*", [("preformatted", "`pre`"), ("strong", "*strong*")]),
        ("*strong*plain*", [("strong", "*strong*")]),
        ("* plain *strong*", [("strong", "*strong*")]),
        ("Everyone ~dis~likes cake.", [("strike", "~dis~")]),
        ("Two spans, both *alike in dignity*", [("strong", "*alike in dignity*")]),
        ("This is `*monospace*`", [("preformatted", "`*monospace*`")]),
        (
            "This is *`monospace and bold`*",
            [("strong", "*`monospace and bold`*"), ("preformatted", "`monospace and bold`")],
        ),
        ("_*both*_", [("emphasis", "_*both*_"), ("strong", "*both*")]),
        ("not strong*", []),
        ("*not strong", []),
        ("*not *strong", []),
        ("**", []),
        ("***", []),
        ("****", []),
        ("a*b*", []),
        ("*a\u3000*", []),
        ("*\u00a0a*", []),
        ("*a _b* c_", [("strong", "*a _b*")]),
        ("", []),
    ],
)
def test_spans(line: str, expected: list[tuple[str, str]]) -> None:
    assert styled(line) == expected


def plain(text: str) -> Line:
    return Line((Span(text),) if text else ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*not \n strong*", (plain("*not "), plain(" strong*"))),
        ("```ignored\n*x*\n```\n\nafter", (Code("*x*", "ignored"), plain(""), plain("after"))),
        (
            "> ```\n> (println)\n\nplain",
            (Quotation((Code("(println)"),)), plain(""), plain("plain")),
        ),
        ("> That is.\n\nSaid", (Quotation((plain("That is."),)), plain(""), plain("Said"))),
        (
            ">> That is.\n> Said the old\n\nWho?",
            (
                Quotation((Quotation((plain("That is."),)), plain("Said the old"))),
                plain(""),
                plain("Who?"),
            ),
        ),
        ("```\nopen", (Code("open"),)),
        ("```", (Code(""),)),
        ("```\n``` \n```", (Code("``` "),)),
        (">", (Quotation((plain(""),)),)),
        ("> _ <", (Quotation((plain("_ <"),)),)),
        ("", (plain(""),)),
    ],
)
def test_blocks(text: str, expected: tuple[Block, ...]) -> None:
    assert parse(text) == expected


def test_who_wants_no_styling_gets_none() -> None:
    """§6: the emoji is no quotation."""
    message = Message("chat").add(Unstyled())
    assert blocks(message, "> _ <\n```") == (plain("> _ <"), plain("```"))
    assert blocks(Message("chat"), "> _ <") == parse("> _ <")


def shown(found: tuple[Block, ...]) -> str:
    """All that the blocks cover, without the marks of blocks."""
    lines = []
    for block in found:
        match block:
            case Line(parts):
                lines.append("".join(part.text for part in parts))
            case Code(text, info):
                lines.append(info + text)
            case Quotation(inside):
                lines.append(shown(inside))
    return "".join(lines)


@given(st.text(alphabet="*_~`> \na\u00a0é", max_size=60))
def test_nothing_is_lost(text: str) -> None:
    """Whatever is not a mark of a block is still there, in order."""
    left = iter(text)
    assert all(one in left for one in shown(parse(text)))
    letters = [one for one in text if one in "aé"]
    assert [one for one in shown(parse(text)) if one in "aé"] == letters


@given(st.text(alphabet="*_~` a", max_size=40))
def test_a_span_says_what_it_covers(line: str) -> None:
    def check(parts: tuple[Span, ...], whole: str) -> None:
        assert "".join(part.text for part in parts) == whole
        for part in parts:
            if part.style:
                assert not part.text[1].isspace()
                assert not part.text[-2].isspace()
                assert part.text[0] == part.text[-1]
                check(part.spans, part.text[1:-1])

    check(spans(line), line)


def test_quotations_do_not_go_on_for_ever() -> None:
    (block,) = parse(">" * 5000 + "x")
    depth = 0
    while isinstance(block, Quotation):
        (block,) = block.blocks
        depth += 1
    assert depth == DEEPEST


@pytest.mark.parametrize(
    "text", ["*a " * 60_000, "_*~`" * 40_000, "> *a\n" * 30_000, "*a* " * 30_000]
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    """What grows with the square of the length would take minutes."""
    started = time.process_time()
    parse(text)
    assert time.process_time() - started < 10
