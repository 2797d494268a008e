"""Authentication on a stream: every way to fail, and what may follow (RFC 6120 §6)."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from tests.service import NS_SASL, ROMEO, VERONA, Client, condition, serving

from pyrite.core.xml import Closed
from pyrite.server.auth.backend import BackendDown

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ALL = 'mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]'

#: Mechanism, initial response (octets to be encoded, or text as it is) -> condition.
AT_ONCE: list[tuple[str, bytes | str | None, str]] = [
    # incorrect-encoding: strict base64 (§13.9.1)
    ("PLAIN", "%%%", "incorrect-encoding"),
    ("PLAIN", "AGEAYg", "incorrect-encoding"),
    ("PLAIN", " AGEAYg==", "incorrect-encoding"),
    ("PLAIN", "AGEA\nYg==", "incorrect-encoding"),
    ("PLAIN", "AGEAYh==", "incorrect-encoding"),
    ("PLAIN", "AGEAYg===", "incorrect-encoding"),
    ("PLAIN", "\u00e4", "incorrect-encoding"),
    ("SCRAM-SHA-256", "==", "incorrect-encoding"),
    # invalid-mechanism: none, not known, not offered
    ("", b"x", "invalid-mechanism"),
    ("plain", b"\0romeo\0x", "invalid-mechanism"),
    ("X-MAGIC", b"x", "invalid-mechanism"),
    ("DIGEST-MD5", None, "invalid-mechanism"),
    ("CRAM-MD5", None, "invalid-mechanism"),
    ("ANONYMOUS", None, "invalid-mechanism"),
    ("EXTERNAL", "=", "invalid-mechanism"),
    ("SCRAM-SHA-512", b"n,,n=romeo,r=abcdefgh", "invalid-mechanism"),
    ("A" * 5000, b"x", "invalid-mechanism"),
    # malformed-request: the mechanism's own syntax
    ("PLAIN", "=", "malformed-request"),
    ("PLAIN", b"romeo", "malformed-request"),
    ("PLAIN", b"\0romeo", "malformed-request"),
    ("PLAIN", b"\0romeo\0a\0b", "malformed-request"),
    ("PLAIN", b"\0romeo\0\xff", "malformed-request"),
    ("PLAIN", b"\0\0x", "malformed-request"),
    ("PLAIN", b"\0romeo\0", "malformed-request"),
    ("SCRAM-SHA-256", b"hello", "malformed-request"),
    ("SCRAM-SHA-256", b"n,,n=romeo", "malformed-request"),
    ("SCRAM-SHA-256", b"n,,m=ext,n=romeo,r=abcdefgh", "malformed-request"),
    ("SCRAM-SHA-256", b"n,,n=ro=meo,r=abcdefgh", "malformed-request"),
    ("SCRAM-SHA-256", b"x,,n=romeo,r=abcdefgh", "malformed-request"),
    ("SCRAM-SHA-256", b"p=tls-exporter,,n=romeo,r=abcdefgh", "malformed-request"),
    ("SCRAM-SHA-256-PLUS", b"n,,n=romeo,r=abcdefgh", "malformed-request"),
    # invalid-authzid
    ("PLAIN", b"juliet@verona.lit\0romeo\0a rose by any other name", "invalid-authzid"),
    ("PLAIN", b"@\0romeo\0a rose by any other name", "invalid-authzid"),
    ("SCRAM-SHA-256", b"n,a=juliet@verona.lit,n=romeo,r=abcdefgh", "invalid-authzid"),
    # not-authorized
    ("PLAIN", b"\0romeo\0wrong", "not-authorized"),
    ("PLAIN", b"\0nobody\0wrong", "not-authorized"),
    ("PLAIN", b"\0ro meo\0wrong", "not-authorized"),
    ("PLAIN", b"\0benvolio\0a rose by any other name", "not-authorized"),
    # channel binding: what we do not offer, and pretending that we offer none (rule 24)
    ("SCRAM-SHA-256-PLUS", b"p=tls-unique,,n=romeo,r=abcdefgh", "not-authorized"),
    ("SCRAM-SHA-256", b"y,,n=romeo,r=abcdefgh", "not-authorized"),
]


@pytest.mark.parametrize(("mechanism", "initial", "expected"), AT_ONCE)
async def test_failures_at_once(
    mechanism: str, initial: bytes | str | None, expected: str, tmp_path: Path
) -> None:
    """Rules 20, 22, 24 and 25; the stream goes on, and the next attempt may succeed."""
    async with serving(tmp_path, auth=ALL) as service:
        client = await service.secured()
        assert condition(await client.auth(mechanism, initial)) == expected
        assert (await client.plain("romeo")).name.tag == "success"


async def test_no_mechanism_at_all(tmp_path: Path) -> None:
    """§6.5.7: none was named."""
    async with serving(tmp_path, auth=ALL) as service:
        client = await service.secured()
        answer = await client.ask(f"<auth xmlns='{NS_SASL}'>AGEAYg==</auth>")
        assert condition(answer) == "invalid-mechanism"


async def test_a_mechanism_that_is_too_weak(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='mechanisms = ["SCRAM-SHA-256"]') as service:
        client = await service.secured()
        assert condition(await client.plain("romeo")) == "mechanism-too-weak"


async def test_wrong_and_unknown_cannot_be_told_apart(tmp_path: Path) -> None:
    """Rule 21: nor from an account that is disabled, without its password."""
    async with serving(tmp_path, limits="attempts = 10") as service:
        await service.server.accounts.disable(ROMEO)
        client = await service.secured()
        answers = [await client.plain(name, "wrong") for name in ("juliet", "nobody", "romeo")]
        assert answers[0] == answers[1] == answers[2]
        shapes = [await challenged(client, name) for name in ("juliet", "nobody", "romeo")]
        assert shapes[0] == shapes[1] == shapes[2]
        assert await challenged(client, "nobody", salt=True) == await challenged(
            client, "nobody", salt=True
        )


async def challenged(client: Client, name: str, *, salt: bool = False) -> object:
    """What a SCRAM challenge looks like, and how a wrong proof fails."""
    answer = await client.auth("SCRAM-SHA-256", f"n,,n={name},r=abcdefgh".encode())
    parts = dict(p.split("=", 1) for p in b64decode(answer.text).decode().split(","))
    if salt:
        await client.ask(f"<abort xmlns='{NS_SASL}'/>")
        return parts["s"]
    final = f"c=biws,r={parts['r']},p={b64encode(bytes(32)).decode()}"
    failure = await client.respond(final.encode())
    return parts.keys(), len(parts["s"]), parts["i"], failure


async def test_a_disabled_account_is_told_after_the_proof(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.server.accounts.disable(ROMEO)
        client = await service.secured()
        assert condition(await client.plain("romeo")) == "account-disabled"
        assert condition(await client.scram("romeo")) == "account-disabled"


async def test_storage_that_is_down(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as service:
        backend = service.server.hosts[VERONA].authenticator.backend

        async def down(*_: object) -> bool:
            raise BackendDown("no database")

        backend.check = down  # type: ignore[method-assign]
        client = await service.secured()
        assert condition(await client.plain("romeo")) == "temporary-auth-failure"
        assert (await client.scram("romeo")).name.tag == "success"
    caplog.clear()  # an operator must know


async def test_abort(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        answer = await client.ask(f"<abort xmlns='{NS_SASL}'/>")
        assert condition(answer) == "aborted"
        assert (await client.scram("romeo")).name.tag == "success"


@pytest.mark.parametrize("initial", [None, "="])
async def test_an_initial_response_may_be_missing_or_empty(
    initial: str | None, tmp_path: Path
) -> None:
    """Rule 22: without one the mechanism begins with an empty challenge; ``=`` is an empty one."""
    async with serving(tmp_path, auth='mechanisms = ["PLAIN", "ANONYMOUS"]') as service:
        client = await service.secured()
        answer = await client.auth("ANONYMOUS", initial)
        if initial is None and answer.name.tag == "challenge":
            assert answer.text in ("", "=")
            answer = await client.respond("")
        assert answer.name.tag == "success"
        client = await service.secured()
        answer = await client.auth("PLAIN")
        assert answer.name.tag == "challenge"
        answer = await client.respond(b"\0romeo\0a rose by any other name")
        assert answer.name.tag == "success"


@pytest.mark.parametrize("attempts", [2, 3, 5])
async def test_so_many_attempts_and_no_more(attempts: int, tmp_path: Path) -> None:
    """Rule 23 (§6.4.5)."""
    async with serving(tmp_path, limits=f"attempts = {attempts}") as service:
        client = await service.secured()
        for _ in range(attempts):
            assert condition(await client.plain("romeo", "wrong")) == "not-authorized"
        await client.ends_with("policy-violation")


async def test_aborting_is_an_attempt_too(tmp_path: Path) -> None:
    async with serving(tmp_path, limits="attempts = 2") as service:
        client = await service.secured()
        for _ in range(2):
            await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
            await client.ask(f"<abort xmlns='{NS_SASL}'/>")
        await client.ends_with("policy-violation")


OUT_OF_TURN = [
    f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>AGEAYg==</auth>",
    "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    f"<success xmlns='{NS_SASL}'/>",
]


@pytest.mark.parametrize("text", OUT_OF_TURN)
async def test_what_may_not_come_amid_an_exchange(text: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        answer = await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        assert answer.name.tag == "challenge"
        await client.send(text)
        await client.ends_with("not-authorized")


async def test_no_second_authentication(tmp_path: Path) -> None:
    """Rule 23: after success nothing is offered, and asking again ends the stream."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        assert (await client.scram("romeo")).name.tag == "success"
        await client.open(VERONA)
        assert client.mechanisms == ()
        await client.send(f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>AGEAYg==</auth>")
        await client.ends_with("not-authorized")


async def test_the_stream_begins_anew_after_success(tmp_path: Path) -> None:
    """§6.4.6: what is sent on the old one means nothing."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        assert (await client.scram("romeo")).name.tag == "success"
        client.stream.restart()
        await client.send("<message to='juliet@verona.lit'/>")
        await client.ends_with("invalid-namespace")


async def test_the_proof_of_the_server_comes_with_success(tmp_path: Path) -> None:
    """Rule 22: `scram` checks it."""
    async with serving(tmp_path) as service:
        for mechanism in (
            "SCRAM-SHA-1",
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-512",
            "SCRAM-SHA-512-PLUS",
        ):
            client = await service.secured()
            answer = await client.scram("romeo", mechanism=mechanism)
            assert b64decode(answer.text).startswith(b"v=")


async def test_names_are_prepared_not_repaired(tmp_path: Path) -> None:
    """Rule 25: case and width are mapped; what is prohibited is refused."""
    async with serving(tmp_path, limits="attempts = 10") as service:
        client = await service.secured()
        for name in ("ro\ue000meo", "ro\u2028meo", "ro\ufffdmeo", "\u05d0romeo1", "r\u03bfmeo"):
            answer = await client.plain(name)
            assert condition(answer) in ("not-authorized", "malformed-request"), name
        assert (await client.plain("\uff32\uff4f\uff4d\uff45\uff4f")).name.tag == "success"


async def test_whoever_hangs_up_amid_an_exchange_leaves_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        await client.abort()
        await service.until_alone()
        await asyncio.sleep(0)
        assert not service.server.auth_limits._guessing


async def test_goodbye_amid_an_exchange(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        await client.write("</stream:stream>")
        assert [type(event) for event in await client.rest()] == [Closed]
