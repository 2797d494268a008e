"""Attack 14: tokens that are replayed, stolen, taken elsewhere, or used after their end."""

from __future__ import annotations

import hmac
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest
from tests.entering import (
    BIND,
    ENDP,
    EXPR,
    IS_TOKEN,
    NONE,
    NS,
    PHONE,
    TABLET,
    authenticate,
    come,
    enter,
    failure,
    header,
    plain,
    refused,
    respond,
    want,
)
from tests.peer import PASSWORD
from tests.service import BENVOLIO, JULIET, MANTUA, ROMEO, VERONA, Service, serving

from pyrite.core.sasl import Advertised, Credentials, HtClient, choose, derive
from pyrite.wire import sasl2

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ALL = (EXPR, ENDP, NONE)
UPGRADE = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>"


async def given(service: Service, mechanism: str = EXPR, name: str = "romeo") -> str:
    """A token of `name`'s phone."""
    return (await enter(await service.secured(), want(mechanism), name=name)).token


def counted(count: int) -> str:
    return f"<fast xmlns='urn:xmpp:fast:0' count='{count}'/>"


# --- replayed ----------------------------------------------------------------------------


async def test_what_was_heard_on_one_channel_is_worth_nothing_on_another(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as service:
        token = await given(service, EXPR)
        heard, thief = await service.secured(), await service.secured()
        proof = HtClient(EXPR, "romeo", token, heard.own_bindings).start()
        request = authenticate(EXPR, proof, IS_TOKEN, BIND)
        assert failure(await thief.ask(request)) == "not-authorized"
        assert (await heard.ask(request)).name == (NS, "success")


@pytest.mark.parametrize("mechanism", ALL)
async def test_a_count_that_was_there_before(mechanism: str, tmp_path: Path) -> None:
    """The very octets of a log-in, said once more; then with the count left out, or lowered."""
    async with serving(tmp_path) as service:
        token = await given(service, mechanism)
        await come(await service.secured(), token, mechanism=mechanism, fast=counted(5))
        for fast in (counted(5), counted(4), counted(0), IS_TOKEN):
            client = await service.secured()
            told = await refused(client, token, BIND, mechanism=mechanism, fast=fast)
            assert told == "not-authorized"
        assert len(service.server.sessions) == 0
        await come(await service.secured(), token, mechanism=mechanism, fast=counted(6))


async def test_a_second_proof_on_the_same_stream(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        token = await given(service)
        client = await service.secured()
        await come(client, token, BIND)
        proof = HtClient(EXPR, "romeo", token, client.own_bindings).start()
        await client.send(authenticate(EXPR, proof, IS_TOKEN))
        await client.ends_with("unsupported-stanza-type")


# --- taken elsewhere ---------------------------------------------------------------------


async def test_another_account_client_or_host(tmp_path: Path) -> None:
    """And nobody learns which of these it was."""
    async with serving(tmp_path) as service:
        token = await given(service)
        await given(service, name="juliet")
        told = {
            await refused(await service.secured(), token, name="juliet"),
            await refused(await service.secured(), token, name="nobody"),
            await refused(await service.secured(), token, id=TABLET),
            await refused(await service.secured(), token[::-1]),
            await refused(await service.secured(MANTUA), token, name="benvolio"),
            await refused(await service.secured(MANTUA), token),
        }
        assert told == {"not-authorized"}
        assert await service.server.stores.clients.list(BENVOLIO) == []


@pytest.mark.parametrize("bound", [EXPR, ENDP])
async def test_the_binding_taken_away(bound: str, tmp_path: Path) -> None:
    """Downgrade: a token for a channel is none without it (XEP-0484 §3.4)."""
    async with serving(tmp_path) as service:
        token = await given(service, bound)
        for mechanism in {*ALL} - {bound}:
            client = await service.secured()
            assert await refused(client, token, mechanism=mechanism) == "not-authorized"
        await come(await service.secured(), token, mechanism=bound)


async def test_no_token_opens_what_takes_passwords(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        token = await given(service)
        client = await service.secured()
        assert failure(await client.ask(authenticate("PLAIN", plain("romeo", token)))) == (
            "not-authorized"
        )
        proof = HtClient(EXPR, "romeo", token, client.own_bindings).start()
        assert (await client.auth(EXPR, proof)).name.tag == "failure"  # RFC 6120 has no tokens
        assert failure(await client.ask(authenticate(EXPR, proof))) == "invalid-mechanism"


async def test_no_password_is_a_token(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await given(service)
        for guess in (PASSWORD, "", "romeo", PHONE):
            client = await service.secured()
            assert await refused(client, guess) == "not-authorized"


# --- after its end -----------------------------------------------------------------------


async def test_the_one_before_the_one_in_use(tmp_path: Path) -> None:
    """A copy of an old token is found out by the first use of the new one."""
    async with serving(tmp_path) as service:
        old = await given(service)
        new = (await come(await service.secured(), old, want())).token
        await come(await service.secured(), old)  # the answer may not have reached its client
        await come(await service.secured(), new)
        assert await refused(await service.secured(), old) == "not-authorized"


async def test_a_thief_who_is_quicker_is_found_out_too(tmp_path: Path) -> None:
    """Whose rightful client stands before a shut door then, and asks for the password."""
    async with serving(tmp_path) as service:
        token = await given(service)
        stolen = (await come(await service.secured(), token, want())).token
        await come(await service.secured(), stolen)
        rightful = await service.secured()
        assert await refused(rightful, token) == "not-authorized"
        await enter(rightful, want())
        again = (await come(await service.secured(), stolen, want())).token
        assert again


async def test_what_ends_a_token_ends_it_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        accounts = service.server.accounts
        token = await given(service)
        await accounts.change_password(ROMEO, PASSWORD)  # the same, and yet a change
        assert await refused(await service.secured(), token) == "not-authorized"
        token = await given(service)
        await accounts.disable(ROMEO)
        await accounts.enable(ROMEO)
        assert await refused(await service.secured(), token) == "not-authorized"
        token = await given(service)
        await accounts.delete(ROMEO)
        await accounts.create(ROMEO, PASSWORD)
        assert await refused(await service.secured(), token) == "not-authorized"


async def test_a_log_in_held_open_over_a_change(tmp_path: Path) -> None:
    """Whoever knows the old password begins before it is changed, and ends after."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        told = Advertised(VERONA, client.mechanisms, client.bindings, client.own_bindings)
        ours = choose(told, Credentials("romeo", PASSWORD), "abcdefghijk", ["SCRAM-SHA-256"])
        answer = await client.ask(authenticate("SCRAM-SHA-256", ours.start(), want(), BIND))
        proof = ours.step(sasl2.unpack(answer.text))
        await service.server.accounts.set_password(ROMEO, "new and unknown")
        assert failure(await client.ask(respond(proof))) == "not-authorized"
        assert await service.server.stores.clients.list(ROMEO) == []
        assert len(service.server.sessions) == 0


async def test_a_task_held_open_over_a_change(tmp_path: Path) -> None:
    """XEP-0480: or the old password would come back by another hash."""
    async with serving(tmp_path) as service:
        accounts = service.server.accounts
        keys = derive("SCRAM-SHA-1", PASSWORD, b"salt of another server", 4096)
        await service.server.stores.accounts.set_keys(ROMEO, [keys])
        client = await service.secured()
        await client.ask(authenticate("PLAIN", plain(), UPGRADE))
        await client.ask(f"<next xmlns='{NS}' task='UPGR-SCRAM-SHA-256'/>")
        with accounts.changes.changing(ROMEO):
            await service.server.stores.accounts.set_keys(ROMEO, [keys])
        salted = f"<hash xmlns='urn:xmpp:scram-upgrade:0'>{b64encode(bytes(32)).decode()}</hash>"
        answer = await client.ask(f"<task-data xmlns='{NS}'>{salted}</task-data>")
        assert failure(answer) == "not-authorized"
        assert await accounts.lacks_keys(ROMEO, "SCRAM-SHA-256")


async def test_a_token_sets_no_password(tmp_path: Path) -> None:
    """XEP-0480: who has stolen a token would bring keys of a password of its own."""
    async with serving(tmp_path) as service:
        token = await given(service)
        await service.server.stores.engine.write(
            lambda database: database.execute("DELETE FROM account_keys").rowcount
        )
        entered = await come(await service.secured(), token, UPGRADE, BIND)
        assert set(entered.results) == {"bound"}
        assert await service.server.accounts.lacks_keys(ROMEO, "SCRAM-SHA-256")


async def test_an_expired_token_says_so_only_to_who_has_it(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='token-life = "2h"\ntoken-rotation = "1h"') as service:
        token = await given(service)
        service.clock.advance(7200)
        assert await refused(await service.secured(), token[::-1]) == "not-authorized"
        assert await refused(await service.secured(), token) == "credentials-expired"


# --- stolen ------------------------------------------------------------------------------


async def test_who_has_the_database_cannot_log_in(tmp_path: Path) -> None:
    """Nothing in it is a token, a key to one, or fits another account or client."""
    async with serving(tmp_path) as service:
        tokens = [await given(service, mechanism) for mechanism in ALL]
        salts = await service.server.stores.engine.read(
            lambda database: [row[0] for row in database.execute("SELECT salt FROM client_tokens")]
        )
        octets = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("pyrite.db*"))
        assert b"client_tokens" in octets
        assert len(salts) == 1  # what was never used makes way
        assert not [token for token in tokens if token.encode() in octets]
        for salt in salts:
            made = [salt, hmac.digest(salt, b"", "sha256"), hmac.digest(b"", salt, "sha256")]
            guesses = [urlsafe_b64encode(each).rstrip(b"=").decode() for each in made]
            for guess in [*guesses, salt.hex()]:
                client = await service.secured()
                assert await refused(client, guess, mechanism=NONE) == "not-authorized"
                service.clock.advance(600)


async def test_who_writes_to_the_database_cannot_move_a_token(tmp_path: Path) -> None:
    """A row that is copied to another account or client makes another token there."""
    async with serving(tmp_path) as service:
        token = await given(service)
        for change in (
            "UPDATE client_tokens SET owner = 'juliet@verona.lit'",
            f"UPDATE client_tokens SET owner = 'romeo@verona.lit', client = '{TABLET}'",
            f"UPDATE client_tokens SET client = '{PHONE}', mechanism = '{NONE}'",
        ):
            await service.server.stores.engine.write(
                lambda database, change=change: database.execute(change).rowcount  # type: ignore[misc]
            )
            for name, id, mechanism in (
                ("juliet", PHONE, EXPR),
                ("romeo", TABLET, EXPR),
                ("romeo", PHONE, NONE),
            ):
                client = await service.secured()
                told = await refused(client, token, name=name, id=id, mechanism=mechanism)
                assert told == "not-authorized"
                service.clock.advance(600)


# --- guessed -----------------------------------------------------------------------------


async def test_guesses_are_counted_with_those_of_passwords(tmp_path: Path) -> None:
    async with serving(tmp_path, auth="free-attempts = 2\nattempts = 3") as service:
        token = await given(service, name="juliet")
        for guess in (token[::-1], "x"):
            assert await refused(await service.secured(), guess, name="juliet") == "not-authorized"
        told = await refused(await service.secured(), token, name="juliet")
        assert told == "temporary-auth-failure"
        client = await service.secured()
        answer = await client.ask(authenticate("PLAIN", plain("juliet")))
        assert failure(answer) == "temporary-auth-failure"


async def test_tokens_are_random(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        tokens = {await given(service) for _ in range(5)}
        assert len(tokens) == 5
        assert {len(token) for token in tokens} == {43}  # 256 bits
        starts = {token[:4] for token in tokens}
        assert len(starts) == 5


# --- asked for too early, or too much ----------------------------------------------------


async def test_never_without_tls(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        token = await given(service, NONE)
        client = await service.connect()
        await client.open(VERONA)
        proof = HtClient(NONE, "romeo", token, {}).start()
        await client.send(authenticate(NONE, proof, IS_TOKEN))
        await client.ends_with("not-authorized")


async def test_before_the_stream(tmp_path: Path) -> None:
    """What comes in the clear before the handshake is dropped, and no log-in comes of it."""
    async with serving(tmp_path) as service:
        token = await given(service, NONE)
        client = await service.connect()
        await client.open(VERONA)
        proof = HtClient(NONE, "romeo", token, {}).start()
        start = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        await client.write(start + authenticate(NONE, proof, IS_TOKEN, BIND))
        await client.element()
        await client.shake_hands()
        await client.open(VERONA)
        assert len(service.server.sessions) == 0
        await come(client, token, mechanism=NONE)


async def test_in_somebody_elses_name(tmp_path: Path) -> None:
    """A stream that says it is Juliet's, and a token of Romeo's."""
    async with serving(tmp_path) as service:
        token = await given(service, NONE)
        client = await service.connect_direct()
        await client.opening(header(str(JULIET)))
        assert await refused(client, token, mechanism=NONE) == "invalid-authzid"


@pytest.mark.parametrize(
    "inside",
    [
        "<x xmlns='x'/>" * 400,
        "<bind xmlns='urn:xmpp:bind:0'>" + "<enable xmlns='urn:xmpp:carbons:2'/>" * 100 + "</bind>",
        f"<bind xmlns='urn:xmpp:bind:0'><tag>{'x' * 5000}</tag></bind>",
        f"<user-agent xmlns='{NS}' id='{PHONE}'><device>{'x' * 5000}</device></user-agent>",
        f"<request-token xmlns='urn:xmpp:fast:0' mechanism='{'x' * 5000}'/>",
    ],
)
async def test_much_at_once(inside: str, tmp_path: Path) -> None:
    """It is refused, or cut to what is kept; and the server is there for others."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.send(authenticate("PLAIN", plain(), inside, id=None))
        answer = await client.element()
        if answer.name == (NS, "success"):
            (stored,) = await service.server.stores.clients.list(ROMEO) or [None]
            assert stored is None or len(stored.device or "") <= 128
        else:
            assert answer.name.tag in ("failure", "error")
        await enter(await service.secured(), BIND, name="juliet")


async def test_many_clients_of_one_account(tmp_path: Path) -> None:
    """An account's list is bounded. Who comes as another each time puts out no client that has
    used its token."""
    async with serving(tmp_path) as service:
        token = await given(service)
        other = (await enter(await service.secured(), want(), id=TABLET)).token
        await come(await service.secured(), token)
        client = await service.secured()
        for number in range(50):
            service.clock.advance(1)
            await enter(client, want(), id=f"00000000-0000-4000-8000-{number:012}")
            client = await service.secured()
        assert len(await service.server.stores.clients.list(ROMEO)) == 50
        assert await refused(await service.secured(), other, id=TABLET) == "not-authorized"
        await come(await service.secured(), token)
