"""Attack 11: SCRAM with numbers and names that are too large, twice, or somebody else's."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from tests.peer import PASSWORD
from tests.service import Client, condition, serving

from pyrite.core.sasl import Advertised, Credentials, choose

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

FIRST = [
    b"n,,n=" + b"x" * 1500 + b",r=abcdefgh",
    b"n,,n=romeo,r=" + b"x" * 6000,
    b"n,,n=romeo,r=abcdefgh," + b",".join(b"x=%d" % n for n in range(1000)),
    b"n,a=" + b"x" * 5000 + b",n=romeo,r=abcdefgh",
    b"n,,n==2C=3D,r=abcdefgh",
    b"n,,n=romeo,r=abcd efgh",
    b"n,,n=romeo,r=",
    b"n,,n=,r=abcdefgh",
    b"n,,n=\xff,r=abcdefgh",
    b"n,,n=ro\0meo,r=abcdefgh",
    b"," * 5000,
    b"n" * 7000,
]


@pytest.mark.parametrize("first", FIRST)
async def test_beginnings(first: bytes, tmp_path: Path) -> None:
    """A challenge or a failure by its name, at once; what follows a challenge fails."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        answer = await client.auth("SCRAM-SHA-256", first)
        if answer.name.tag == "challenge":
            nonce = b64decode(answer.text).decode().split(",")[0]
            final = f"c=biws,{nonce},p={b64encode(bytes(32)).decode()}"
            answer = await client.respond(final.encode())
        assert condition(answer) in ("not-authorized", "malformed-request", "invalid-authzid")
        assert (await client.scram("romeo")).name.tag == "success"


def ending(challenge: bytes, kind: str) -> bytes:
    nonce = challenge.decode().split(",")[0]
    proof = b64encode(bytes(32)).decode()
    return {
        "another nonce": f"c=biws,r=abcdefghXXXX,p={proof}",
        "our part of the nonce alone": f"c=biws,r=abcdefgh,p={proof}",
        "a longer nonce": f"c=biws,{nonce}x,p={proof}",
        "no proof": f"c=biws,{nonce}",
        "an empty proof": f"c=biws,{nonce},p=",
        "a short proof": f"c=biws,{nonce},p=AAAA",
        "a long proof": f"c=biws,{nonce},p={'A' * 4000}",
        "no channel": f"{nonce},p={proof}",
        "a mandatory extension": f"m=x,c=biws,{nonce},p={proof}",
        "nothing": "",
        "zeros": "\0" * 100,
    }[kind].encode()


@pytest.mark.parametrize(
    "kind",
    [
        "another nonce",
        "our part of the nonce alone",
        "a longer nonce",
        "no proof",
        "an empty proof",
        "a short proof",
        "a long proof",
        "no channel",
        "a mandatory extension",
        "nothing",
        "zeros",
    ],
)
async def test_endings(kind: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        answer = await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        answer = await client.respond(ending(b64decode(answer.text), kind))
        assert condition(answer) in ("not-authorized", "malformed-request")
        assert (await client.scram("romeo")).name.tag == "success"


async def test_a_proof_that_was_heard_is_worth_nothing(tmp_path: Path) -> None:
    """The nonce is new each time, so the same messages do not work twice."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        told = Advertised("verona.lit", client.mechanisms, client.bindings, client.own_bindings)
        scram = choose(told, Credentials("romeo", PASSWORD), "abcdefghij", ["SCRAM-SHA-256"])
        first = scram.start()
        answer = await client.auth("SCRAM-SHA-256", first)
        final = scram.step(b64decode(answer.text))
        assert (await client.respond(final)).name.tag == "success"
        thief = await service.secured()
        again = await thief.auth("SCRAM-SHA-256", first)
        assert again.text != answer.text
        assert condition(await thief.respond(final)) == "not-authorized"


async def test_an_exchange_ends_with_its_connection(tmp_path: Path) -> None:
    """Nobody goes on with what another connection has begun."""
    async with serving(tmp_path) as service:
        one, other = await service.secured(), await service.secured()
        answer = await one.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        await other.send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>biws</response>")
        await other.ends_with("not-authorized")
        assert answer.name.tag == "challenge"


async def test_many_at_once_get_no_more_guesses(tmp_path: Path) -> None:
    """Forty proofs at the same time count as much as one after the other."""
    auth = "free-attempts = 2\nattempts = 4\nbackoff = '1s'"
    async with serving(tmp_path, auth=auth, limits="attempts = 2") as service:

        async def guess() -> str:
            client = await service.secured()
            return condition(await client.plain("romeo", "wrong"))

        answers = await asyncio.gather(*(guess() for _ in range(40)))
        assert set(answers) <= {"not-authorized", "temporary-auth-failure"}
        assert answers.count("not-authorized") <= 4


async def test_iterations_are_the_servers(tmp_path: Path) -> None:
    """What a client may ask for costs nothing more: 4,096 here, and no word of a client's."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        iterations = {await iterations_of(client, name) for name in ("romeo", "nobody")}
        assert iterations == {"4096"}


async def iterations_of(client: Client, name: str) -> str:
    answer = await client.auth("SCRAM-SHA-256", f"n,,n={name},r=abcdefgh,i=999999999".encode())
    parts = dict(part.split("=", 1) for part in b64decode(answer.text).decode().split(","))
    await client.ask("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
    return parts["i"]
