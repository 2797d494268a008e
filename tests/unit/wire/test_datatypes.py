"""The data types of XML Schema that a field can ask for (XEP-0122 §3.1)."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.wire import dataforms
from pyrite.wire.dataforms import Field, Range, Validate, Value
from pyrite.wire.dataforms.datatypes import _DATATYPES, MOST_DIGITS

EAST = timezone(timedelta(hours=2))


def one(rule: Validate, text: str) -> Value:
    return dataforms.typed(Field("x", "text-single", validate=rule), (text,))


GOOD: dict[str, list[tuple[str, Any]]] = {
    "xs:string": [("", ""), (" a\tb ", " a\tb ")],
    "xs:normalizedString": [(" a ", " a ")],
    "xs:token": [("  a   b ", "a b")],
    "xs:boolean": [("true", True), ("0", False)],
    "xs:base64Binary": [("AQI=", b"\1\2"), ("", b"")],
    "xs:hexBinary": [("0aFF", b"\n\xff")],
    "xs:anyURI": [("http://a.lit/x?y#z", "http://a.lit/x?y#z"), ("ä/%20", "ä/%20"), ("", "")],
    "xs:language": [("en", "en"), ("de-CH-1996", "de-CH-1996")],
    "xs:QName": [("a:b", "a:b"), ("b", "b")],
    "xs:NOTATION": [("a:b", "a:b")],
    "xs:Name": [("a:b:c", "a:b:c"), ("é-1", "é-1")],
    "xs:NCName": [("_a.b", "_a.b")],
    "xs:ID": [("a1", "a1")],
    "xs:IDREF": [("a1", "a1")],
    "xs:IDREFS": [("a1 b2", "a1 b2")],
    "xs:ENTITY": [("a1", "a1")],
    "xs:ENTITIES": [("a1  b2", "a1  b2")],
    "xs:NMTOKEN": [("1a:-", "1a:-")],
    "xs:NMTOKENS": [("1 2", "1 2")],
    "xs:decimal": [("-1.50", Decimal("-1.50")), (".5", Decimal("0.5")), ("7.", Decimal(7))],
    "xs:float": [("1e3", 1000.0), ("-INF", float("-inf"))],
    "xs:double": [(" 0.25 ", 0.25), ("INF", float("inf"))],
    "xs:integer": [("+7", 7), ("9" * 400, int("9" * 400))],
    "xs:nonPositiveInteger": [("0", 0), ("-9", -9)],
    "xs:negativeInteger": [("-1", -1)],
    "xs:nonNegativeInteger": [("0", 0)],
    "xs:positiveInteger": [("1", 1)],
    "xs:long": [(str(-(2**63)), -(2**63)), (str(2**63 - 1), 2**63 - 1)],
    "xs:int": [("2147483647", 2147483647)],
    "xs:short": [("-32768", -32768)],
    "xs:byte": [("127", 127), ("-128", -128)],
    "xs:unsignedLong": [(str(2**64 - 1), 2**64 - 1)],
    "xs:unsignedInt": [("4294967295", 4294967295)],
    "xs:unsignedShort": [("65535", 65535)],
    "xs:unsignedByte": [("255", 255)],
    "xs:dateTime": [
        ("2003-10-06T11:22:00-07:00", datetime(2003, 10, 6, 18, 22, tzinfo=UTC)),
        ("2003-10-06T24:00:00", datetime(2003, 10, 7, tzinfo=UTC)),
    ],
    "xs:date": [("2003-10-06", date(2003, 10, 6)), ("2003-10-06+02:00", date(2003, 10, 6))],
    "xs:time": [
        ("13:20:00.5", time(13, 20, 0, 500_000)),
        ("13:20:00+02:00", time(13, 20, tzinfo=EAST)),
        ("24:00:00", time(0)),
    ],
    "xs:duration": [("P1Y2M3DT10H30M1.5S", "P1Y2M3DT10H30M1.5S"), ("-PT1M", "-PT1M")],
    "xs:gYear": [("2003", "2003"), ("-0045Z", "-0045Z"), ("12003", "12003")],
    "xs:gYearMonth": [("2003-10", "2003-10")],
    "xs:gMonth": [("--10", "--10")],
    "xs:gMonthDay": [("--10-06", "--10-06")],
    "xs:gDay": [("---06", "---06")],
}
BAD: dict[str, list[str]] = {
    "xs:normalizedString": ["a\tb", "a\nb"],
    "xs:boolean": ["yes", ""],
    "xs:base64Binary": ["A", "é"],
    "xs:hexBinary": ["0", "0g"],
    "xs:anyURI": ["a b", "%2", "a#b#c", "http://[", "<a>"],
    "xs:language": ["", "deutschland", "en_GB", "en-"],
    "xs:QName": ["a:b:c", ":b", ""],
    "xs:NOTATION": ["1"],
    "xs:Name": ["1a", "a b"],
    "xs:NCName": ["a:b", "-a"],
    "xs:ID": ["1"],
    "xs:IDREF": [""],
    "xs:IDREFS": ["", "a ,"],
    "xs:ENTITY": ["?"],
    "xs:ENTITIES": ["?"],
    "xs:NMTOKEN": ["a b", ""],
    "xs:NMTOKENS": ["", "a ?"],
    "xs:decimal": ["1e3", ".", "", "1,5", "NaN", "9" * (MOST_DIGITS + 1)],
    "xs:float": ["inf", "nan", "1_0", "", "e3"],
    "xs:double": ["+INF", "0x1p3"],
    "xs:integer": ["1.0", "", "--1", "1_000", "\u0661", "9" * (MOST_DIGITS + 1)],
    "xs:nonPositiveInteger": ["1"],
    "xs:negativeInteger": ["0"],
    "xs:nonNegativeInteger": ["-1"],
    "xs:positiveInteger": ["0"],
    "xs:long": [str(2**63)],
    "xs:int": ["2147483648"],
    "xs:short": ["32768"],
    "xs:byte": ["128"],
    "xs:unsignedLong": [str(2**64), "-1"],
    "xs:unsignedInt": ["4294967296"],
    "xs:unsignedShort": ["65536"],
    "xs:unsignedByte": ["256"],
    "xs:dateTime": ["2003-10-06", "2003-13-06T00:00:00Z", "9999-12-31T24:00:00Z", "now"],
    "xs:date": ["2003-02-30", "06.10.2003", "2003-10-06T00:00:00Z"],
    "xs:time": ["25:00:00", "13:20", "13:20:00+15:00"],
    "xs:duration": ["P", "PT", "1Y", "P1H", "P1YT", "P-1Y"],
    "xs:gYear": ["03", "0"],
    "xs:gYearMonth": ["2003-13"],
    "xs:gMonth": ["10"],
    "xs:gMonthDay": ["--13-01"],
    "xs:gDay": ["--06"],
}


@pytest.mark.parametrize(
    ("name", "text", "value"), [(name, *pair) for name, pairs in GOOD.items() for pair in pairs]
)
def test_values_of_a_type(name: str, text: str, value: Any) -> None:
    found = one(Validate(name), text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts]
)
def test_what_is_not_of_a_type(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        one(Validate(name), text)


def test_every_type_is_tried() -> None:
    assert GOOD.keys() == set(_DATATYPES)
    assert GOOD.keys() - BAD.keys() == {"xs:string", "xs:token"}  # into which everything fits


def test_types_that_nobody_knows_are_text() -> None:
    """§4: whatever is not understood is xs:string."""
    for name in ("x:house", "xs:house", "", "geo:point"):
        assert one(Validate(name), "anything") == "anything"


@settings(deadline=None)
@given(st.sampled_from(sorted(_DATATYPES)), st.text(max_size=30))
def test_any_text_is_of_a_type_or_refused(name: str, text: str) -> None:
    rule = Validate(name, range=Range(text, text))
    try:
        value = one(rule, text)
    except ValueError:
        return
    shown = dataforms.shown(value)
    if name not in ("xs:dateTime", "xs:float", "xs:double"):
        assert one(Validate(name), shown[0]) == value


@pytest.mark.parametrize(
    ("name", "low", "high", "fits", "fails"),
    [
        ("xs:integer", "1", "99", ["1", "99", "+5"], ["0", "100"]),
        ("xs:byte", "-1000", "1000", ["127"], ["128"]),
        ("xs:decimal", "0.10", None, ["0.1", "0.1000000000000000000001"], ["0.0999999999999"]),
        ("xs:double", "0", "1", ["0.5", "1"], ["NaN", "INF", "1.1"]),
        ("xs:date", "2003-10-05", "2003-10-24", ["2003-10-05", "2003-10-24"], ["2003-10-25"]),
        ("xs:date", "2003-10-05Z", None, ["2003-10-05-01:00"], ["2003-10-05+01:00"]),
        (
            "xs:dateTime",
            "2003-10-05T00:00:00-07:00",
            "2003-10-24T23:59:59-07:00",
            ["2003-10-06T11:22:00-07:00", "2003-10-25T06:59:59Z"],
            ["2003-10-05T00:00:00Z", "2003-10-25T07:00:00Z"],
        ),
        ("xs:time", "09:00:00", "17:00:00", ["10:00:00", "18:00:00+01:00"], ["08:59:59"]),
        ("xs:duration", "P1M", "P1Y", ["P31D", "P12M"], ["P27D", "P30D", "P367D"]),
        ("xs:duration", "-P1D", "PT0S", ["-PT24H"], ["-P2D", "PT1S"]),
        ("xs:string", "b", "c", ["a", "z"], []),  # a range of texts is none
        ("xs:integer", "few", "many", ["7"], []),  # and so is one that cannot be read
    ],
)
def test_ranges(
    name: str, low: str | None, high: str | None, fits: list[str], fails: list[str]
) -> None:
    rule = Validate(name, range=Range(low, high))
    for text in fits:
        one(rule, text)
    for text in fails:
        with pytest.raises(ValueError, match="is not between"):
            one(rule, text)
