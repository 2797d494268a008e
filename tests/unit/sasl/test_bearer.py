"""OAUTHBEARER and GSSAPI: the exchanges of their specifications, and what breaks them."""

import hmac

import pytest

from pyrite.client.mechanisms import kerberos, oauth
from pyrite.core.errors import SaslError
from pyrite.core.jid import JID
from pyrite.core.sasl import Advertised, UntrustedServer
from pyrite.core.sasl.gssapi import GssapiClient
from pyrite.core.sasl.oauth import OAuthClient

TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="  # RFC 7628 §4


def offer(*names: str, secure: bool = True) -> Advertised:
    return Advertised("verona.lit", names, secure=secure)


def test_a_bearer_token() -> None:
    """RFC 7628 §4.1, without host and port, which are optional."""
    client = OAuthClient("user@example.com", lambda: TOKEN)
    assert client.start() == f"n,a=user@example.com,\x01auth=Bearer {TOKEN}\x01\x01".encode()
    client.finish(None)


def test_a_bearer_token_that_is_refused() -> None:
    """§4.3: the server says why, we say that we heard, and then it fails."""
    client = OAuthClient("user@example.com", lambda: TOKEN)
    client.start()
    assert client.step(b'{"status":"invalid_token","scope":"example_scope"}') == b"\x01"
    assert client.refusal == "invalid_token"
    for text, told in (("", "invalid_token"), ("try later", "try later")):
        error = client.refused(SaslError("not-authorized", text))
        assert (error.condition, error.text) == ("not-authorized", told)
    for odd in (b"", b"[]", b"\xff", b"[" * 100_000):
        assert client.step(odd) == b"\x01"


def test_names_are_escaped() -> None:
    """RFC 5801 §4: a comma or equals sign cannot end the name."""
    assert OAuthClient("a,b=c@d", lambda: "t").start().startswith(b"n,a=a=2Cb=3Dc@d,\x01")


@pytest.mark.parametrize("token", ["", "a\x01b", "a\nb", "é"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(SaslError, match="no bearer token"):
        OAuthClient("a@b", lambda: token).start()


def test_a_token_is_told_to_nobody_else() -> None:
    make = oauth(JID.parse("romeo@verona.lit/x"), lambda: TOKEN)
    assert make(offer("SCRAM-SHA-256")) is None
    assert make(offer("OAUTHBEARER", secure=False)) is None
    client = make(offer("OAUTHBEARER"))
    assert client is not None
    assert client.start() is not None


class Scripted:
    """One side of a security context whose proofs are made with a key that both have."""

    KEY = b"a session key"

    def __init__(self, service: str, rounds: int = 2) -> None:
        self.service, self.left = service, rounds
        self.seen: list[bytes | None] = []

    @property
    def complete(self) -> bool:
        return self.left == 0

    def step(self, token: bytes | None) -> bytes | None:
        self.seen.append(token)
        self.left -= 1
        return b"AP-REQ" if token is None else None

    def wrap(self, message: bytes) -> bytes:
        return hmac.digest(self.KEY, message, "sha256") + message

    def unwrap(self, message: bytes) -> bytes:
        proof, inner = message[:32], message[32:]
        if not hmac.compare_digest(proof, hmac.digest(self.KEY, inner, "sha256")):
            raise SaslError("not-authorized", "a wrong signature")
        return inner


def with_kerberos(host: str = "") -> tuple[GssapiClient, Scripted]:
    made: list[Scripted] = []

    def begin(service: str) -> Scripted:
        made.append(Scripted(service))
        return made[-1]

    client = kerberos(host, begin)(offer("GSSAPI", "PLAIN"))
    assert isinstance(client, GssapiClient)
    assert client.start() == b"AP-REQ"
    return client, made[0]


@pytest.mark.parametrize(("host", "service"), [("", "verona.lit"), ("xmpp1.lit", "xmpp1.lit")])
def test_a_ticket(host: str, service: str) -> None:
    """RFC 4752 §3.1: tokens until both have proven who they are, then the layers."""
    client, context = with_kerberos(host)
    assert context.service == f"xmpp@{service}"
    assert client.step(b"AP-REP") == b""
    answer = client.step(context.wrap(b"\x07\x00\xff\xff"))
    assert context.unwrap(answer) == b"\x01\x00\x00\x00"
    client.finish(None)
    assert context.seen == [None, b"AP-REP"]


def test_a_server_that_leaves_out_its_proof() -> None:
    client, context = with_kerberos()
    with pytest.raises(UntrustedServer):
        client.finish(None)
    client.step(b"AP-REP")
    with pytest.raises(UntrustedServer):
        client.finish(None)
    with pytest.raises(SaslError, match="wrong signature"):
        client.step(b"x" * 36)
    with pytest.raises(UntrustedServer):
        client.step(context.wrap(b"\x01\x00\x00\x00\x00"))


def test_a_server_that_wants_a_layer() -> None:
    client, context = with_kerberos()
    client.step(b"AP-REP")
    with pytest.raises(SaslError, match="security layer"):
        client.step(context.wrap(b"\x06\x00\x00\x00"))


def test_no_ticket_is_needed_where_none_is_wanted() -> None:
    assert kerberos()(offer("PLAIN")) is None


def test_the_library_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gssapi", None)
    client = kerberos()(offer("GSSAPI"))
    assert client is not None
    with pytest.raises(SaslError, match=r"pyrite\[kerberos\]"):
        client.start()
