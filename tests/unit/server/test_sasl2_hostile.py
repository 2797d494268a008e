"""Authentication by XEP-0388 with whatever else a client may put into its request."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.entering import (
    BIND,
    EXPR,
    IS_TOKEN,
    NONE,
    NS,
    PHONE,
    authenticate,
    failure,
    plain,
    respond,
)
from tests.service import serving

from pyrite.core.stream import ERROR, read_error
from pyrite.wire import bind2, fast

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


async def test_without_an_initial_response(tmp_path: Path) -> None:
    """§2.3: it is left out, and asked for; a token's mechanism has but one message."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        answer = await client.ask(authenticate("PLAIN", None, BIND))
        assert answer.name == (NS, "challenge")
        assert (await client.ask(respond(plain()))).name == (NS, "success")
        client = await service.secured()
        answer = await client.ask(authenticate(NONE, None, IS_TOKEN))
        assert failure(answer) == "malformed-request"


WORDS = ("", "0", "-1", "1", "true", "x" * 300, PHONE, "\u00e9", "@", "PLAIN", EXPR, NONE, "UPGR-")
SAID = {
    "fast": fast.NS,
    "request-token": fast.NS,
    "bind": bind2.NS,
    "upgrade": "urn:xmpp:sasl:upgrade:0",
    "user-agent": NS,
    "initial-response": NS,
    "resume": "urn:xmpp:sm:3",
    "enable": "urn:xmpp:sm:3",
    "tag": bind2.NS,
    "inactive": "urn:xmpp:csi:0",
}


def anything(chance: random.Random, depth: int = 0) -> str:
    """An element that looks a little like what is expected, and mostly is not."""
    tag = chance.choice([*SAID])
    names = chance.sample(("id", "mechanism", "count", "invalidate", "h", "previd", "max"), 3)
    attrs = "".join(f" {name}='{chance.choice(WORDS)}'" for name in names)
    inside = [anything(chance, depth + 1) for _ in range(chance.randrange(3) if depth < 3 else 0)]
    return f"<{tag} xmlns='{SAID[tag]}'{attrs}>{chance.choice(WORDS)}{''.join(inside)}</{tag}>"


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_asked_for(seed: int, tmp_path: Path) -> None:
    """It is done, left out, or refused in the words of a specification; nothing breaks."""
    chance = random.Random(seed)
    auth = "free-attempts = 1000\nattempts = 2000"
    async with serving(tmp_path, auth=auth, limits="connection-burst = 1000") as service:
        for _ in range(40):
            client = await service.secured()
            wishes = [anything(chance) for _ in range(chance.randrange(5))]
            await client.send(authenticate("PLAIN", plain(), *wishes, id=None))
            answer = await client.element()
            if answer.name == ERROR:
                assert read_error(answer).condition in ("bad-format", "policy-violation")
            else:
                assert answer.name in ((NS, "success"), (NS, "failure"), (NS, "continue"))
            client.writer.transport.abort()
