"""Hashed tokens: both sides, and what is not bound to this channel."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import SaslError
from pyrite.core.sasl import (
    SAFE,
    STRENGTH,
    TOKEN_MECHANISMS,
    HtClient,
    NeedTokens,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    UntrustedServer,
    server,
)
from unit.sasl.play import BINDINGS, DOMAIN, nonce

TOKEN = "WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm"
OTHER = "R3VyIHpiZmcgbnl2aXIgdmYgZ3VyIGp2eXFyZmcu"
EXPR, ENDP, NONE = TOKEN_MECHANISMS


def ours(name: str, bindings: dict[str, bytes] = BINDINGS) -> ServerMechanism:
    return server(name, Offer(DOMAIN, (), nonce, bindings, tokens=tuple(TOKEN_MECHANISMS)))


def proven(mechanism: ServerMechanism, data: bytes | None, *tokens: str) -> Proven:
    step: Step = mechanism.step(data)
    assert isinstance(step, NeedTokens)
    assert step.username == "romeo"
    step = step.answer([token.encode() for token in tokens])
    assert isinstance(step, Proven)
    return step


@pytest.mark.parametrize("name", TOKEN_MECHANISMS)
def test_both_sides(name: str) -> None:
    client = HtClient(name, "romeo", TOKEN, BINDINGS)
    found = proven(ours(name), client.start(), OTHER, TOKEN)
    assert (found.username, found.authzid, found.token) == ("romeo", "", TOKEN.encode())
    client.finish(found.data)


def test_as_it_is_written() -> None:
    """Name, NUL and HMAC of the role and the binding, by the token's text."""
    binding = BINDINGS["tls-exporter"]
    proof = hmac.digest(TOKEN.encode(), b"Initiator" + binding, "sha256")
    assert HtClient(EXPR, "romeo", TOKEN, BINDINGS).start() == b"romeo\0" + proof
    answer = proven(ours(EXPR), b"romeo\0" + proof, TOKEN).data
    assert answer == hmac.digest(TOKEN.encode(), b"Responder" + binding, "sha256")


@pytest.mark.parametrize("name", TOKEN_MECHANISMS)
def test_another_token(name: str) -> None:
    client = HtClient(name, "romeo", TOKEN, BINDINGS)
    for tokens in ((OTHER,), (OTHER, OTHER), ()):
        with pytest.raises(SaslError, match="not-authorized"):
            proven(ours(name), client.start(), *tokens)


@pytest.mark.parametrize("name", [EXPR, ENDP])
def test_another_channel(name: str) -> None:
    elsewhere = dict.fromkeys(BINDINGS, b"of somebody in the middle")
    client = HtClient(name, "romeo", TOKEN, elsewhere)
    with pytest.raises(SaslError, match="not-authorized"):
        proven(ours(name), client.start(), TOKEN)


@pytest.mark.parametrize("name", TOKEN_MECHANISMS)
def test_the_proof_of_one_mechanism_is_none_of_another(name: str) -> None:
    client = HtClient(name, "romeo", TOKEN, BINDINGS)
    for another in set(TOKEN_MECHANISMS) - {name}:
        with pytest.raises(SaslError, match="not-authorized"):
            proven(ours(another), client.start(), TOKEN)


@pytest.mark.parametrize("data", [None, b"", b"wrong", b"x" * 32])
def test_a_server_that_does_not_know_the_token(data: bytes | None) -> None:
    client = HtClient(NONE, "romeo", TOKEN, {})
    with pytest.raises(UntrustedServer):
        client.finish(data)
    with pytest.raises(UntrustedServer):
        client.step(b"")


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"romeo",
        b"romeo\0",
        b"romeo\0" + b"x" * 31,
        b"romeo\0" + b"x" * 33,
        b"\xff\0" + b"x" * 32,
        b"x" * 1024 + b"\0" + b"x" * 32,
        b"x" * 10_000 + b"\0" + b"x" * 32,
    ],
)
def test_what_is_no_message(data: bytes | None) -> None:
    with pytest.raises(SaslError, match="malformed-request"):
        ours(NONE).step(data)


def test_a_name_that_nobody_has() -> None:
    for name in (b"", b"ro\x07meo"):
        with pytest.raises(SaslError, match="not-authorized"):
            ours(NONE).step(name + b"\0" + b"x" * 32)


def test_there_is_no_second_message() -> None:
    mechanism, client = ours(NONE), HtClient(NONE, "romeo", TOKEN, {})
    proven(mechanism, client.start(), TOKEN)
    with pytest.raises(SaslError, match="malformed-request"):
        mechanism.step(client.start())


def test_a_channel_without_the_binding() -> None:
    with pytest.raises(SaslError, match="tls-exporter"):
        ours(EXPR, {})
    with pytest.raises(SaslError, match="tls-exporter"):
        HtClient(EXPR, "romeo", TOKEN, {})
    with pytest.raises(SaslError, match="invalid-mechanism"):
        HtClient("PLAIN", "romeo", TOKEN, {})


def test_a_token_is_never_taken_for_a_password() -> None:
    """No such mechanism is offered, chosen or set up outside of XEP-0484."""
    assert not set(TOKEN_MECHANISMS) & {*STRENGTH, *SAFE}
    with pytest.raises(SaslError, match="not offered"):
        server(NONE, Offer(DOMAIN, (NONE,), nonce, BINDINGS))


@given(st.binary(max_size=200))
def test_whatever_is_said(data: bytes) -> None:
    try:
        step = ours(NONE).step(data)
        assert isinstance(step, NeedTokens)
        step.answer([TOKEN.encode()])
    except SaslError:
        return
    raise AssertionError("proven by chance")
