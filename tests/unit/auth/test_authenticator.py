"""Offers, exchanges, and all ways to fail, as one who wants in sees them."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyrite.core.errors import SASL_CONDITIONS, SaslError
from pyrite.core.jid import JID
from pyrite.core.sasl import HASHES, STRENGTH, Challenge, Keys
from pyrite.server.auth import Authenticator, BackendDown, Channel, Exchange, Success
from unit.auth.world import (
    BINDINGS,
    DOMAIN,
    JULIET,
    PASSWORD,
    ROMEO,
    SECURE,
    World,
    options,
    outcome,
)

# Nothing here depends on the loop; what does is in test_limits.py.
pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

BARE = Channel(False, address="192.0.2.1")
TLS_ONLY = replace(SECURE, bindings={})
ROMEOS_CERTIFICATE = replace(SECURE, certificate_identities=("romeo@verona.lit", "x@mantua.lit"))
SCRAM = ("SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1")
PLUS = tuple(f"{name}-PLUS" for name in SCRAM)


@pytest.fixture
async def verona(world: World) -> World:
    await world.accounts.create(ROMEO, PASSWORD)
    await world.accounts.create(JULIET, "a rose by any name")
    return world


CONDITIONS = SASL_CONDITIONS | {"challenge"}


async def answer(exchange: Exchange, data: bytes) -> str:
    try:
        await exchange.respond(data)
    except SaslError as error:
        return error.condition
    return "challenge"


# --- what is offered ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "offered"),
    [
        (SECURE, (*PLUS, *SCRAM, "PLAIN")),
        (TLS_ONLY, (*SCRAM, "PLAIN")),
        (BARE, SCRAM),
        (replace(BARE, bindings=BINDINGS), SCRAM),
        (ROMEOS_CERTIFICATE, (*PLUS, *SCRAM, "PLAIN")),  # EXTERNAL is not configured
    ],
)
async def test_the_default_offer(world: World, channel: Channel, offered: tuple[str, ...]) -> None:
    assert world.authenticator.mechanisms(channel) == offered
    types = ("tls-exporter", "tls-server-end-point") if PLUS[0] in offered else ()
    assert world.authenticator.binding_types(channel) == types


@pytest.mark.parametrize(
    ("channel", "offered"),
    [
        (SECURE, ("DIGEST-MD5", "PLAIN", "ANONYMOUS")),
        (BARE, ("DIGEST-MD5", "ANONYMOUS")),
        (ROMEOS_CERTIFICATE, ("EXTERNAL", "DIGEST-MD5", "PLAIN", "ANONYMOUS")),
        (replace(ROMEOS_CERTIFICATE, secure=False), ("DIGEST-MD5", "ANONYMOUS")),
        (replace(SECURE, certificate_identities=("x@mantua.lit", "verona.lit", "@")),
         ("DIGEST-MD5", "PLAIN", "ANONYMOUS")),
    ],
)  # fmt: skip
async def test_an_offer_of_others(world: World, channel: Channel, offered: tuple[str, ...]) -> None:
    world.configure(options(mechanisms=("PLAIN", "EXTERNAL", "ANONYMOUS", "DIGEST-MD5")))
    assert world.authenticator.mechanisms(channel) == offered
    assert world.authenticator.binding_types(channel) == ()  # none without a -PLUS


async def test_plain_without_tls_has_to_be_allowed(world: World) -> None:
    world.configure(options(plain_without_tls=True))
    assert "PLAIN" in world.authenticator.mechanisms(BARE)


# --- getting in --------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", [*PLUS, *SCRAM, "PLAIN"])
@pytest.mark.parametrize("authzid", ["", "Romeo@verona.lit"])
async def test_a_password_gets_in(verona: World, mechanism: str, authzid: str) -> None:
    channel = TLS_ONLY if mechanism in SCRAM else SECURE
    done = await verona.login("ROMEO", PASSWORD, mechanism, channel, authzid)
    assert (done.jid, done.mechanism) == (ROMEO, mechanism)
    assert (done.data or b"v=").startswith(b"v=")


@pytest.mark.parametrize("initial", [None, b"", b"romeo@verona.lit"])
async def test_a_certificate_gets_in(verona: World, initial: bytes | None) -> None:
    verona.configure(options(mechanisms=("EXTERNAL",)))
    exchange = verona.authenticator.exchange(ROMEOS_CERTIFICATE)
    assert await exchange.start("EXTERNAL", initial) == Success(ROMEO, None, "EXTERNAL")


@pytest.mark.parametrize(
    ("identities", "authzid", "condition"),
    [
        (("romeo@verona.lit", "juliet@verona.lit"), b"", "invalid-authzid"),
        (("romeo@verona.lit",), b"juliet@verona.lit", "invalid-authzid"),
        (("romeo@verona.lit", "x@mantua.lit"), b"x@mantua.lit", "invalid-authzid"),
        (("romeo@verona.lit",), b"romeo@verona.lit/orchard", "invalid-authzid"),
        (("nobody@verona.lit",), b"", "not-authorized"),
        (("x@mantua.lit",), b"", "invalid-mechanism"),
    ],
)
async def test_a_certificate_that_is_not_enough(
    verona: World, identities: tuple[str, ...], authzid: bytes, condition: str
) -> None:
    verona.configure(options(mechanisms=("EXTERNAL", "PLAIN")))
    exchange = verona.authenticator.exchange(replace(SECURE, certificate_identities=identities))
    assert await outcome(exchange, "EXTERNAL", authzid) == condition


async def test_guests_get_a_name_of_their_own(verona: World) -> None:
    verona.configure(options(mechanisms=("ANONYMOUS",)))
    first, second = [
        await verona.authenticator.exchange(BARE).start("ANONYMOUS", None) for _ in range(2)
    ]
    assert isinstance(first, Success)
    assert isinstance(second, Success)
    assert first.jid != second.jid
    assert first.jid == JID.parse(str(first.jid))
    assert (first.jid.domain, len(first.jid.local or "")) == (DOMAIN, 36)


async def test_digest_md5_needs_accounts_made_for_it(verona: World) -> None:
    verona.configure(options(mechanisms=("DIGEST-MD5",)))
    assert (await verona.failure("romeo", PASSWORD, "DIGEST-MD5")).condition == "not-authorized"
    await verona.accounts.set_password(ROMEO, PASSWORD)
    assert (await verona.login("romeo", PASSWORD, "DIGEST-MD5")).jid == ROMEO
    assert (await verona.failure("romeo", "x", "DIGEST-MD5")).condition == "not-authorized"


# --- every way to fail (RFC 6120 §6.5) ---------------------------------------------------


@pytest.mark.parametrize(
    ("mechanism", "channel", "condition"),
    [
        ("PLAIN", BARE, "encryption-required"),
        ("SCRAM-SHA-1-PLUS", BARE, "encryption-required"),
        ("SCRAM-SHA-1-PLUS", TLS_ONLY, "invalid-mechanism"),
        ("EXTERNAL", SECURE, "invalid-mechanism"),
        ("ANONYMOUS", SECURE, "invalid-mechanism"),
        ("DIGEST-MD5", SECURE, "invalid-mechanism"),
        ("GSSAPI", SECURE, "invalid-mechanism"),
        ("scram-sha-1", SECURE, "invalid-mechanism"),
        ("", SECURE, "invalid-mechanism"),
        ("PLAIN", SECURE, "malformed-request"),
        ("SCRAM-SHA-1", SECURE, "malformed-request"),
    ],
)
async def test_a_wrong_start(
    verona: World, mechanism: str, channel: Channel, condition: str
) -> None:
    assert await outcome(verona.authenticator.exchange(channel), mechanism, b"x") == condition


@pytest.mark.parametrize("mechanism", ["PLAIN", "DIGEST-MD5", "SCRAM-SHA-1"])
async def test_what_is_weaker_than_all_that_is_offered(verona: World, mechanism: str) -> None:
    verona.configure(options(mechanisms=("SCRAM-SHA-256", "ANONYMOUS")))
    exchange = verona.authenticator.exchange(SECURE)
    assert await outcome(exchange, mechanism, b"x") == "mechanism-too-weak"


@pytest.mark.parametrize(
    ("message", "result"),
    [
        (b"\0romeo\0wherefore art thou", "romeo@verona.lit"),
        (b"romeo@verona.lit\0romeo\0wherefore art thou", "romeo@verona.lit"),
        (b"\0ROMEO\0wherefore art thou", "romeo@verona.lit"),
        (b"\0\xef\xbd\x92omeo\0wherefore art thou", "romeo@verona.lit"),  # full-width r
        (b"juliet@verona.lit\0romeo\0wherefore art thou", "invalid-authzid"),
        (b"romeo@verona.lit/orchard\0romeo\0wherefore art thou", "invalid-authzid"),
        (b"romeo@mantua.lit\0romeo\0wherefore art thou", "invalid-authzid"),
        (b"verona.lit\0romeo\0wherefore art thou", "invalid-authzid"),
        (b"romeo\0romeo\0wherefore art thou", "invalid-authzid"),
        (b"@\0romeo\0wherefore art thou", "invalid-authzid"),
        (b"juliet@verona.lit\0romeo\0wrong", "invalid-authzid"),
        (b"\0romeo\0Wherefore art thou", "not-authorized"),
        (b"\0nobody\0wherefore art thou", "not-authorized"),
        (b"\0romeo@verona.lit\0wherefore art thou", "not-authorized"),
        (b"\0romeo/orchard\0wherefore art thou", "not-authorized"),
        (b"\0ro\0meo\0wherefore art thou", "malformed-request"),
        (b"\0romeo\0wherefore art thou\0", "malformed-request"),
        (b"romeo\0wherefore art thou", "malformed-request"),
        (b"\0romeo\0\xff", "malformed-request"),
    ],
)
async def test_plain(verona: World, message: bytes, result: str) -> None:
    assert await verona.plain(message) == result


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "PLAIN"])
@pytest.mark.parametrize(
    "authzid", ["juliet@verona.lit", "romeo@verona.lit/orchard", "romeo@mantua.lit", "@"]
)
async def test_nobody_acts_as_somebody_else(verona: World, mechanism: str, authzid: str) -> None:
    failure = await verona.failure("romeo", PASSWORD, mechanism, authzid=authzid)
    assert failure.condition == "invalid-authzid"


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "PLAIN"])
async def test_disabled_is_said_only_to_the_owner(verona: World, mechanism: str) -> None:
    await verona.accounts.disable(ROMEO)
    right = await verona.failure("romeo", PASSWORD, mechanism)
    assert right.condition == "account-disabled"
    wrong = await verona.failure("romeo", "wrong", mechanism)
    assert (wrong.condition, wrong.text) == ("not-authorized", "")
    await verona.accounts.enable(ROMEO)
    assert (await verona.login("romeo", PASSWORD, mechanism)).jid == ROMEO


async def test_an_account_that_goes_during_the_exchange(verona: World) -> None:
    original = verona.accounts.backend.keys

    async def keys(account: JID, mechanism: str) -> Keys:
        found = await original(account, mechanism)
        await verona.accounts.delete(account)
        return found

    verona.accounts.backend.keys = keys  # type: ignore[method-assign]
    assert (await verona.failure("romeo", PASSWORD)).condition == "not-authorized"


class Elsewhere:
    """A backend that checks passwords only, and is not well."""

    mechanisms = frozenset({"PLAIN"})

    async def keys(self, account: JID, mechanism: str) -> Keys:
        raise AssertionError("nobody may ask")

    async def check(self, account: JID, password: str) -> bool:
        if password == "down":
            raise BackendDown("no answer")
        return password == PASSWORD

    async def admit(self, account: JID) -> None:
        if account == JULIET:
            raise SaslError("credentials-expired")


async def test_a_password_checked_elsewhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.authenticator = Authenticator(
        DOMAIN, world.accounts, options(), world.clock, backend=Elsewhere()
    )
    assert world.authenticator.mechanisms(SECURE) == ("PLAIN",)
    assert world.authenticator.mechanisms(BARE) == ()
    assert (await world.login("romeo", PASSWORD, "PLAIN")).jid == ROMEO
    assert await world.plain(b"\0romeo\0wrong") == "not-authorized"
    assert await world.plain(b"\0juliet\0wherefore art thou") == "credentials-expired"
    assert await world.plain(b"\0romeo\0down") == "temporary-auth-failure"
    assert "no answer" in caplog.text
    caplog.clear()


async def test_a_store_that_does_not_answer(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.stores.close()
    assert (await world.failure("romeo", PASSWORD)).condition == "temporary-auth-failure"
    assert await world.plain(b"\0romeo\0x") == "temporary-auth-failure"
    caplog.clear()


async def test_an_exchange_is_used_once(verona: World) -> None:
    exchange = verona.authenticator.exchange(SECURE)
    with pytest.raises(SaslError, match="no exchange"):
        await exchange.respond(b"")
    assert await outcome(exchange, "PLAIN", b"\0romeo\0wrong") == "not-authorized"
    assert await outcome(exchange, "PLAIN", b"\0romeo\0wherefore art thou") == "malformed-request"
    with pytest.raises(SaslError):
        await exchange.respond(b"\0romeo\0wherefore art thou")


async def test_nothing_follows_an_abort(verona: World) -> None:
    exchange = verona.authenticator.exchange(SECURE)
    assert await exchange.start("PLAIN", None) == Challenge(b"")
    exchange.abort()
    with pytest.raises(SaslError) as raised:
        await exchange.respond(b"\0romeo\0wherefore art thou")
    assert raised.value.condition == "malformed-request"


async def test_a_success_is_final(verona: World) -> None:
    exchange = verona.authenticator.exchange(SECURE)
    assert await outcome(exchange, "PLAIN", b"\0romeo\0wherefore art thou") == "romeo@verona.lit"
    with pytest.raises(SaslError):
        await exchange.respond(b"\0juliet\0a rose by any name")


# --- downgrades --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mechanism", "begin"),
    [
        ("SCRAM-SHA-256", "y,,"),
        ("SCRAM-SHA-256-PLUS", "p=tls-unique,,"),
        ("SCRAM-SHA-256-PLUS", "p=tls-exporte,,"),
        ("SCRAM-SHA-256", "p=tls-exporter,,"),
        ("SCRAM-SHA-256-PLUS", "n,,"),
    ],
)
async def test_binding_is_not_negotiated_down(verona: World, mechanism: str, begin: str) -> None:
    message = f"{begin}n=romeo,r=abcdefghijkl".encode()
    result = await outcome(verona.authenticator.exchange(SECURE), mechanism, message)
    assert result in ("not-authorized", "malformed-request")


async def test_who_cannot_bind_may_come_without(verona: World) -> None:
    message = b"n,,n=romeo,r=abcdefghijkl"
    exchange = verona.authenticator.exchange(SECURE)
    assert await outcome(exchange, "SCRAM-SHA-256", message) == "challenge"


# --- nobody learns who exists ------------------------------------------------------------


class Work:
    """Counts what password hashing really does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[str, int]] = []
        self._hash = hashlib.pbkdf2_hmac
        monkeypatch.setattr(hashlib, "pbkdf2_hmac", self)

    def __call__(self, name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        self.done.append((name, iterations))
        return self._hash(name, password, salt, iterations)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1"])
async def test_a_stranger_costs_what_an_account_costs(
    verona: World, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verona.accounts.disable(JULIET)
    work = Work(monkeypatch)
    seen = []
    for username in ("romeo", "juliet", "nobody"):
        work.done.clear()
        failure = await verona.failure(username, "wrong", mechanism, TLS_ONLY)
        seen.append((failure.condition, failure.text, tuple(work.done)))
    assert seen[0] == seen[1] == seen[2]
    if mechanism == "PLAIN":
        assert seen[0][2] == (("sha256", 4096),)


async def test_a_stranger_is_challenged_as_an_account_is(verona: World) -> None:
    seen = []
    for username in ("romeo", "nobody"):
        answers = []
        for _ in range(2):
            exchange = verona.authenticator.exchange(TLS_ONLY)
            first = f"n,,n={username},r=abcdefghijkl".encode()
            step = await exchange.start("SCRAM-SHA-512", first)
            assert isinstance(step, Challenge)
            answers.append(dict(p.split("=", 1) for p in step.data.decode().split(",")))
        assert answers[0]["s"] == answers[1]["s"]  # a changing salt would tell
        assert answers[0]["r"] != answers[1]["r"]
        seen.append((len(answers[0]["s"]), answers[0]["i"], answers[0]["h"], len(answers[0]["r"])))
    assert seen[0] == seen[1]


async def test_an_account_without_such_keys_looks_like_a_stranger(verona: World) -> None:
    found = await verona.stores.accounts.find(ROMEO)
    assert found is not None
    only = [keys for keys in found.keys if keys.mechanism == "SCRAM-SHA-1"]
    await verona.stores.accounts.set_keys(ROMEO, only)
    failure = await verona.failure("romeo", PASSWORD, "SCRAM-SHA-256", TLS_ONLY)
    assert (failure.condition, failure.text) == ("not-authorized", "")
    assert (await verona.login("romeo", PASSWORD, "SCRAM-SHA-1", TLS_ONLY)).jid == ROMEO
    assert (await verona.login("romeo", PASSWORD, "PLAIN", TLS_ONLY)).jid == ROMEO
    await verona.stores.accounts.set_keys(ROMEO, [])
    assert await verona.plain(b"\0romeo\0wherefore art thou") == "not-authorized"


@pytest.mark.parametrize("confirms", [True, False])
async def test_the_offer_is_confirmed_inside_scram(verona: World, confirms: bool) -> None:
    verona.authenticator.settings = options(confirm_offer=confirms)
    exchange = verona.authenticator.exchange(SECURE)
    step = await exchange.start("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefghijkl")
    assert isinstance(step, Challenge)
    assert (b",h=" in step.data) is confirms


async def test_settings_hold_for_the_next_exchange(verona: World) -> None:
    verona.authenticator.settings = options(mechanisms=("SCRAM-SHA-1",))
    assert verona.authenticator.mechanisms(SECURE) == ("SCRAM-SHA-1",)
    assert (await verona.login("romeo", PASSWORD, "SCRAM-SHA-1", TLS_ONLY)).jid == ROMEO


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    mechanism=st.sampled_from([*STRENGTH, "X"]),
    messages=st.lists(
        st.binary(max_size=40) | st.sampled_from([b"", b"n,,n=romeo,r=abcdefghijkl", b"\0a\0b"]),
        min_size=1,
        max_size=4,
    ),
)
async def test_whatever_is_said_fails_in_order(
    world: World, mechanism: str, messages: list[bytes]
) -> None:
    world.configure(options(mechanisms=(*HASHES, "PLAIN", "DIGEST-MD5", "EXTERNAL")))
    exchange = world.authenticator.exchange(ROMEOS_CERTIFICATE)
    answered = await outcome(exchange, mechanism, messages[0])
    for message in [*messages[1:], None]:
        if answered != "challenge":
            break
        if message is None:
            exchange.abort()
        answered = await answer(exchange, message or b"")
    assert answered in CONDITIONS
