"""Attack 24: presence that multiplies, that leaks, and clients that say what others can do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import JULIET, ROMEO, Client, condition, serving

from pyrite.core.jid import JID
from pyrite.server import presence as presences
from pyrite.server.capabilities import CAPABILITIES
from pyrite.wire import caps, disco

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


async def test_strangers_see_nothing(tmp_path: Path) -> None:
    """Neither by a probe, nor by asking a resource, nor when it changes."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        mallory = await service.online("mallory@verona.lit/m", available=True)
        for stanza in (
            "<presence type='probe' to='juliet@verona.lit'/>",
            "<presence type='probe' to='juliet@verona.lit/b'/>",
            "<presence type='probe' to='juliet@verona.lit/nothing'/>",
        ):
            await mallory.send(stanza)
        await juliet.send("<presence><show>away</show></presence>")
        await juliet.barrier()
        seen = await mallory.barrier()
        assert all(e.attrs["type"] == "unsubscribed" for e in seen)
        assert all(e.attrs["from"] == "juliet@verona.lit" for e in seen)
        assert await juliet.barrier() == []


async def test_whoever_is_no_longer_subscribed_sees_no_more(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online("juliet@verona.lit/b", available=True)
        romeo = await service.online("romeo@verona.lit/a", available=True)
        await juliet.send("<presence to='romeo@verona.lit' type='unsubscribed'/>")
        await juliet.barrier()
        kinds = [e.attrs.get("type") for e in await romeo.barrier() if e.name.tag == "presence"]
        assert "unavailable" in kinds
        await juliet.send("<presence><show>away</show></presence>")
        await juliet.barrier()
        assert [e for e in await romeo.barrier() if e.attrs.get("type") is None] == []


async def test_directed_presence_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many addresses are remembered, to be told of the end; then it is refused."""
    monkeypatch.setattr(presences, "MAX_DIRECTED", 50)
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m")
        for number in range(60):
            await mallory.send(f"<presence to='x{number}@verona.lit' id='{number}'/>")
        refused = await mallory.barrier()
        assert [condition(e) for e in refused] == ["resource-constraint"] * 10
        (session,) = service.server.sessions
        assert len(session[presences.DIRECTED]) == 50
        await mallory.send("<presence to='x1@verona.lit' type='unavailable'/>")
        await mallory.send("<presence to='another@verona.lit'/>")
        assert await mallory.barrier() == []


async def test_directed_presence_is_one_stanza_for_one(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        mallory = await service.online("mallory@verona.lit/m")
        for _ in range(100):
            await mallory.send("<presence to='juliet@verona.lit/b'/>")
        await mallory.barrier()
        assert len(await juliet.barrier()) == 100
        await mallory.abort()
        (gone,) = [await juliet.element()]
        assert gone.attrs["type"] == "unavailable"
        assert await juliet.barrier() == []


async def test_a_flood_of_presence_reaches_friends_and_nobody_else(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online("juliet@verona.lit/b", available=True)
        mallory = await service.online("mallory@verona.lit/m", available=True)
        romeo = await service.online("romeo@verona.lit/a", available=True)
        await juliet.barrier()
        for number in range(300):
            await romeo.send(f"<presence><priority>{number % 100}</priority></presence>")
        await romeo.barrier()
        assert len(await juliet.barrier()) == 300
        assert await mallory.barrier() == []


@pytest.mark.parametrize(
    "inside",
    [
        "<priority>128</priority>",
        "<priority>-129</priority>",
        "<priority>x</priority>",
        "<priority>1</priority><priority>2</priority>",
        "<priority>" + "9" * 5000 + "</priority>",
        "<show>on fire</show>",
        "<show>away</show><show>dnd</show>",
    ],
)
async def test_presence_that_is_none(inside: str, tmp_path: Path) -> None:
    """Refused or taken as what it can be; never a crash, and the stream goes on."""
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m")
        await mallory.send(f"<presence id='1'>{inside}</presence>")
        for answer in await mallory.barrier():
            if answer.attrs.get("type") == "error":
                assert condition(answer) in ("bad-request", "not-acceptable")
        (session,) = service.server.sessions
        assert -128 <= session.priority <= 127


# --- what clients say they can do ------------------------------------------------------

INFO = disco.info([disco.Identity("client", "pc", "Honest")], [disco.NS_INFO, "urn:a"])
VER = caps.ver(INFO, "sha-1")
PRESENCE = (
    f"<presence><c xmlns='{caps.NS}' node='http://honest.example' ver='{VER}' hash='sha-1'/>"
    "</presence>"
)


async def asked(client: Client) -> str:
    """The id of the server's question after announcing `VER`; empty if it does not ask."""
    await client.send(PRESENCE)
    for element in await client.barrier():
        if element.child("http://jabber.org/protocol/disco#info", "query") is not None:
            return element.attrs["id"]
    return ""


def answer(id: str, *features: str) -> str:
    inside = "".join(f"<feature var='{feature}'/>" for feature in features)
    return (
        f"<iq type='result' id='{id}'><query xmlns='{disco.NS_INFO}'"
        f" node='http://honest.example#{VER}'><identity category='client' type='pc' name='Honest'/>"
        f"{inside}</query></iq>"
    )


@pytest.mark.parametrize(
    "features",
    [("urn:evil",), (disco.NS_INFO, "urn:a", "urn:evil"), (disco.NS_INFO,), ("urn:a<",)],
)
async def test_a_lie_about_a_hash_is_believed_of_nobody(
    features: tuple[str, ...], tmp_path: Path
) -> None:
    """XEP-0115 §8.3: else whoever is first says for all what their clients can do."""
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m")
        id = await asked(mallory)
        assert id
        await mallory.send(answer(id, *(f.replace("<", "&lt;") for f in features)))
        await mallory.barrier()
        juliet = await service.online("juliet@verona.lit/b")
        id = await asked(juliet)
        assert id  # the lie was not kept: she is asked too
        await juliet.send(answer(id, disco.NS_INFO, "urn:a"))
        await juliet.barrier()
        session = service.server.sessions.find(JID.parse("juliet@verona.lit/b"))
        assert session is not None
        known = session[CAPABILITIES]
        assert known is not None
        assert known.features == INFO.features
        liar = service.server.sessions.find(JID.parse("mallory@verona.lit/m"))
        assert liar is not None
        assert liar[CAPABILITIES] is None


async def test_nobody_answers_for_somebody_else(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        id = await asked(juliet)
        mallory = await service.online("mallory@verona.lit/m")
        for to in ("", "to='verona.lit'", "to='juliet@verona.lit'", "to='juliet@verona.lit/b'"):
            await mallory.send(answer(id, "urn:evil").replace("<iq ", f"<iq {to} ", 1))
        await mallory.barrier()
        session = service.server.sessions.find(JID.parse("juliet@verona.lit/b"))
        assert session is not None
        assert session[CAPABILITIES] is None


async def test_new_hashes_all_the_time_are_bounded(tmp_path: Path) -> None:
    from pyrite.server.session import MAX_AWAITED

    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m")
        for number in range(300):
            await mallory.send(
                f"<presence><c xmlns='{caps.NS}' node='http://x' ver='{number}' hash='sha-1'/>"
                "</presence>"
            )
        await mallory.barrier()
        (session,) = service.server.sessions
        assert session.awaiting is not None
        assert len(session.awaiting) <= MAX_AWAITED
