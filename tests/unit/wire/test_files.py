"""The rules beside the payloads of files: which hash counts, which header fields are sent."""

import pytest

from pyrite.core.jid import JID
from pyrite.wire import dataforms, disco, hashes, socks5, upload
from pyrite.wire.hashes import Hash
from pyrite.wire.upload import Header, Put


def test_the_strongest_known_hash_counts() -> None:
    given = (Hash("sha-1", b"1"), Hash("sha3-256", b"3"), Hash("sha-256", b"2"), Hash("md5", b"0"))
    assert hashes.strongest(given) == Hash("sha3-256", b"3")
    assert hashes.strongest(given[3:]) is None
    assert hashes.hasher("md5") is None


def test_hashes_are_those_of_the_text() -> None:
    hashed = hashes.hasher("sha-1")
    assert hashed is not None
    hashed.update(b"abc")
    right = bytes.fromhex("a9993e364706816aba3e25717850c26c9cd0d89d")
    assert hashes.is_equal(Hash("sha-1", right), hashed)
    assert not hashes.is_equal(Hash("sha-1", right[:-1]), hashed)


def test_only_allowed_header_fields_are_sent() -> None:
    put = Put(
        "https://upload.example/",
        (
            Header("authorization", "Basic\r\nHost: evil.example"),
            Header("Coo\nkie", "a=b"),
            Header("X-Evil", "1"),
            Header("Host", "evil.example"),
        ),
    )
    assert upload.headers(put) == {
        "Authorization": "BasicHost: evil.example",
        "Cookie": "a=b",
    }


@pytest.mark.parametrize(
    ("said", "limit"), [("5242880", 5242880), ("", None), ("-1", None), ("many", None), ("²", None)]
)
def test_the_limit_of_the_service(said: str, limit: int | None) -> None:
    form = dataforms.result(upload.NS, dataforms.field("max-file-size", "text-single", value=said))
    assert upload.limit(disco.Info(forms=(form,))) == limit


def test_the_limit_of_another_service() -> None:
    form = dataforms.result("urn:other", dataforms.field("max-file-size", "text-single", value="1"))
    assert upload.limit(disco.Info(forms=(form,))) is None


def test_what_stands_for_a_stream() -> None:
    """The digest that XEP-0260 shows for the initiator's candidates."""
    romeo, juliet = JID.parse("romeo@montague.lit/orchard"), JID.parse("juliet@capulet.lit/balcony")
    assert socks5.address("vj3hs98y", romeo, juliet) == "972b7bf47291ca609517f67f86b5081086052dad"
    assert socks5.address("vj3hs98y", juliet, romeo) != socks5.address("vj3hs98y", romeo, juliet)
