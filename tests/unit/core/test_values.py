"""Simple values as text: what is read, to what, and what is refused."""

import contextlib
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.values import (
    Byte,
    UnsignedInt,
    form_of,
    read_bool,
    read_bytes,
    read_date,
    read_datetime,
    read_offset,
    show_bytes,
    show_datetime,
    show_offset,
)

MOMENTS = [
    ("1969-07-21T02:56:15Z", datetime(1969, 7, 21, 2, 56, 15, tzinfo=UTC)),
    ("1969-07-20T21:56:15-05:00", datetime(1969, 7, 21, 2, 56, 15, tzinfo=UTC)),
    ("2026-01-01T00:30:00+05:30", datetime(2025, 12, 31, 19, tzinfo=UTC)),
    ("2026-01-01T00:00:00.5Z", datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
    ("2026-01-01T00:00:00.123456789Z", datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC)),
    ("2026-01-01T00:00:00.000Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01T00:00:00-00:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01T00:00:00+14:00", datetime(2025, 12, 31, 10, tzinfo=UTC)),
    ("2026-12-31T24:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
    ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
    (" 2026-01-01T00:00:00Z\n", datetime(2026, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "moment"), MOMENTS)
def test_moments(text: str, moment: datetime) -> None:
    assert read_datetime(text) == moment
    assert read_datetime(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "20260101T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T24:00:01Z",
        "2026-01-01T24:00:00.1Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00z",
        "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00+15:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00+0100",
        "2026-1-1T0:0:0Z",
        "-2026-01-01T00:00:00Z",
        "12026-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T24:00:00Z",
        "\u0662026-01-01T00:00:00Z",
    ],
)
def test_no_moments(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        read_datetime(text)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))])))
def test_moments_round_trip(moment: datetime) -> None:
    try:
        shown = show_datetime(moment)
    except OverflowError:
        return
    assert read_datetime(shown) == moment
    assert shown.endswith("Z")


def test_a_moment_without_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError):
        show_datetime(datetime(2026, 1, 1))


@pytest.mark.parametrize("text", ["Z", "+00:00", "-05:00", "+05:45", "-14:00", "-00:30"])
def test_offsets(text: str) -> None:
    expected = {"Z": "+00:00"}.get(text, text)
    assert show_offset(read_offset(text)) == expected


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "5", 5),
        (int, " +5\n", 5),
        (int, "-9223372036854775808", -(2**63)),
        (float, " -1.5\n", -1.5),
        (float, "1e3", 1000.0),
        (float, ".5", 0.5),
        (Byte, "-128", -128),
        (Byte, "127", 127),
        (UnsignedInt, "4294967295", 2**32 - 1),
        (UnsignedInt, "-0", 0),
        (bool, "true", True),
        (bool, " 0 ", False),
        (bytes, "AAE=", b"\0\1"),
        (bytes, "AA\n E=", b"\0\1"),
        (bytes, "", b""),
        (date, "2026-11-21", date(2026, 11, 21)),
        (date, "2026-11-21Z", date(2026, 11, 21)),
        (timezone, "-06:00", timezone(timedelta(hours=-6))),
    ],
)
def test_read(kind: Any, text: str, value: object) -> None:
    assert form_of(kind).read(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, ""),
        (int, "five"),
        (int, "1_000"),
        (float, ""),
        (float, "1_0.5"),
        (float, "nan"),
        (float, "INF"),
        (float, "1e999"),
        (float, "1" * 500),
        (int, "1.0"),
        (int, "0x10"),
        (int, "\u0665"),
        (int, "- 5"),
        (int, "9223372036854775808"),
        (int, "9" * 100_000),
        (Byte, "128"),
        (Byte, "-129"),
        (UnsignedInt, "-1"),
        (UnsignedInt, "4294967296"),
        (bool, "TRUE"),
        (bool, "yes"),
        (bool, ""),
        (bytes, "A"),
        (bytes, "AA=A"),
        (bytes, "AA*="),
        (bytes, "\u00e4AAA"),
        (date, "2026-02-30"),
        (date, "21.11.2026"),
        (timezone, "UTC"),
        (timezone, "+24:00"),
    ],
)
def test_not_read(kind: Any, text: str) -> None:
    with pytest.raises(ValueError):
        form_of(kind).read(text)


@given(st.binary(max_size=60))
def test_bytes_round_trip(value: bytes) -> None:
    assert read_bytes(show_bytes(value)) == value


@given(st.text())
def test_any_text_is_read_or_a_value_error(text: str) -> None:
    for read in (read_bool, read_bytes, read_date, read_datetime, read_offset):
        with contextlib.suppress(ValueError):
            read(text)


def test_what_has_no_form() -> None:
    with pytest.raises(TypeError):
        form_of(complex)
