"""The certificate made at first start, and what is said of any."""

import datetime
import os
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from pyrite.net.certificates import (
    SUBDOMAINS,
    CertificateError,
    Watch,
    ensure,
    fingerprint,
    read,
    read_chain,
    self_signed,
)
from pyrite.net.tls import Identity, TlsError
from pyrite.net.tls.identity import check_domain, end_point_hash

from .ends import Files

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity(tmp_path / "keys" / "cert.pem", tmp_path / "keys" / "key.pem")


def test_made_once(identity: Identity) -> None:
    assert ensure(identity, ["verona.example"], NOW)
    made = identity.certificate.read_bytes()
    assert not ensure(identity, ["mantua.example"], NOW)
    assert identity.certificate.read_bytes() == made


def test_its_key_is_ours_alone(identity: Identity) -> None:
    before = os.umask(0)
    try:
        ensure(identity, ["verona.example"], NOW)
    finally:
        os.umask(before)
    assert stat.S_IMODE(identity.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in identity.key.parent.iterdir()) == ["cert.pem", "key.pem"]


def test_half_of_a_pair_is_not_replaced(identity: Identity) -> None:
    ensure(identity, ["verona.example"], NOW)
    identity.key.unlink()
    with pytest.raises(CertificateError, match=r"cert\.pem is there"):
        ensure(identity, ["verona.example"], NOW)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    identity = Identity(tmp_path / "file" / "cert.pem", tmp_path / "file" / "key.pem")
    with pytest.raises(CertificateError, match="cannot be written"):
        ensure(identity, ["verona.example"], NOW)


def test_what_it_is_for(identity: Identity) -> None:
    ensure(identity, ["verona.example", "Bücher.example"], NOW)
    (made,) = read_chain(identity.certificate)
    for host in ("verona.example", "xn--bcher-kva.example"):
        assert host in made.names
        assert {f"{sub}.{host}" for sub in SUBDOMAINS} < set(made.names)
    assert made.xmpp_addresses == ("verona.example", "Bücher.example")
    assert made.is_self_signed
    assert not made.is_expired(NOW)
    assert not made.is_expired(NOW - DAY / 2)  # a peer's clock is behind
    assert made.is_expired(NOW - 2 * DAY)
    assert made.is_expired(NOW + 4000 * DAY)
    assert made.expires_in(NOW) == 3650 * DAY


def test_it_passes_for_what_it_is_for() -> None:
    pem, _ = self_signed(["bücher.example"], NOW)
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    check_domain(der, "bücher.example")
    check_domain(der, "conference.BÜCHER.example")
    check_domain(der, "bücher.example", "xmpp-server")
    for other in ("other.bücher.example", "example", "bücher.example.net", "", "a..b", "*"):
        with pytest.raises(TlsError):
            check_domain(der, other)
    assert fingerprint(der) == read(der).fingerprint


@pytest.mark.parametrize("length", [10, 126, 127, 128, 129, 230])
def test_addresses_of_any_length(length: int) -> None:
    """DER has a short form of lengths, and long ones."""
    host = ("a" * 49 + ".") * 5
    host = host[: length - 5].rstrip(".").ljust(length - 5, "b") + ".host"
    pem, _ = self_signed([host], NOW)
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert read(der).xmpp_addresses == (host,)


@pytest.mark.parametrize("hosts", [[], ["a b"], ["\N{SNOWMAN}" * 80]])
def test_what_is_no_host(hosts: list[str]) -> None:
    with pytest.raises(CertificateError):
        self_signed(hosts, NOW)


@pytest.mark.parametrize("host", ["127.0.0.1", "[2001:db8::1]"])
def test_an_address_may_be_a_host(host: str) -> None:
    pem, _ = self_signed([host], NOW)
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    check_domain(der, host)
    with pytest.raises(TlsError):
        check_domain(der, "127.0.0.2")


def test_a_chain_is_read_in_order(files: Files) -> None:
    identity = files.issue("chained.example")
    with identity.certificate.open("ab") as file:
        file.write(files.authorities.read_bytes())
    own, issuer = read_chain(identity.certificate)
    assert own.names == ("chained.example",)
    assert own.issuer == issuer.subject
    assert not own.is_self_signed
    assert issuer.names == ()


def test_what_is_no_certificate(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="missing"):
        read_chain(tmp_path / "missing.pem")
    (tmp_path / "wrong.pem").write_text("nothing")
    with pytest.raises(CertificateError, match=r"wrong\.pem"):
        read_chain(tmp_path / "wrong.pem")
    with pytest.raises(CertificateError):
        read(b"nothing")


def test_replaced_files_are_seen_once(identity: Identity) -> None:
    ensure(identity, ["verona.example"], NOW)
    watch = Watch([identity.certificate, identity.key])
    assert not watch.changed()
    draft = identity.key.with_suffix(".new")
    draft.write_bytes(identity.key.read_bytes())
    draft.replace(identity.key)
    assert watch.changed()
    assert not watch.changed()
    identity.key.unlink()  # in two steps
    assert not watch.changed()
    identity.key.write_text("x")
    assert watch.changed()


def test_end_point_hashes(files: Files) -> None:
    """RFC 5929 §4.1."""

    def signed(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, by: object) -> bytes:
        name = x509.Name([])
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + DAY)
        return builder.sign(key, by).public_bytes(Encoding.DER)  # type: ignore[arg-type]

    key = ec.generate_private_key(ec.SECP256R1())
    for by in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        der = signed(key, by)
        digest = hashes.Hash(by)
        digest.update(der)
        assert end_point_hash(der) == digest.finalize()
    assert end_point_hash(signed(ed25519.Ed25519PrivateKey.generate(), None)) == b""
