"""Small things by their hash: asked for, kept for a while, and never another in their place."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE
from tests.service import JULIET, ROMEO, serving
from tests.unit.client.pair import client, pair

from pyrite.client.app import Client
from pyrite.client.mod.bob import Bit, Bob
from pyrite.core.errors import StanzaError
from pyrite.kit.clock import ManualClock
from pyrite.wire import bob
from pyrite.wire.ping import Ping

SPOT = b"\x89PNG spot"
NAME = bob.cid(SPOT)
OWN = "spot-1@juliet.example"  # which is no hash of anything


def serve(juliet: Client, answer: bob.Data) -> list[str | None]:
    """Let her give `answer` to everything; what she is asked for."""
    asked: list[str | None] = []

    @juliet.serve("get", bob.Data)
    def give(request: Any) -> bob.Data:
        asked.append(request.payload.cid)
        return answer

    return asked


async def test_what_is_offered_is_had(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Bob) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        name = juliet[Bob].offer(SPOT, "image/png", max_age=60)
        assert name == NAME
        assert await romeo[Bob].fetch(f"cid:{name}", juliet.jid) == Bit(SPOT, "image/png")
        juliet[Bob].withdraw(name)
        assert await romeo[Bob].fetch(name, juliet.jid) == Bit(SPOT, "image/png")  # kept here
        assert romeo[Bob].kept(name) == Bit(SPOT, "image/png")
        with pytest.raises(StanzaError, match="item-not-found"):
            await romeo[Bob].fetch(bob.cid(b"another"), juliet.jid)
        with pytest.raises(StanzaError, match="item-not-found"):
            await romeo.request(bob.Data(), juliet.jid)
        with pytest.raises(ValueError, match="8192 are allowed"):
            juliet[Bob].offer(bytes(8193), "image/png")


@pytest.mark.parametrize(
    ("max_age", "age", "times"),
    [(None, 86399, 1), (None, 86400, 2), (60, 59, 1), (60, 60, 2), (0, 0, 2), (2**40, 86400, 2)],
)
async def test_how_long_it_is_kept(
    tmp_path: Path, max_age: int | None, age: float, times: int
) -> None:
    clock = ManualClock()
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, clock=clock) as romeo,
        client(service, JULIET) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        asked = serve(juliet, bob.Data(NAME, "image/png", max_age, SPOT))
        await romeo[Bob].fetch(NAME, juliet.jid)
        clock.advance(age)
        await romeo[Bob].fetch(NAME, juliet.jid)
        assert asked == [NAME] * times


@pytest.mark.parametrize(
    "answer",
    [
        bob.Data(NAME, "image/png", None, b"another"),
        bob.Data(bob.cid(b"another"), "image/png", None, b"another"),
        bob.Data(NAME, "image/png", None, b""),
        bob.Data(NAME, "image/png", None, bytes(64 * 1024 + 1)),
    ],
    ids=["another hash", "another name", "nothing", "too much"],
)
async def test_what_is_not_what_was_asked_for(tmp_path: Path, answer: bob.Data) -> None:
    async with (
        serving(tmp_path, limits='stanza = "256KiB"') as service,
        pair(service) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        serve(juliet, answer)
        for _ in range(2):
            with pytest.raises(StanzaError, match="not-acceptable"):
                await romeo[Bob].fetch(NAME, juliet.jid)
        assert romeo[Bob].kept(NAME) is None


async def test_names_that_are_no_hash_are_their_senders(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        asked = serve(juliet, bob.Data(OWN, "image/png", None, SPOT))
        for _ in range(2):
            assert (await romeo[Bob].fetch(OWN, juliet.jid)).data == SPOT
        assert asked == [OWN]
        with pytest.raises(StanzaError):  # who is asked counts, not who was
            await romeo[Bob].fetch(OWN, romeo.jid.bare)


async def test_what_comes_with_a_message(tmp_path: Path) -> None:
    """Kept if it is what it says; what has no hash could be anything, and is not."""
    forged = bob.Data(bob.cid(b"a seal"), "image/png", None, b"forged")
    nameless = bob.Data(OWN, "image/png", None, SPOT)
    async with (
        serving(tmp_path) as service,
        pair(service, Bob) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        heard = juliet.messages()
        small = bob.Data(NAME, "image/png", None, SPOT)
        await romeo.send(juliet.jid, "a spot", small, forged, nameless)
        await heard.next()
        assert juliet[Bob].kept(NAME) == Bit(SPOT, "image/png")
        assert juliet[Bob].kept(forged.cid or "") is None
        assert juliet[Bob].kept(OWN, romeo.jid) is None
        assert juliet.forged["bob"] == 2


async def test_little_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrite.client.mod.bob.KEPT", 2)
    monkeypatch.setattr("pyrite.client.mod.bob.OFFERED", 3)
    async with (
        serving(tmp_path) as service,
        pair(service, Bob) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        names = [juliet[Bob].offer(b"%d" % number, "text/plain") for number in range(4)]
        with pytest.raises(StanzaError, match="item-not-found"):
            await romeo[Bob].fetch(names[0], juliet.jid)
        for name in names[1:]:
            await romeo[Bob].fetch(name, juliet.jid)
        assert [romeo[Bob].kept(name) is None for name in names] == [True, True, False, False]
