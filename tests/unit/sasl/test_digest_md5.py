import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import SaslError
from pyrite.core.sasl import Challenge, Credentials, UntrustedServer, choose, server
from pyrite.core.sasl.digest_md5 import derive, digest, directives
from unit.sasl.play import DOMAIN, Owner, advertised, offer, talk

ROMEO = Credentials("romeo", "wherefore")
OWNER = Owner({"romeo": "wherefore", "rom\u00e9o": 'p"\\', "\u05d0\u05d1": "\u05d0\u05d1"})
OFFER = offer("DIGEST-MD5")


def test_the_example_of_rfc_2831() -> None:
    said = {
        "nonce": "OA6MG9tEQGm2hh",
        "cnonce": "OA6MHXh6VqTrRk",
        "nc": "00000001",
        "digest-uri": "imap/elwood.innosoft.com",
    }
    key = derive("chris", "elwood.innosoft.com", "secret").stored_key
    assert digest(key, said, "AUTHENTICATE") == "d388dad90d4bbd760a152321f2143af7"
    assert digest(key, said, "") == "ea40f60335c427b5527b84dbabcdfffd"


@pytest.mark.parametrize("username", OWNER.accounts)
@pytest.mark.parametrize("authzid", ["", "romeo@verona.lit"])
def test_both_sides_agree(username: str, authzid: str) -> None:
    credentials = Credentials(username, OWNER.accounts[username], authzid)
    client = choose(advertised(OFFER), credentials, "client nonce", ["DIGEST-MD5"])
    done = talk(client, server("DIGEST-MD5", OFFER), OWNER)
    assert (done.username, done.authzid) == (username, authzid)


def test_it_has_to_be_allowed() -> None:
    with pytest.raises(SaslError) as raised:
        choose(advertised(OFFER), ROMEO, "client nonce")
    assert raised.value.condition == "invalid-mechanism"


@pytest.mark.parametrize("username", ["romeo", "nobody"])
def test_a_wrong_password_and_a_stranger_fail_alike(username: str) -> None:
    credentials = Credentials(username, "wrong")
    client = choose(advertised(OFFER), credentials, "client nonce", ["DIGEST-MD5"])
    with pytest.raises(SaslError) as raised:
        talk(client, server("DIGEST-MD5", OFFER), OWNER)
    assert (raised.value.condition, raised.value.text) == ("not-authorized", "")


@pytest.mark.parametrize(
    ("pattern", "replacement", "expected"),
    [
        (r",nonce=", ",nonce=x", "malformed-request"),
        (r',nonce="', ',nonce="x', "not-authorized"),
        (r"nc=00000001", "nc=00000002", "not-authorized"),
        (r"qop=auth", "qop=auth-int", "not-authorized"),
        (r'realm="', 'realm="x', "not-authorized"),
        (r"xmpp/", "imap/", "not-authorized"),
        (r"cnonce=", "snonce=", "malformed-request"),
        (r"response=", "nonsense=", "malformed-request"),
        (r"response=.", "response=g", "not-authorized"),
        (r'username="[^"]*"', 'username=""', "not-authorized"),
        (r"charset=utf-8", 'username="romeo"', "malformed-request"),
        (r"charset=utf-8", 'authzid="juliet@verona.lit"', "not-authorized"),
        (r'username="[^"]*"', "username=\xff", "malformed-request"),
        (r".*", "", "malformed-request"),
        (r".*", "x" * 9000, "malformed-request"),
    ],
)
def test_a_changed_response(pattern: str, replacement: str, expected: str) -> None:
    ours = server("DIGEST-MD5", OFFER)
    client = choose(advertised(OFFER), ROMEO, "client nonce", ["DIGEST-MD5"])
    step = OWNER.answer(ours.step(client.start()))
    assert isinstance(step, Challenge)
    response = re.sub(pattern, replacement, client.step(step.data).decode(), count=1)
    with pytest.raises(SaslError) as raised:
        OWNER.answer(ours.step(response.encode("latin-1")))
    assert raised.value.condition == expected


def test_the_server_speaks_first_and_last() -> None:
    with pytest.raises(SaslError):
        server("DIGEST-MD5", OFFER).step(b"")
    ours = server("DIGEST-MD5", OFFER)
    client = choose(advertised(OFFER), ROMEO, "client nonce", ["DIGEST-MD5"])
    step = OWNER.answer(ours.step(client.start()))
    assert isinstance(step, Challenge)
    OWNER.answer(ours.step(client.step(step.data)))
    with pytest.raises(SaslError):
        ours.step(b"more")


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b'realm="r",qop="auth",algorithm=md5-sess',
        b'nonce="n",qop="auth-int",algorithm=md5-sess',
        b'nonce="n",qop="auth"',
        b'nonce="n',
        b'charset=utf-8,nonce="\xff"',
    ],
)
def test_a_client_refuses_a_challenge(challenge: bytes) -> None:
    client = choose(advertised(OFFER), ROMEO, "client nonce", ["DIGEST-MD5"])
    with pytest.raises(UntrustedServer):
        client.step(challenge)


@pytest.mark.parametrize("last", [None, b"", b"rspauth=00", b"x", b'nonce="n",algorithm=md5-sess'])
@pytest.mark.parametrize("is_early", [True, False])
def test_a_client_wants_the_server_to_prove_itself(last: bytes | None, is_early: bool) -> None:
    client = choose(advertised(OFFER), ROMEO, "client nonce", ["DIGEST-MD5"])
    if not is_early:
        client.step(b'nonce="n",qop="auth",algorithm=md5-sess')
    with pytest.raises(UntrustedServer):
        client.finish(last)


def test_the_proof_may_come_with_success() -> None:
    ours = server("DIGEST-MD5", OFFER)
    client = choose(advertised(OFFER), ROMEO, "client nonce", ["DIGEST-MD5"])
    step = OWNER.answer(ours.step(client.start()))
    assert isinstance(step, Challenge)
    last = OWNER.answer(ours.step(client.step(step.data)))
    assert isinstance(last, Challenge)
    client.finish(last.data)


def test_quoted_strings_and_white_space() -> None:
    said = directives(b'a="x \\"y\\\\",  B = c , d="",')
    assert said == {"a": 'x "y\\', "b": "c", "d": ""}


@given(st.binary(max_size=80) | st.text('abc=",\\ utf-8:', max_size=80).map(str.encode))
def test_any_message_is_answered_or_refused(data: bytes) -> None:
    ours = server("DIGEST-MD5", OFFER)
    ours.step(None)
    with pytest.raises(SaslError):
        OWNER.answer(ours.step(data))
    assert OFFER.domain == DOMAIN
