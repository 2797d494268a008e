"""Attack 10: whoever talks client and server into something weaker than both can do."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from tests.entering import authenticate, enter, failure
from tests.peer import PASSWORD
from tests.service import VERONA, condition, serving

from pyrite.core.errors import SaslError
from pyrite.core.sasl import Advertised, Credentials, UntrustedServer, choose

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

PLUS = "SCRAM-SHA-256-PLUS"


async def test_a_mechanism_that_was_not_offered(tmp_path: Path) -> None:
    """However well it would be done."""
    async with serving(tmp_path, auth='mechanisms = ["SCRAM-SHA-256"]') as service:
        client = await service.secured()
        assert client.mechanisms == ("SCRAM-SHA-256",)
        assert condition(await client.plain("romeo")) == "mechanism-too-weak"
        for mechanism, initial in (
            (PLUS, b"p=tls-exporter,,n=romeo,r=abcdefgh"),
            ("SCRAM-SHA-1", b"n,,n=romeo,r=abcdefgh"),
        ):
            assert condition(await client.auth(mechanism, initial)) in (
                "invalid-mechanism",
                "mechanism-too-weak",
            )


async def test_no_channel_binding_without_a_channel(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.open(VERONA)
        assert client.mechanisms
        assert not [name for name in client.mechanisms if name.endswith("-PLUS")]
        assert client.bindings == ()
        answer = await client.auth(PLUS, b"p=tls-exporter,,n=romeo,r=abcdefgh")
        assert condition(answer) in ("encryption-required", "invalid-mechanism")


async def test_the_client_could_and_was_told_that_we_cannot(tmp_path: Path) -> None:
    """Flag ``y`` where we offer channel binding: somebody has stripped it (RFC 5802 §6)."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        answer = await client.auth("SCRAM-SHA-256", b"y,,n=romeo,r=abcdefgh")
        assert condition(answer) == "not-authorized"


async def test_a_stripped_list_is_noticed_by_the_client(tmp_path: Path) -> None:
    """XEP-0474: the server says inside SCRAM what it has offered."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        told = Advertised(VERONA, ("SCRAM-SHA-1", "PLAIN"), (), {})
        scram = choose(told, Credentials("romeo", PASSWORD), "abcdefghij", ["SCRAM-SHA-1"])
        answer = await client.auth("SCRAM-SHA-1", scram.start())
        assert answer.name.tag == "challenge"
        with pytest.raises((UntrustedServer, SaslError)):
            scram.step(b64decode(answer.text))


@pytest.mark.parametrize("name", ["tls-unique", "tls-none", "tls-exporter2", "x" * 100])
async def test_a_binding_that_was_not_advertised(name: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        answer = await client.auth(PLUS, f"p={name},,n=romeo,r=abcdefgh".encode())
        assert condition(answer) in ("not-authorized", "malformed-request")


@pytest.mark.parametrize("binding", ["tls-exporter", "tls-server-end-point"])
async def test_a_binding_to_another_channel(binding: str, tmp_path: Path) -> None:
    """Somebody in the middle has two channels: what is proven on one is worth nothing here."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        types = {binding: b"\0" * 32}
        told = Advertised(VERONA, client.mechanisms, client.bindings, types)
        scram = choose(told, Credentials("romeo", PASSWORD), "abcdefghij", [PLUS])
        answer = await client.auth(PLUS, scram.start())
        assert answer.name.tag == "challenge"
        answer = await client.respond(scram.step(b64decode(answer.text)))
        assert condition(answer) == "not-authorized"
        assert (await client.scram("romeo", mechanism=PLUS)).name.tag == "success"


async def test_a_header_that_changes_on_the_way(tmp_path: Path) -> None:
    """What began with one GS2 header ends with another."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        answer = await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        nonce = b64decode(answer.text).decode().split(",")[0]
        for header in ("y,,", "n,a=juliet@verona.lit,", "p=tls-exporter,,", ""):
            encoded = b64encode(header.encode()).decode()
            final = f"c={encoded},{nonce},p={b64encode(bytes(32)).decode()}"
            failure = await client.respond(final.encode())
            assert condition(failure) in ("not-authorized", "malformed-request")
            answer = await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
            if answer.name.tag != "challenge":
                break
            nonce = b64decode(answer.text).decode().split(",")[0]


async def test_a_stripped_list_is_noticed_in_one_request_too(tmp_path: Path) -> None:
    """XEP-0474 §4.1: the list that counts is that of the profile in use, without the tokens'."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        await enter(client)  # our client asks for the right hash, or fails
        client = await service.secured()
        told = Advertised(VERONA, ("SCRAM-SHA-1", "PLAIN"), (), {})
        scram = choose(told, Credentials("romeo", PASSWORD), "abcdefghij", ["SCRAM-SHA-1"])
        answer = await client.ask(authenticate("SCRAM-SHA-1", scram.start()))
        with pytest.raises((UntrustedServer, SaslError)):
            scram.step(b64decode(answer.text))


async def test_a_weaker_mechanism_in_one_request(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='mechanisms = ["SCRAM-SHA-256"]') as service:
        client = await service.secured()
        for mechanism, expected in (("PLAIN", "mechanism-too-weak"), (PLUS, "invalid-mechanism")):
            answer = await client.ask(authenticate(mechanism, b"\0romeo\0" + PASSWORD.encode()))
            assert failure(answer) == expected
