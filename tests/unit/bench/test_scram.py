"""The load generator's SCRAM, by the examples of the specifications."""

import base64

import pytest
from bench.load.scram import Exchange, fields, keys

# RFC 5802 §5 and RFC 7677 §3: user, password "pencil"
EXAMPLES = {
    "SCRAM-SHA-1": (
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "SCRAM-SHA-256": (
        "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}


@pytest.mark.parametrize("mechanism", EXAMPLES)
def test_example(mechanism: str) -> None:
    nonce, challenge, final, verdict = EXAMPLES[mechanism]
    exchange = Exchange(mechanism, "user", "pencil", nonce)
    assert exchange.first() == f"n,,n=user,r={nonce}".encode()
    assert exchange.final(challenge.encode()) == final.encode()
    exchange.verify(verdict.encode())


def test_a_nonce_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="nonce"):
        Exchange("SCRAM-SHA-1", "user", "pencil", "abc").final(b"r=xyz,s=QSXCR+Q6sek8bf92,i=4096")


def test_a_server_that_does_not_know_the_account_is_refused() -> None:
    nonce, challenge, _, _ = EXAMPLES["SCRAM-SHA-1"]
    exchange = Exchange("SCRAM-SHA-1", "user", "pencil", nonce)
    exchange.final(challenge.encode())
    with pytest.raises(ValueError, match="signature"):
        exchange.verify(b"v=" + base64.b64encode(b"something else"))


def test_nonces_differ() -> None:
    first, second = (Exchange("SCRAM-SHA-1", "user", "pencil").first() for _ in range(2))
    assert fields(first.decode()[3:])["n"] == "user"
    assert first != second


def test_what_a_server_stores() -> None:
    made = keys("sha1", "pencil", base64.b64decode("QSXCR+Q6sek8bf92"), 4096)
    assert made.stored.hex() == "e9d94660c39d65c38fbad91c358f14da0eef2bd6"
