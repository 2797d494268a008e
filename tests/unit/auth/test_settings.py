"""Settings, the server's secret, certificates, and what names and passwords look like."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from pyrite.kit.config import ConfigError, read
from pyrite.server.auth import AuthSettings, identities_in, secret_in
from pyrite.server.auth.identities import MAX_IDENTITIES, XMPP_ADDR, _text
from pyrite.server.auth.names import mixes_scripts, skeleton
from pyrite.server.auth.passwords import COMMON
from pyrite.server.auth.secret import NAME, _make


def test_settings_are_written_with_dashes_and_units(tmp_path: Path) -> None:
    file = tmp_path / "auth.toml"
    file.write_text('mechanisms = ["PLAIN"]\nplain-without-tls = true\nlockout = "1h"\n')
    settings = read(file, AuthSettings)
    assert (settings.mechanisms, settings.plain_without_tls) == (("PLAIN",), True)
    assert (settings.lockout, settings.iterations) == (3600, 10_000)


@pytest.mark.parametrize(
    "text",
    [
        'mechanisms = ["SCRAM-MD5"]',
        "mechanisms = []",
        "iterations = 4095",
        "attempts = 0",
        "attempts = 5",
        'backoff = "soon"',
        "password-length = 0",
        "unknown = 1",
    ],
)
def test_mistakes_are_found(tmp_path: Path, text: str) -> None:
    file = tmp_path / "auth.toml"
    file.write_text(text)
    with pytest.raises(ConfigError):
        read(file, AuthSettings)


def test_the_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    secret = secret_in(tmp_path)
    assert len(secret) == 32
    assert secret_in(tmp_path) == secret
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_first_secret_stays(tmp_path: Path) -> None:
    secret = secret_in(tmp_path)
    _make(tmp_path / NAME)  # another process, a moment later
    assert secret_in(tmp_path) == secret
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    secret_in(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"short")
    with pytest.raises(OSError, match="less than"):
        secret_in(tmp_path)


# --- certificates ------------------------------------------------------------------------

KEY = ec.generate_private_key(ec.SECP256R1())


def address(text: str) -> x509.OtherName:
    return x509.OtherName(XMPP_ADDR, _der(text.encode()))


def _der(data: bytes, tag: int = 0x0C) -> bytes:
    size = len(data)
    return bytes([tag, size] if size < 128 else [tag, 0x81, size]) + data


def certificate(*names: x509.GeneralName, common_name: str = "romeo@verona.lit") -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        subject, subject, KEY.public_key(), 1, now, now + timedelta(days=1)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def test_addresses_are_read_from_a_certificate() -> None:
    long = "x" * 200 + "@verona.lit"
    made = certificate(
        address("romeo@verona.lit"),
        x509.DNSName("verona.lit"),
        x509.RFC822Name("mail@verona.lit"),
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), _der(b"other@verona.lit")),
        address(long),
    )
    assert identities_in(made) == ("romeo@verona.lit", long)


@pytest.mark.parametrize(
    "made",
    [
        None,
        b"",
        b"no certificate",
        certificate(),  # a common name is no address
        certificate(x509.DNSName("verona.lit")),
        certificate(x509.OtherName(XMPP_ADDR, _der(b"romeo@verona.lit", tag=0x16))),
        certificate(x509.OtherName(XMPP_ADDR, _der(b"\xff"))),
        certificate(*(address(f"{n}@verona.lit") for n in range(MAX_IDENTITIES + 1))),
        bytes(70_000),
    ],
)
def test_a_certificate_without_addresses(made: bytes | None) -> None:
    assert identities_in(made) == ()


@given(st.binary(max_size=40))
def test_any_name_in_a_certificate_can_be_read(value: bytes) -> None:
    made = certificate(x509.OtherName(XMPP_ADDR, _der(value)))
    assert all(isinstance(text, str) for text in identities_in(made))


@given(st.binary(max_size=40) | st.binary(max_size=20).map(lambda data: b"\x0c" + data))
def test_any_octets_are_text_or_nothing(der: bytes) -> None:
    assert isinstance(_text(der), str)


@pytest.mark.parametrize("der", [_der(b"a@b") + b"x", _der(b"a@b")[:-1], b"", b"\x0c", b"\x0c\xff"])
def test_octets_that_are_no_text(der: bytes) -> None:
    assert _text(der) == ""


# --- names and passwords -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["admin", "ADMIN", "adm1n", "\u0430dm\u0456n", "ad-min", "adrnin"])
def test_names_that_look_alike_have_one_skeleton(name: str) -> None:
    assert skeleton(name) == skeleton("admin")


@given(st.text(max_size=20))
def test_any_name_has_a_skeleton(name: str) -> None:
    assert isinstance(skeleton(name), str)
    assert isinstance(mixes_scripts(name), bool)


def test_common_passwords_are_compared_in_lower_case() -> None:
    assert all(password == password.casefold() for password in COMMON)
