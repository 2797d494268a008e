import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.sasl import PrepError, saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        # RFC 4013 §3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        # its other rules
        ("", ""),
        ("\u00a0x\u3000y", " x y"),
        ("a\u200db", "ab"),
        ("\u0627\u0628", "\u0627\u0628"),
        ("\u06271\u0628", "\u06271\u0628"),
        # later than Unicode 3.2: as it is
        ("\U0001f511 key", "\U0001f511 key"),
    ],
)
def test_text_gets_its_one_form(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    "text",
    [
        "\u0007",  # RFC 4013 §3
        "\u06271",
        "a\nb",
        "\x7f",
        "\u0085",
        "\ue000",
        "\ufffe",
        "\ud800",
        "\ufff9",
        "\u2ff0",
        "\u202e",
        "\U000e0041",
        "\u0627a\u0628",
        "1\u0627",
    ],
)
def test_what_is_prohibited_is_refused_not_dropped(text: str) -> None:
    with pytest.raises(PrepError):
        saslprep(text)


@given(st.text(max_size=20))
def test_text_is_refused_or_printable(text: str) -> None:
    try:
        prepared = saslprep(text)
    except PrepError:
        return
    prepared.encode()
    assert "\0" not in prepared
