"""PLAIN, EXTERNAL, ANONYMOUS, and the choice among all mechanisms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.core.errors import SaslError
from pyrite.core.sasl import (
    HASHES,
    SAFE,
    STRENGTH,
    Advertised,
    Challenge,
    Credentials,
    NeedPassword,
    PrepError,
    Proven,
    UntrustedServer,
    by_strength,
    choose,
    saslprep,
    server,
)
from unit.sasl.play import BINDINGS, DOMAIN, Owner, advertised, offer, outcome, talk

ROMEO = Credentials("romeo", "wherefore")
OWNER = Owner({"romeo": "wherefore"})
OFFER = offer("PLAIN", "EXTERNAL", "ANONYMOUS", identities=("romeo@verona.lit",))


# --- PLAIN -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"\0romeo\0wherefore", ""),
        (b"romeo@verona.lit\0romeo\0wherefore", ""),
        (b"\0ro\xc2\xadmeo\0where\xc2\xadfore", ""),  # SASLprep takes them out
        (b"\0romeo\0wrong", "not-authorized"),
        (b"\0nobody\0wherefore", "not-authorized"),
        (b"", "malformed-request"),
        (b"romeo\0wherefore", "malformed-request"),
        (b"\0\0wherefore", "malformed-request"),
        (b"\0romeo\0", "malformed-request"),
        (b"\0romeo\0where\0fore", "malformed-request"),
        (b"\0romeo\0wherefore\0", "malformed-request"),
        (b"\0\xff\0wherefore", "malformed-request"),
        (b"\0romeo\0wherefore\x07", "not-authorized"),
        (b"\0romeo\x07\0wherefore", "not-authorized"),
        (b"\0romeo\0\xc2\xad", "not-authorized"),
        (b"\0" + b"x" * 1024 + b"\0wherefore", "malformed-request"),
        (b"\0romeo\0" + b"x" * 1025, "not-authorized"),
        (b"x" * 3072 + b"\0romeo\0wherefore", "malformed-request"),
        (b"\0romeo\0" + b"x" * 9000, "malformed-request"),
    ],
)
def test_plain(message: bytes, expected: str) -> None:
    ours = server("PLAIN", OFFER)
    if not expected:
        assert OWNER.answer(ours.step(message)) == Proven("romeo", message.split(b"\0")[0].decode())
        return
    with pytest.raises(SaslError) as raised:
        OWNER.answer(ours.step(message))
    assert raised.value.condition == expected


def test_plain_without_an_initial_response() -> None:
    ours = server("PLAIN", OFFER)
    assert ours.step(None) == Challenge(b"")
    step = ours.step(b"\0romeo\0wherefore")
    assert isinstance(step, NeedPassword)
    assert "wherefore" not in repr(step)


@given(st.text("abc,=\u00e9\u3042", min_size=1), st.text(min_size=1, max_size=30))
def test_plain_takes_any_password(username: str, password: str) -> None:
    try:
        owner = Owner({saslprep(username): saslprep(password)})
        client = choose(advertised(offer("PLAIN")), Credentials(username, password), "n" * 12)
    except (PrepError, SaslError):
        return
    assert talk(client, server("PLAIN", OFFER), owner).username == saslprep(username)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([*HASHES, *(f"{name}-PLUS" for name in HASHES)]),
    st.text("abc,=\u00e9\u3042", min_size=1),
    st.text(min_size=1, max_size=30),
)
def test_scram_takes_any_password(mechanism: str, username: str, password: str) -> None:
    offered = offer(mechanism)
    try:
        owner = Owner({saslprep(username): password})
        client = choose(advertised(offered), Credentials(username, password), "n" * 12)
    except (PrepError, SaslError):
        return
    assert talk(client, server(mechanism, offered), owner).username == saslprep(username)


# --- EXTERNAL ----------------------------------------------------------------------------

TWO = ("romeo@verona.lit", "juliet@verona.lit")


@pytest.mark.parametrize(
    ("identities", "message", "expected"),
    [
        (TWO[:1], None, "romeo@verona.lit"),
        (TWO[:1], b"", "romeo@verona.lit"),
        (TWO[:1], b"romeo@verona.lit", "romeo@verona.lit"),
        (("ROMEO@Verona.lit", "romeo@verona.lit"), b"", "romeo@verona.lit"),
        (TWO, b"Juliet@verona.lit", "juliet@verona.lit"),
    ],
)
def test_external_gives_an_identity_of_the_certificate(
    identities: tuple[str, ...], message: bytes | None, expected: str
) -> None:
    step = server("EXTERNAL", offer("EXTERNAL", identities=identities)).step(message)
    assert isinstance(step, Proven)
    assert step.username == expected


@pytest.mark.parametrize(
    ("identities", "message", "expected"),
    [
        ((), None, "not-authorized"),
        ((), b"romeo@verona.lit", "not-authorized"),
        (("@", "romeo@verona.lit/orchard"), b"", "not-authorized"),
        (TWO, b"", "invalid-authzid"),  # XEP-0178 §3
        (TWO[:1], b"juliet@verona.lit", "invalid-authzid"),
        (TWO[:1], b"romeo@verona.lit/orchard", "invalid-authzid"),
        (TWO[:1], b"romeo", "invalid-authzid"),
        (TWO[:1], b"@", "invalid-authzid"),
        (TWO[:1], b"\xff", "malformed-request"),
        (TWO[:1], b"x" * 3072, "malformed-request"),
    ],
)
def test_external_refuses(
    identities: tuple[str, ...], message: bytes | None, expected: str
) -> None:
    with pytest.raises(SaslError) as raised:
        server("EXTERNAL", offer("EXTERNAL", identities=identities)).step(message)
    assert raised.value.condition == expected


# --- ANONYMOUS ---------------------------------------------------------------------------


@pytest.mark.parametrize("trace", [None, b"", b"sirhc"])
def test_anonymous_lets_everyone_in(trace: bytes | None) -> None:
    assert server("ANONYMOUS", OFFER).step(trace) == Proven("")


@pytest.mark.parametrize("trace", [b"\xff", b"x" * 1021])
def test_anonymous_looks_at_the_trace_data(trace: bytes) -> None:
    with pytest.raises(SaslError) as raised:
        server("ANONYMOUS", OFFER).step(trace)
    assert raised.value.condition == "malformed-request"


# --- the table and the choice ------------------------------------------------------------


@pytest.mark.parametrize("name", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA3-512", "", "plain"])
def test_what_is_not_offered_is_refused(name: str) -> None:
    with pytest.raises(SaslError) as raised:
        server(name, offer("SCRAM-SHA-256", "SCRAM-SHA3-512"))
    assert raised.value.condition == "invalid-mechanism"


@pytest.mark.parametrize("name", STRENGTH)
@given(data=st.none() | st.binary(max_size=60))
def test_any_first_message_is_answered_or_refused(name: str, data: bytes | None) -> None:
    ours = server(name, offer(*STRENGTH, identities=TWO))
    conditions = ("", "malformed-request", "not-authorized", "invalid-authzid")
    assert outcome(lambda: OWNER.answer(ours.step(data))) in conditions


def test_strength_orders_known_mechanisms() -> None:
    given_names = ("PLAIN", "X-NEW", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "PLAIN", "EXTERNAL")
    assert by_strength(given_names) == ("EXTERNAL", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "PLAIN")


ALL = (
    "PLAIN",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "EXTERNAL",
)
NO_PLUS = ("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256")
EXPORTER = {"tls-exporter": b"x"}
END_POINT = {"tls-server-end-point": b"x"}


@pytest.mark.parametrize(
    ("mechanisms", "types", "bindings", "begin"),
    [
        (ALL, ("tls-exporter",), BINDINGS, b"p=tls-exporter,,"),
        (ALL, ("tls-server-end-point", "tls-exporter"), BINDINGS, b"p=tls-exporter,,"),
        (ALL, ("tls-server-end-point", "tls-exporter"), END_POINT, b"p=tls-server-end-point,,"),
        (ALL, (), BINDINGS, b"n,,"),
        (ALL, (), {**BINDINGS, "tls-unique": b"u"}, b"p=tls-unique,,"),
        (ALL, ("x-new",), {"x-new": b"x"}, b"p=x-new,,"),
        (ALL, ("tls-exporter",), {}, b"n,,"),
        (ALL, ("tls-server-end-point",), EXPORTER, b"n,,"),
        (NO_PLUS, (), BINDINGS, b"y,,"),
        (NO_PLUS, (), {}, b"n,,"),
    ],
)
def test_binding_is_used_where_both_can(
    mechanisms: tuple[str, ...], types: tuple[str, ...], bindings: dict[str, bytes], begin: bytes
) -> None:
    client = choose(Advertised(DOMAIN, mechanisms, types, bindings), ROMEO, "n" * 12)
    assert client.name == ("SCRAM-SHA-256-PLUS" if begin.startswith(b"p") else "SCRAM-SHA-256")
    started = client.start()
    assert started is not None
    assert started.startswith(begin)


@pytest.mark.parametrize(
    ("mechanisms", "types", "newer", "name"),
    [
        (NO_PLUS, ("tls-exporter",), False, None),
        (NO_PLUS, ("tls-exporter",), True, None),
        (("PLAIN",), ("tls-exporter",), True, None),
        (("PLAIN",), ("tls-exporter",), False, "PLAIN"),  # as Prosody 13 does it with LDAP
        (("PLAIN", "EXTERNAL"), ("tls-exporter",), True, "EXTERNAL"),
        (("PLAIN", "ANONYMOUS"), ("tls-exporter",), False, "PLAIN"),
        (("ANONYMOUS",), ("tls-exporter",), True, "ANONYMOUS"),
        (ALL[:-1], (), True, None),
        (ALL[:-1], (), False, "SCRAM-SHA-256"),
        (ALL, (), True, "EXTERNAL"),
    ],
)
def test_half_of_an_offer_is_an_attack(
    mechanisms: tuple[str, ...], types: tuple[str, ...], newer: bool, name: str | None
) -> None:
    """XEP-0440 §4: types and mechanisms go together, where what follows proves a password."""
    told = Advertised(DOMAIN, mechanisms, types, BINDINGS, newer=newer)
    who = Credentials("romeo", "wherefore", certificate="EXTERNAL" in mechanisms)
    if name is not None:
        assert choose(told, who, "n" * 12, (*SAFE, "ANONYMOUS")).name == name
        return
    with pytest.raises(UntrustedServer, match="channel binding"):
        choose(told, who, "n" * 12)


def test_unknown_types_alone_need_the_servers_word() -> None:
    told = Advertised(DOMAIN, ALL, ("x-none",), BINDINGS)
    first = b"r=nnnnnnnnnnnnmmmmmmmm,s=QSXCR+Q6sek8bf92,i=4096"
    client = choose(told, ROMEO, "n" * 12)
    client.start()
    with pytest.raises(UntrustedServer, match="no word"):
        client.step(first)
    offered = offer(*ALL, bindings={"x-none": b""})
    assert talk(choose(told, ROMEO, "n" * 12), server("SCRAM-SHA-256", offered), OWNER)


@pytest.mark.parametrize(
    ("mechanisms", "credentials", "secure", "allowed", "name"),
    [
        (ALL, Credentials(certificate=True), True, SAFE, "EXTERNAL"),
        (("EXTERNAL", "PLAIN"), ROMEO, True, SAFE, "PLAIN"),
        (("EXTERNAL", "PLAIN"), ROMEO, False, SAFE, None),
        (("PLAIN",), ROMEO, True, ("SCRAM-SHA-1",), None),  # once SCRAM, never again PLAIN
        (("ANONYMOUS",), Credentials(), True, SAFE, None),
        (("ANONYMOUS",), Credentials(), True, ("ANONYMOUS",), "ANONYMOUS"),
        (("DIGEST-MD5", "PLAIN"), ROMEO, True, SAFE, "PLAIN"),
        (("SCRAM-SHA-1",), Credentials("romeo"), True, SAFE, None),
        (("GSSAPI",), ROMEO, True, SAFE, None),
        ((), ROMEO, True, SAFE, None),
    ],
)
def test_the_choice(
    mechanisms: tuple[str, ...],
    credentials: Credentials,
    secure: bool,
    allowed: tuple[str, ...],
    name: str | None,
) -> None:
    told = Advertised(DOMAIN, mechanisms, secure=secure)
    if name:
        assert choose(told, credentials, "n" * 12, allowed).name == name
        return
    with pytest.raises(SaslError) as raised:
        choose(told, credentials, "n" * 12, allowed)
    assert raised.value.condition == "invalid-mechanism"


@pytest.mark.parametrize("password", ["\u00ad", "a\nb", "\ud800"])
def test_credentials_that_cannot_be_sent(password: str) -> None:
    with pytest.raises(SaslError) as raised:
        choose(advertised(offer("PLAIN")), Credentials("romeo", password), "n" * 12)
    assert raised.value.condition == "malformed-request"


@pytest.mark.parametrize("authzid", ["", "juliet@verona.lit"])
def test_a_certificate_of_several_people(authzid: str) -> None:
    offered = offer("EXTERNAL", identities=TWO if authzid else TWO[:1])
    credentials = Credentials(authzid=authzid, certificate=True)
    proven = talk(
        choose(advertised(offered), credentials, "n" * 12), server("EXTERNAL", offered), OWNER
    )
    assert proven.username == (authzid or TWO[0])


def test_a_guest_says_nothing() -> None:
    offered = offer("ANONYMOUS")
    client = choose(advertised(offered), Credentials(), "n" * 12, ["ANONYMOUS"])
    assert talk(client, server("ANONYMOUS", offered), OWNER) == Proven("")


@pytest.mark.parametrize("name", ["PLAIN", "EXTERNAL", "ANONYMOUS"])
def test_a_client_of_one_message_is_asked_nothing(name: str) -> None:
    credentials = Credentials("romeo", "wherefore", certificate=True)
    client = choose(Advertised(DOMAIN, (name,)), credentials, "n" * 12, [name])
    for step in (client.step, client.finish):
        with pytest.raises(UntrustedServer):
            step(b"more")
    client.finish(None)
