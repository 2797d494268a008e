import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import SaslError
from pyrite.core.sasl import decode_base64, decode_optional, encode_base64
from unit.sasl.play import outcome


@given(st.none() | st.binary())
def test_what_is_encoded_comes_back(data: bytes | None) -> None:
    assert decode_optional(encode_base64(data)) == data


@pytest.mark.parametrize("text", ["=", ""])
def test_nothing_has_two_forms(text: str) -> None:
    assert decode_base64(text) == b""


def test_an_empty_initial_response_is_not_an_absent_one() -> None:
    assert decode_optional("=") == b""
    assert decode_optional("") is None


@pytest.mark.parametrize(
    "text",
    [
        "QQ",
        "QQ=",
        "QQ===",
        "QQ==QQ==",
        "QR==",  # bits in the padding
        "QUJ=",
        " QQ==",
        "QQ==\n",
        "Q Q==",
        "QUJD\n",
        "==",
        "====",
        "A===",
        "_-_-",
        "QÄ==",
        "\ud800",
        "QUJD\0",
    ],
)
def test_base64_is_strict(text: str) -> None:
    with pytest.raises(SaslError) as raised:
        decode_base64(text)
    assert raised.value.condition == "incorrect-encoding"


@given(st.text())
def test_any_text_is_decoded_or_refused(text: str) -> None:
    assert outcome(decode_base64, text) in ("", "incorrect-encoding")
